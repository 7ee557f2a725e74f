"""Texts that stay for ever and name nobody.

Why a certificate was replaced or withdrawn goes into the ledger's chain of events, from which nothing can be taken out
again. So the holder is named there by the certificate's id alone (GDPR, art. 5 (1) (c): no more data than needed).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from sealtool.errors import UsageError
from sealtool.model import Person
from sealtool.registry.identity import ids_within

_LONGEST: Final = 500
_WORDS = re.compile(r"[^\W\d_]+")
_SEPARATORS = re.compile(r"[\s./-]")
_SHORTEST_NAME: Final = 3
_TELLING_DIGITS: Final = 6
_PARTICLES: Final = frozenset({"del", "dels", "las", "les", "los", "von", "van"})


def insist_on_sound_texts(texts: Mapping[str, str]) -> None:
    """Makes sure that what will be on record is one readable line.

    Raises:
        UsageError: a text is empty, far too long, or holds characters that nobody sees.
    """
    for option, text in texts.items():
        if not text.strip():
            raise UsageError(f"{option} is empty, and it has to say something to whoever looks into the file later.")
        if len(text) > _LONGEST:
            raise UsageError(
                f"{option} has {len(text)} characters, and more than {_LONGEST} belong into the file of the case.",
                advice="Say it in a sentence, and name the file with --file.",
            )
        if any(unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Cs"} for character in text):
            raise UsageError(f"{option} holds line breaks or characters that nobody sees.", advice="Write one line.")


def insist_on_discretion(texts: Mapping[str, str], people: Iterable[Person], *, officials: Mapping[str, str]) -> None:
    """Makes sure that no text names whom a certificate is about.

    Args:
        texts: option to text, neither of which may have a name or part of a name in it.
        people: the holder, as named before and after.
        officials: the same for texts that name who decided, and may share a name with the holder, not all of it.

    Raises:
        UsageError: one does. The message does not repeat it.
    """
    known = list(people)
    for option, text in {**texts, **officials}.items():
        if ids_within(text) or any(_has_number(text, person) for person in known):
            raise _indiscreet(option, "a DNI or NIE")
    for option, text in texts.items():
        words = set(_words(text))
        if any(words & _telling_words(person.full_name) for person in known):
            raise _indiscreet(option, "a name of the holder")
    for option, text in officials.items():
        words = set(_words(text))
        if any(_telling_words(person.full_name) <= words for person in known if _telling_words(person.full_name)):
            raise _indiscreet(option, "the name of the holder")


def _has_number(text: str, person: Person) -> bool:
    number = "".join(filter(str.isdigit, person.person_id))
    without_zeros = number.lstrip("0")  # as spreadsheets leave it
    compact = _SEPARATORS.sub("", text)
    return number in compact or (len(without_zeros) >= _TELLING_DIGITS and without_zeros in compact)


def _telling_words(name: str) -> frozenset[str]:
    return frozenset(word for word in _words(name) if len(word) >= _SHORTEST_NAME and word not in _PARTICLES)


def _words(text: str) -> list[str]:
    """In lower case and without accents: people leave them out."""
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return _WORDS.findall(bare.casefold())


def _indiscreet(option: str, what: str) -> UsageError:
    return UsageError(
        f"{option} holds {what}. It would stay for ever in the ledger's chain of events, where nobody is named.",
        advice="Write it without: the certificate's id says whom it is about, and --file names the file of the case.",
    )
