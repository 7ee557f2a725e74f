"""What runs in the workers of a cluster. Nothing here is raised: errors go back as values, and into no worker's log."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sealtool.cluster.letters import Outcome, letter, letter_of_error
from sealtool.errors import SealtoolError

_KEPT: Final = 8
_ALONE: Final = threading.RLock()
"""Layout engine and page reader are not made for threads, of which a worker may have many."""
_UNPACKING: Final = threading.Lock()
"""Unpickling imports. Two threads that import packages whose modules need each other can find them half made."""
_functions: dict[str, Callable[..., Any]] = {}


@dataclass(frozen=True, slots=True)
class Parcel:
    """A pickle under a name: its SHA-256. The name alone is enough for a worker that has seen it."""

    name: str
    content: bytes | None = field(repr=False)

    @classmethod
    def of(cls, thing: object) -> Parcel:
        """A thing, packed."""
        content = pickle.dumps(thing)
        return cls(hashlib.sha256(content).hexdigest(), content)


@dataclass(frozen=True, slots=True)
class Errand:
    """A call, on its way to a worker. Its text shows nothing of what it is about: workers log it.

    Attributes:
        question: pickled; called by the worker, says what it is like.
        likeness: the digest of what the host is like.
        arguments: pickled, those in order and those by name.
        alone: whether at most one such call may run in a process.
    """

    question: bytes = field(repr=False)
    likeness: str
    function: Parcel
    arguments: bytes = field(repr=False)
    alone: bool


def introduce(question: bytes) -> bytes:
    """What this worker is like."""
    try:
        return letter(Outcome.DONE, dict(answer_to(question)))
    except SealtoolError as error:
        return letter_of_error(error)


def perform(errand: Errand) -> bytes:
    """Does an errand, in a worker that is like the host."""
    try:
        mine = answer_to(errand.question)
        if digest_of(mine) != errand.likeness:
            return letter(Outcome.DIFFERS, dict(mine))
        with _UNPACKING:
            if (function := _unpacked(errand.function)) is None:
                return letter(Outcome.FUNCTION_UNKNOWN)
            arguments, named = pickle.loads(errand.arguments)  # noqa: S301 - who sends errands may run programs here
        with _ALONE if errand.alone else nullcontext():
            return letter(Outcome.DONE, function(*arguments, **named))
    except SealtoolError as error:
        return letter_of_error(error)
    except Exception as error:  # noqa: BLE001 - Dask would write it into the worker's log, arguments and all
        return letter(Outcome.BROKE_DOWN, f"{type(error).__name__}: {error}")


def answer_to(question: bytes) -> Mapping[str, str]:
    """What this process is like. It is asked once: what is loaded stays as it is."""
    with _ALONE:
        return _answer_to(question)


@lru_cache(maxsize=_KEPT)
def _answer_to(question: bytes) -> Mapping[str, str]:
    likeness: Mapping[str, str] = pickle.loads(question)()  # noqa: S301 - as above
    return likeness


def digest_of(likeness: Mapping[str, str]) -> str:
    """One name for it."""
    return hashlib.sha256(repr(sorted(likeness.items())).encode()).hexdigest()


def _unpacked(parcel: Parcel) -> Callable[..., Any] | None:
    if parcel.name not in _functions and parcel.content is not None:
        while len(_functions) >= _KEPT:
            _functions.pop(next(iter(_functions)), None)
        _functions[parcel.name] = pickle.loads(parcel.content)  # noqa: S301 - as above
    return _functions.get(parcel.name)
