"""Reading PDF objects: one way to look things up, references always followed.

The library's dictionaries inherit ``get`` from dict, which does *not* follow references: a check that used it
would silently look at a reference instead of the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyhanko.pdf_utils import generic


def lookup(dictionary: generic.DictionaryObject, key: str, default: object = None) -> Any:
    """The value of ``key`` with its reference followed; ``default`` where it is missing or null."""
    if key not in dictionary:
        return default
    value = dictionary[key]
    return default if isinstance(value, generic.NullObject) else value


def entries(array: generic.ArrayObject | None) -> Iterator[Any]:
    """The entries of an array as they stand, references not followed; none where there is no array."""
    if array is not None:
        for index in range(len(array)):
            yield array.raw_get(index)


def resolve(value: Any) -> Any:
    """The object itself, its reference followed."""
    return value.get_object()


def object_of(reader: Any, number: int) -> Any:
    """The object of a number, as ``reader`` sees it."""
    return reader.get_object(generic.Reference(number, 0, reader))
