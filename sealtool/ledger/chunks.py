"""Many values, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, CursorResult, Select

T = TypeVar("T")

_CHUNK: Final = 500
"""Values in one SQL list, or rows in one insert; SQLite takes 32,766 values at the most, older ones 999."""


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in portions that fit into one statement, none of them empty.

    A first night writes hundreds of thousands of rows, and as dictionaries they would all be in memory at once.
    """
    remaining = iter(values)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk


def streamed(connection: Connection, query: Select[Any]) -> CursorResult[Any]:
    """The rows of a query as they are asked for; to be closed, where not all of them are."""
    return connection.execution_options(stream_results=True, yield_per=_CHUNK).execute(query)
