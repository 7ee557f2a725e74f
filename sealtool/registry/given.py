"""What somebody gives by hand in the place of a cell: read by the same rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from sealtool.errors import UsageError
from sealtool.registry.cells import CellFault, date_parser, parse_name, parse_optional_name

T = TypeVar("T")


def read_given_name(text: str, option: str, *, may_be_empty: bool) -> str:
    """A part of a name, exactly as it stands but for outer white space.

    Args:
        text: as it was given.
        option: by which; for the message, which does not repeat the name.
        may_be_empty: whether it may be missing.

    Raises:
        UsageError: it would not be printed as it was meant.
    """
    return _read(parse_optional_name if may_be_empty else parse_name, text, option)


def read_given_day(text: str, option: str, *, today: date) -> date:
    """A day up to today, as the registry may write it.

    Raises:
        UsageError: it is none.
    """
    return _read(date_parser(today), text, option)


def _read(parse: Callable[[str], T], text: str, option: str) -> T:
    try:
        return parse(text)
    except CellFault as fault:
        raise UsageError(
            f"What {option} gives {fault.reason}.", advice="It is read as the registry's cells are."
        ) from None
