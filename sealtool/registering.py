"""The register of accreditations as a file for portals and published lists (Annex 1, fifth, 4).

One line for each certificate that was ever issued, and for each level that somebody holds in part or in whole without
one. The file is written as the ledger is read, so its size is of no consequence.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import Any, Final

from sealtool.canonical import person_as_json
from sealtool.ledger import RegisterEntry
from sealtool.model import Area, PersonId
from sealtool.spreadsheets import BYTE_ORDER_MARK, as_text

SCHEMA: Final = "sealtool.register/1"
NO_CERTIFICATE: Final = "none"
"""In the place of a state: held, and no certificate was issued of it."""

STATES: Final = ("issued", "superseded", "revoked", NO_CERTIFICATE)

_NAMES: Final = ("given_name", "first_surname", "second_surname")
_COLUMNS: Final = (
    *("person_id", *_NAMES, "level", "area", "accredited_on", "procedures"),
    *(f"area_{int(area)}_{fact}" for area in Area for fact in ("on", "by")),
    *("certificate_id", "state", "issued_on", "replaces", "replaced_by", "files"),
)
_FIRST_OF_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")  # noqa: RUF001 - full width
"""Reversible: whatever begins with an apostrophe gets one more, too, so readers take exactly one away."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the register is written.

    Attributes:
        as_json: JSON of the schema ``sealtool.register/1``; otherwise CSV with semicolons.
        masked: for published lists: four digits of each DNI or NIE, no certificate, in the order of names.
        byte_order_mark: CSV begins with one, by which spreadsheets know UTF-8.
    """

    as_json: bool = False
    masked: bool = False
    byte_order_mark: bool = True

    def write(self, entries: Iterable[RegisterEntry]) -> Iterator[bytes]:
        """The register, piece by piece."""
        if self.masked:
            entries = map(_masked, entries)
        return self._json(entries) if self.as_json else self._csv(entries)

    def _csv(self, entries: Iterable[RegisterEntry]) -> Iterator[bytes]:
        header = _csv_line(_COLUMNS)
        yield BYTE_ORDER_MARK + header if self.byte_order_mark else header
        yield from self._in_order((entry, _csv_line(_cells(entry))) for entry in entries)

    def _json(self, entries: Iterable[RegisterEntry]) -> Iterator[bytes]:
        yield f'{{"schema": "{SCHEMA}", "entries": ['.encode()
        separator = b"\n"
        lines = ((entry, json.dumps(_as_json(entry), ensure_ascii=False).encode()) for entry in entries)
        for line in self._in_order(lines):
            yield separator + line
            separator = b",\n"
        yield b"\n]}\n"

    def _in_order(self, lines: Iterable[tuple[RegisterEntry, bytes]]) -> Iterator[bytes]:
        if not self.masked:
            return (line for _, line in lines)
        return _by_name(lines)


def is_earlier_export(beginning: bytes) -> bool:
    """Whether a file that begins so is a register that was written here, so that a newer one may take its place."""
    csv_beginning = _csv_line(_COLUMNS)
    json_beginning = f'{{"schema": "{SCHEMA}"'.encode()
    return beginning.removeprefix(BYTE_ORDER_MARK).startswith((csv_beginning, json_beginning))


def chosen(entries: Iterable[RegisterEntry], states: Iterable[str]) -> Iterator[RegisterEntry]:
    """The entries whose certificates are in one of the states."""
    wanted = set(states)
    return (entry for entry in entries if str(entry.state or NO_CERTIFICATE) in wanted)


def masked_id(person_id: PersonId) -> PersonId:
    """A DNI or NIE as published lists show it: ``***4567**``, of a NIE ``****4567*``.

    LOPDGDD, additional provision 7; the digits are those in the fourth to seventh place, as the Spanish data protection
    authority recommends, so that two lists never show different ones of the same person.
    """
    if person_id[:1] in {"X", "Y", "Z"}:
        return PersonId(f"****{person_id[4:8]}*")
    return PersonId(f"***{person_id[3:7]}**")


def _masked(entry: RegisterEntry) -> RegisterEntry:
    """Without the certificates: who knows what cannot be guessed may find the document, which has the id in full."""
    person_id = masked_id(entry.person_id)
    return replace(
        entry,
        person_id=person_id,
        person=None if entry.person is None else replace(entry.person, person_id=person_id),
        certificate_id=None,
        predecessor_id=None,
        successor_id=None,
        files=(),
    )


def _by_name(lines: Iterable[tuple[RegisterEntry, bytes]]) -> Iterator[bytes]:
    """In the order of names: in the order of DNIs, neighbours would give away the digits that are hidden.

    What waits to be put in order waits in a file without a name.
    """
    places: list[tuple[tuple[str, ...], int, int]] = []
    with TemporaryFile() as waiting:
        for entry, line in lines:
            places.append((_order(entry), waiting.tell(), len(line)))
            waiting.write(line)
        places.sort()
        for _, start, length in places:
            waiting.seek(start)
            yield waiting.read(length)


def _order(entry: RegisterEntry) -> tuple[str, ...]:
    named = {} if entry.person is None else person_as_json(entry.person)
    names = (named.get(part, "") for part in ("first_surname", "second_surname", "given_name"))
    return (*map(_letters, names), entry.level, str(entry.area or ""), entry.issued_on or "")


def _letters(name: str) -> str:
    """A name as a list of names puts it in order: À with A, and not behind Z."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(mark for mark in plain if not unicodedata.combining(mark))


def _cells(entry: RegisterEntry) -> list[str]:
    facts = _as_json(entry)
    areas = {one["area"]: one for one in facts["areas"]}
    row = {
        **{name: facts[name] for name in _COLUMNS if name in facts},
        "procedures": " ".join(facts["procedures"]),
        "files": " ".join(facts["files"]),
    }
    for area in Area:
        held = areas.get(int(area), {})
        row |= {f"area_{int(area)}_on": held.get("covered_on"), f"area_{int(area)}_by": held.get("procedure")}
    return ["" if row[name] is None else str(row[name]) for name in _COLUMNS]


def _as_json(entry: RegisterEntry) -> dict[str, Any]:
    named = dict.fromkeys(_NAMES, None) if entry.person is None else person_as_json(entry.person)
    return {
        **named,
        "person_id": entry.person_id,
        "level": entry.level,
        "area": entry.area,
        "accredited_on": entry.accredited_on,
        "procedures": list(entry.procedures),
        "areas": [dict(one) for one in entry.areas],
        "certificate_id": entry.certificate_id,
        "state": str(entry.state or NO_CERTIFICATE),
        "issued_on": entry.issued_on,
        "replaces": entry.predecessor_id,
        "replaced_by": entry.successor_id,
        "files": list(entry.files),
    }


def _csv_line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerow(as_text(cell, _FIRST_OF_FORMULA) for cell in cells)
    return text.getvalue().encode()
