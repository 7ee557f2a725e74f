"""The published table of attacks is what the judges say today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.every import ATTACKS
from tests.attacks.judges import JUDGES, Word
from tests.attacks.table import OURS, Row, judged, recorded_versions, recorded_words
from tests.attacks.workshop import open_workshop

pytestmark = pytest.mark.interop

PAGE = (Path(__file__).parents[2] / "docs" / "attacks.md").read_text(encoding="utf-8")


def same_versions() -> list[str]:
    """The judges that are here in the version of the page; others may well say something else."""
    return [name for name, recorded in recorded_versions(PAGE).items() if JUDGES[name].version() == recorded]


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    place = tmp_path_factory.mktemp("attacks")
    return judged(open_workshop(place), place, same_versions())


def test_the_table_lists_every_attack() -> None:
    assert sorted(recorded_words(PAGE)) == sorted(attack.name for attack in ATTACKS)


def test_the_table_names_every_judge() -> None:
    assert list(recorded_versions(PAGE)) == list(JUDGES)


def test_the_judges_say_what_the_table_says(rows: list[Row]) -> None:
    recorded = recorded_words(PAGE)
    differing = {
        (row.name, name): (recorded[row.name][name], word)
        for row in rows
        if row.group is not None
        for name, word in row.words.items()
        if recorded[row.name][name] != word
    }
    assert differing == {}, "run: make attacks"


def test_nothing_but_the_untampered_files_is_good_here(rows: list[Row]) -> None:
    assert OURS in rows[0].words
    assert {row.group is None for row in rows if row.words[OURS] == Word.GOOD} == {True}
    assert all(row.words[OURS] == Word.GOOD for row in rows if row.group is None)
