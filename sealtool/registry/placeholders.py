"""What stands in a cell of a name where the registry has none: words of programs and of people, which are no name.

Only what is certainly no name is one. Nil and Nan are given names and surnames, Blank and Cap are surnames.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BRACKETS: Final = {"(": ")", "[": "]"}

_WORDS: Final = frozenset(
    {
        *("undefined", "unknown", "n/a", "n/d", "s/n", "s/d", "s/a"),
        *("not available", "not applicable", "no name", "no surname", "no last name", "no data", "tbd"),
        *("desconocido", "desconocida", "desconegut", "desconeguda", "vacio", "vacia", "en blanco", "en blanc"),
        *("no consta", "no disponible", "no aplica", "no aplicable", "no procede", "no procedeix"),
        *("no informado", "no informada", "no informat", "no tiene", "ninguno", "ninguna", "nbsp", "object object"),
    }
)
"""In lower case, without accents and outer marks."""

_AS_WRITTEN: Final = frozenset({"null", "NULL", "none", "None", "NONE", "nan", "NaN", "NaT", "<NA>", "<nil>", "\\N"})
"""As programs write them; in other letter cases they may be names."""

_MAY_BE: Final = frozenset(
    {"na", "nan", "nat", "null", "nulo", "nula", "none", "n.a", "n.d", "s.n", "x", "xx", "fnu", "lnu"}
)
"""Likewise in lower case: a warning."""

_NO_NAME: Final = re.compile(
    r"(?:sin|sense|no tiene|no te|no consta)(?: el| su)?(?: primer| segundo| segon| 1r| 2n| 2o)?"
    r" (?:apellidos?|cognoms?|llinatges?|nombre|nom|datos|dades)"
)
_CROSSES: Final = re.compile(r"x{3,}|x+(?:[ .-]x+)+")
_OUTER_MARKS: Final = re.compile(r"^[\W_]+|[\W_]+$")


def is_placeholder(name: str) -> bool:
    """Whether a part of a name is certainly none.

    Args:
        name: without outer white space.
    """
    bare = _OUTER_MARKS.sub("", name)
    # Excel's #N/A, #REF!, #NAME?, in any language; <null>, --NULL--
    if name.startswith("#") or name in _AS_WRITTEN or bare in _AS_WRITTEN or _is_marked(name, bare):
        return True
    if name and (end := _BRACKETS.get(name[0])) and name.find(end) == len(name) - 1:
        return True
    core = _core(name)
    return core in _WORDS or bool(_NO_NAME.fullmatch(core) or _CROSSES.fullmatch(core))


def may_be_placeholder(name: str) -> bool:
    """Whether a part of a name, which :func:`is_placeholder` lets through, is more often none than one."""
    return _core(name) in _MAY_BE


def _is_marked(name: str, bare: str) -> bool:
    return bare != name and bare.casefold() in {"null", "none"}


def _core(name: str) -> str:
    if not name.isascii():
        name = "".join(mark for mark in unicodedata.normalize("NFD", name) if not unicodedata.combining(mark))
    return _OUTER_MARKS.sub("", " ".join(name.casefold().split()))
