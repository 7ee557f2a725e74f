"""Hostile exports, and what must hold whatever is in them. Used by the unit tests and the long search."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from sealtool.errors import RegistryError
from sealtool.model import Area, Framework, Level, Procedure, Registry
from sealtool.registry import RegistryOptions, read_registry

_TODAY = date(2026, 11, 22)
_FRAMEWORK = Framework(
    competences=dict.fromkeys(Area, 3),
    direct_procedures={Level.B1: frozenset({Procedure.TEST}), Level.C2: frozenset({Procedure.EVIDENCE})},
    levels_by_area=frozenset({Level.C2}),
)
_IDS = ("10000000Z", "10000001S", "20000000M", "20000001Y", "X1234567L", "00000001R")
_FILES = ("people.csv", "training.csv", "accreditations.csv")

Rows = list[list[str]]


def _participation(person: int, activity: int) -> list[str]:
    days = [f"2024-0{activity + 1}-01", f"2024-0{activity + 1}-20", f"2{person}/0{activity + 2}/2024"]
    facts = [f"ACT-{activity}", f'Taller "{activity}"', "course", f"{activity + 10},5", *days]
    return [_IDS[person], *facts, "participant", "organised", "2.1.B1.2 3.1.A2.1"]


# six persons; each activity is shared by two neighbours
SOUND: Mapping[str, Rows] = {
    "people.csv": [
        ["person_id", "given_name", "first_surname", "second_surname"],
        *([person_id, f"Núria {'ABCDEF'[n]}", "Pons", "Vila"] for n, person_id in enumerate(_IDS)),
    ],
    "training.csv": [
        [
            *("person_id", "activity_id", "title", "modality", "hours", "start_date", "end_date"),
            *("completed_on", "role", "origin", "indicators"),
        ],
        *(_participation(person, activity) for person in range(6) for activity in {person // 2, person // 2 + 3}),
    ],
    "accreditations.csv": [
        ["person_id", "level", "area", "procedure", "granted_on", "reference"],
        *([person_id, "B1", str(n + 1), "test", "2024-05-01", f"EXP-{n}"] for n, person_id in enumerate(_IDS)),
    ],
}


def as_csv(rows: Rows) -> bytes:
    """Rows as the bytes of a file."""
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def read(files: Mapping[str, bytes], options: RegistryOptions | None = None) -> Registry | None:
    """What the reader makes of some files; None where it refuses them. Anything else it raises is a bug."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        try:
            return read_registry(
                Path(folder), options or RegistryOptions(), _FRAMEWORK, today=_TODAY, previous_rows={"people.csv": 6}
            )
        except RegistryError as error:
            refusal = error
    assert refusal.advice
    assert all(mark.isprintable() or mark == "\n" for mark in refusal.message)
    return None


@cache
def read_sound() -> Registry:
    """The sound export, read."""
    registry = read({name: as_csv(rows) for name, rows in SOUND.items()})
    assert registry is not None
    return registry


def check_invariants(registry: Registry | None) -> None:
    """What holds of every registry that was read."""
    if registry is None:
        return
    assert not set(registry.held) & set(registry.records)
    assert list(registry.records) == sorted(registry.records)
    assert list(registry.held) == sorted(registry.held)
    places = [(problem.file, problem.line, problem.column) for problem in registry.problems]
    assert places == sorted(places)
    assert all(0 <= index < len(places) for indices in registry.held.values() for index in indices)
    for problem in (*registry.problems, *registry.warnings):
        assert problem.line >= 2
        assert len(json.dumps(asdict(problem))) < 6000
        assert all(mark.isprintable() for mark in problem.value + problem.message)


# --- hostile bytes ----------------------------------------------------------------------------

_TOKENS = st.sampled_from(
    [
        *(b'"', b'""', b";", b",", b"\t", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b" "),
        *(
            b"person_id",
            b"10000000Z",
            b"10000000",
            b"2024-02-30",
            b"1e9",
            b"-1",
            b"9" * 5000,
            b"\xe2\x80\xae",
            b"\xcc\x81",
        ),
        *(b"\xd9\xa1", b"\xe2\x82\xac", b"\x1b[2J", b"=1+1", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8"),
    ]
)
arbitrary_files = st.dictionaries(
    st.sampled_from([*_FILES, "SHA256SUMS"]),
    st.one_of(st.binary(max_size=200), st.lists(_TOKENS, max_size=30).map(b"".join)),
    max_size=4,
)
options = st.builds(RegistryOptions, encoding=st.sampled_from(["utf-8", "windows-1252"]))


@st.composite
def mutated_files(draw: st.DrawFn) -> dict[str, bytes]:
    """A sound export with a few wounds."""
    files = {name: as_csv(rows) for name, rows in SOUND.items()}
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(_FILES))
        files[name] = draw(_wound(files[name]))
    return files


@st.composite
def _wound(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, max(len(content) - 1, 0)))
    lines = content.splitlines(keepends=True)
    some_line = draw(st.integers(0, max(len(lines) - 1, 0)))
    match draw(st.sampled_from(["flip", "cut", "insert", "swap delimiters", "repeat line", "drop line", "move line"])):
        case "flip":
            wounded = content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]
        case "cut":
            wounded = content[:at] + content[at + draw(st.integers(1, 300)) :]
        case "insert":
            wounded = content[:at] + draw(_TOKENS) + content[at:]
        case "swap delimiters":
            count = draw(st.sampled_from([-1, 9]))
            wounded = content.replace(b";", draw(st.sampled_from([b",", b"\t", b"|", b"\n"])), count)
        case "repeat line":
            wounded = content + b"".join(lines[some_line : some_line + 1])
        case "drop line":
            wounded = b"".join(lines[:some_line] + lines[some_line + 1 :])
        case _:
            wounded = b"".join(lines[some_line:] + lines[:some_line])
    return wounded


# --- one broken row ---------------------------------------------------------------------------

_CELLS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters='"\r\n\0'), max_size=12),
    st.sampled_from(
        ["", "x", "10000000Z", "20000000", "X1234567A", "1R", "ACT-1", "ACT-4", "31,5", "2024-06-06", "7", "C2"]
    ),
)


@st.composite
def one_broken_row(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """A file of the sound export, one of its rows, and what became of that row."""
    name = draw(st.sampled_from(_FILES))
    row = draw(st.sampled_from(SOUND[name][1:]))
    at = draw(st.integers(0, len(row) - 1))
    if draw(st.integers(0, 5)) == 0:
        return name, row, [*row[:at], *row[at + 1 :]]
    return name, row, [*row[:at], draw(_CELLS), *row[at + 1 :]]


def check_that_others_are_untouched(name: str, row: list[str], broken: list[str]) -> None:
    """Breaking one row must not change the records of persons it has nothing to do with."""
    before = read_sound()
    after = read({file: as_csv([broken if r is row else r for r in rows]) for file, rows in SOUND.items()})
    if after is None:  # more rows than allowed were lost: a blank row is no row
        assert name == "people.csv"
        return
    check_invariants(after)
    for person_id, record in before.records.items():
        if not _related(person_id, name, row, broken):
            assert after.records[person_id] == record


def _related(person_id: str, name: str, row: list[str], broken: list[str]) -> bool:
    named = {_number(row[0]), *map(_number, broken)}
    activities = {row[1], broken[1].strip() if len(broken) == len(row) else ""} if name == "training.csv" else set()
    own = {cells[1] for cells in SOUND["training.csv"] if cells[0] == person_id}
    return _number(person_id) in named or bool(own & activities)


def _number(text: str) -> str:
    marks = (str(unicodedata.digit(mark, "")) for mark in unicodedata.normalize("NFKC", text))
    return "".join(marks).lstrip("0")
