"""What workers write to the host: JSON, from which the host makes the values that it expects.

It is read by the type that it is said to be, field by field. So a worker can send wrong values, but nothing that is
not of one of these types through and through.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Any, Final, assert_never

from pydantic import ConfigDict, TypeAdapter

from sealtool import errors
from sealtool.errors import SealtoolError, UntrustworthyWorkersError


class Outcome(StrEnum):
    """What became of an errand."""

    DONE = "DONE"
    FAILED = "FAILED"
    """With one of our own errors."""
    BROKE_DOWN = "BROKE_DOWN"
    """With what a developer wants to know."""
    FUNCTION_UNKNOWN = "FUNCTION_UNKNOWN"
    """It has to be sent along."""
    DIFFERS = "DIFFERS"
    """The worker is not like the host; with what it is like."""


_BASE_64: Final = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
_ENVELOPES: Final = TypeAdapter(tuple[Outcome, str, str])
"""The outcome, the name of the type of the value, and the value in JSON."""


def letter(outcome: Outcome, value: Any = "") -> bytes:
    """Written in a worker."""
    kind: Any = type(value)
    return _ENVELOPES.dump_json((outcome, kind.__name__, _adapter(kind).dump_json(value).decode()))


def letter_of_error(error: SealtoolError) -> bytes:
    """Likewise, of an error."""
    told = _adapter(tuple[str, str]).dump_json((error.message, error.advice))
    return _ENVELOPES.dump_json((Outcome.FAILED, type(error).__name__, told.decode()))


def open_letter(received: Any, types: Iterable[type]) -> tuple[Outcome, Any]:
    """Read by the host.

    Args:
        received: whatever came.
        types: those that results may be of.

    Returns:
        The outcome with its value: a result, a SealtoolError, a dictionary of texts where the worker differs, or a
        text.

    Raises:
        UntrustworthyWorkersError: it is no letter.
    """
    try:
        outcome, kind, value = _ENVELOPES.validate_json(received)
        return outcome, _value(outcome, kind, value, types)
    except ValueError as error:  # also of pydantic
        raise untrustworthy() from error


def untrustworthy() -> UntrustworthyWorkersError:
    """Something came that is no letter."""
    return UntrustworthyWorkersError(
        "A worker of the cluster answered with something that no worker of sealtool sends.",
        advice="Find out who runs programs there before you call again.",
    )


def _value(outcome: Outcome, kind: str, value: str, types: Iterable[type]) -> Any:
    match outcome:
        case Outcome.DONE:
            found = _adapter(_named(kind, types)).validate_json(value)
            if found is None:
                raise ValueError(kind)
            return found
        case Outcome.FAILED:
            message, advice = _adapter(tuple[str, str]).validate_json(value)
            return _named(kind, _errors())(message, advice=advice)
        case Outcome.DIFFERS:
            return _adapter(dict[str, str]).validate_json(value)
        case Outcome.BROKE_DOWN | Outcome.FUNCTION_UNKNOWN:
            return _adapter(str).validate_json(value)
        case _:
            assert_never(outcome)


def _named(name: str, types: Iterable[type]) -> Any:
    for one in types:
        if one.__name__ == name:
            return one
    raise ValueError(name)


def _errors() -> list[type]:
    return [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, SealtoolError)]


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    # with None, for a dataclass by itself takes no configuration
    return TypeAdapter(kind | None, config=_BASE_64)
