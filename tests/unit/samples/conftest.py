"""Both exports made anew, and a reader of exports that owes nothing to sealtool."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[3] / "samples"
SEPARATORS = {"people.csv": ";", "training.csv": ",", "accreditations.csv": "\t"}
COLUMNS = {
    "people.csv": ("person_id", "given_name", "first_surname", "second_surname"),
    "training.csv": (
        *("person_id", "activity_id", "title", "modality", "hours", "start_date", "end_date", "completed_on"),
        *("role", "origin", "indicators"),
    ),
    "accreditations.csv": ("person_id", "level", "area", "procedure", "granted_on", "reference"),
}


def generate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the generator as its users do."""
    command = [sys.executable, SAMPLES / "generate.py", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@dataclass(frozen=True)
class GeneratedExport:
    """A folder with an export, and the faults planted in it."""

    folder: Path
    faults: list[dict[str, Any]]

    def planted_lines(self, name: str) -> set[int]:
        return {fault["line"] for fault in self.faults if fault["file"] == name}

    def rows(self, name: str) -> Iterator[tuple[int, dict[str, str]]]:
        """Line and fields of every row by canonical column; no sample has a line break within a field."""
        with (self.folder / name).open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, delimiter=SEPARATORS[name])
            next(lines)
            for line, fields in enumerate(lines, start=2):
                if fields:
                    yield line, dict(zip(COLUMNS[name], fields, strict=False))

    def sound_rows(self, name: str) -> Iterator[dict[str, str]]:
        """The rows nobody planted a fault in."""
        planted = self.planted_lines(name)
        yield from (row for line, row in self.rows(name) if line not in planted)


@pytest.fixture(scope="session")
def remade(tmp_path_factory: pytest.TempPathFactory) -> GeneratedExport:
    """The big export as the committed seed makes it today."""
    folder = tmp_path_factory.mktemp("remade")
    run = generate("--out", folder / "registry", "--truth", folder / "truth.json")
    assert run.returncode == 0, run.stderr
    return GeneratedExport(folder / "registry", json.loads((folder / "truth.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def remade_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small export as it is made today."""
    folder = tmp_path_factory.mktemp("remade-small") / "registry-small"
    run = generate("--small", "--out", folder)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def run_generator() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the generator; unless told that it fails, it must not."""

    def run(*arguments: str | Path, fails: bool = False) -> subprocess.CompletedProcess[str]:
        finished = generate(*arguments)
        assert fails or finished.returncode == 0, finished.stderr
        return finished

    return run


@pytest.fixture(scope="session")
def complete_at_b1(remade: GeneratedExport) -> set[str]:
    """Who completes B1 in the big export, held people left out, counted in the plainest way.

    Whether somebody completes a level in the end does not depend on days: a matching of areas to hours decides.
    """
    slots: dict[str, dict[str, set[int]]] = defaultdict(dict)
    for row in remade.sound_rows("training.csv"):
        if row["modality"] in ("congress", "conference_day", "one_off") or started_too_early(row):
            continue
        areas = areas_from_b1(row["indicators"].split())
        for place in range(min(6, int(float(row["hours"].replace(",", "."))) // 10)):
            slots[canonical(row["person_id"])][f"{row['activity_id']}/{place}"] = areas
    granted: dict[str, set[int]] = defaultdict(set)
    for row in remade.sound_rows("accreditations.csv"):
        if row["level"] >= "B1":
            granted[canonical(row["person_id"])] |= {int(row["area"])} if row["area"] else set(range(1, 7))
    held = {person_id for fault in remade.faults for person_id in fault["holds"]}
    people = (slots.keys() | granted.keys()) - held
    return {person for person in people if can_serve(set(range(1, 7)) - granted[person], slots[person])}


def canonical(person_id: str) -> str:
    return person_id.upper().replace(".", "").replace("-", "").zfill(9)


def day(text: str) -> date:
    return date.fromisoformat("-".join(reversed(text.split("/"))) if "/" in text else text)


def started_too_early(row: dict[str, str]) -> bool:
    floor = {"organised": date(2023, 9, 1), "homologated": date(2023, 10, 1), "recognised": date(2020, 9, 1)}
    return day(row["start_date"]) < floor[row["origin"]]


def areas_from_b1(codes: Iterable[str]) -> set[int]:
    parts = [code.split(".") for code in codes]
    return {
        int(area)
        for area, number, level, _ in parts
        if level >= "B1" and (area, number) not in (("1", "3"), ("1", "4"))
    }


def can_serve(areas: set[int], slots: dict[str, set[int]]) -> bool:
    """Whether every area finds a place of its own (augmenting paths)."""
    taken: dict[str, int] = {}

    def seat(area: int, tried: set[str]) -> bool:
        for place in [place for place, possible in slots.items() if area in possible and place not in tried]:
            tried.add(place)
            if place not in taken or seat(taken[place], tried):
                taken[place] = area
                return True
        return False

    return all(seat(area, set()) for area in sorted(areas))
