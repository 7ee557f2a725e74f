"""Rows that say what sealtool wrote, and others: whoever writes in a ledger by hand may leave anything in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache, wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row
from typing_extensions import TypedDict

from sealtool.errors import LedgerInconsistentError

T = TypeVar("T")
P = ParamSpec("P")

RUN: Final = "run {run_id}"
LINE: Final = "a line of the register ({level}, area {area})"
CERTIFICATE: Final = "certificate {certificate_id}"
DOCUMENT: Final = "document {path}"
RENEWAL: Final = "renewal of {path}"
EVENT: Final = "event {sequence}"
ACT: Final = "{kind} of certificate {certificate_id}"
"""How messages call a row: never by the person."""

FAULTS: Final = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)
"""What reading a row ends with, in which somebody wrote something else."""


class RecordedPerson(TypedDict):
    """:func:`sealtool.canonical.person_as_json`, on record."""

    person_id: str
    given_name: str
    first_surname: str
    second_surname: str


class RecordedArea(TypedDict):
    """An area of a decision on record."""

    area: int
    covered_on: str
    procedure: str
    evidence: list[str]


class RecordedDecision(TypedDict):
    """:func:`sealtool.canonical.decision_as_json` with the person, as ``certificates.decision`` holds it."""

    person_id: str
    level: str
    area: int | None
    accredited_on: str
    procedures: list[str]
    areas: list[RecordedArea]
    person: RecordedPerson


class RecordedSource(TypedDict):
    """A file of an export, as ``runs.sources`` holds it."""

    name: str
    sha256: str
    rows: int


class RecordedPin(TypedDict):
    """A manifest of before a ledger was rebuilt, and the event that it pins."""

    run_id: str
    sha256: str
    ledger_sequence: int
    ledger_head: str


class RecordedBeginning(TypedDict):
    """What the first event of a rebuilt ledger says: the newest manifest, the event that it pins, and all manifests."""

    manifest: str
    ledger_sequence: int
    ledger_head: str
    manifests: list[RecordedPin]
    certificates: int
    documents: int


class IllegibleRowError(Exception):
    """A row does not hold what sealtool writes in it.

    Args:
        what: names the row, and nobody.
        error: that reading it ran into.
    """

    def __init__(self, what: str, error: Exception) -> None:
        super().__init__(what, error)
        self.what, self.error = what, error


def legible(noun: str) -> Callable[[Callable[Concatenate[Row[Any], P], T]], Callable[Concatenate[Row[Any], P], T]]:
    """Marks a function that makes a value of a row: where it cannot, that is the fault of whoever wrote in the row.

    Args:
        noun: how messages call the row, with its columns in braces.

    Raises, in the function that is marked:
        IllegibleRowError: the row does not hold what sealtool writes in it.
    """

    def mark(read: Callable[Concatenate[Row[Any], P], T]) -> Callable[Concatenate[Row[Any], P], T]:
        @wraps(read)
        def marked(row: Row[Any], /, *args: P.args, **kwargs: P.kwargs) -> T:
            try:
                _refuse_octets(row)
                return read(row, *args, **kwargs)
            except FAULTS as error:
                what = noun.format_map(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
                raise IllegibleRowError(what, error) from error

        return marked

    return mark


def read_json(text: Any, kind: Any) -> Any:
    """The value that a column holds as JSON, of that type through and through.

    Raises:
        ValueError: it is no JSON, or of another form.
    """
    return _adapter(kind).validate_json(text, strict=True)


def read_day(text: str) -> date:
    """The day that the ledger wrote.

    Raises:
        TypeError: it is no text.
        ValueError: it is no day, or one written in another way: its first letters would not be those of its month.
    """
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError("a day in another form")
    return day


def read_moment(text: str) -> datetime:
    """The moment that :func:`sealtool.ledger.events.instant` wrote, in UTC.

    Raises:
        TypeError: it is no text.
        ValueError: it is no moment, nobody can tell in which time zone, or no calendar has it in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


def changed_outside(ledger: str, what: str, error: Exception) -> LedgerInconsistentError:
    """The error for a row that cannot be read.

    Args:
        ledger: its name.
        what: as the row is called.
        error: that reading it ran into.
    """
    return LedgerInconsistentError(
        f"The ledger {ledger} was changed outside sealtool: what is written there of {what} cannot be read "
        f"({_why(error)}), so nothing can be told or done on its word.",
        advice="See what was changed with `sealtool ledger verify`, and restore it from a backup.",
    )


def _refuse_octets(row: Row[Any]) -> None:
    """TypeError where SQLite, which keeps anything in any column, has octets: no column is of those."""
    if bytes in map(type, row):
        raise TypeError("octets in the place of a text")


def _why(error: Exception) -> str:
    """Where in the JSON something is wrong, and what; of all else its kind, for its words may quote what is there."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {first['msg']}" if place else first["msg"]
    return type(error).__name__


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
