"""The small export: written by hand in stories.toml, laid out here, nothing left to chance."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fiction.export import Export
from fiction.faults import PlantedFault

_STORIES = Path(__file__).with_name("stories.toml")


def write_stories(folder: Path) -> list[PlantedFault]:
    """Write the small export into the folder and tell which faults stand in it."""
    stories: Mapping[str, Any] = tomllib.loads(_STORIES.read_text(encoding="utf-8"))
    facts = _facts_by_activity(stories)
    faults = []
    with Export(folder, plain=True) as export:
        for person in stories["person"]:
            person_id: str = person["name"][0]
            export.people.write_row(person["name"])
            for activity_id, completed_on, role in person.get("training", ()):
                before, after = facts[activity_id]
                export.training.write_row([person_id, *before, completed_on, role, *after])
            for grant in person.get("grants", ()):
                export.accreditations.write_row([person_id, *grant])
            if "held_by" in person:
                # The fault is in the last row of training that the story names.
                file, column = person["held_by"]
                faults.append(PlantedFault("no_such_day", file, export.training.line, column, (person_id,)))
    return faults


def _facts_by_activity(stories: Mapping[str, Any]) -> dict[str, tuple[list[str], list[str]]]:
    """Activity id → the fields before and after those of the participation."""
    facts = {}
    for activity in stories["activity"]:
        modality, hours, start, end, origin, indicators = activity["facts"]
        before = [activity["id"], activity["title"], modality, hours, start, end]
        facts[activity["id"]] = (before, [origin, stories["indicators"][indicators]])
    return facts
