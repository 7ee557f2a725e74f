from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

from sealtool.accreditation import FindingCode, assess, explain, load_rules, render_text
from sealtool.model import (
    Activity,
    ActivityId,
    Area,
    DirectGrant,
    Indicator,
    Level,
    Modality,
    Origin,
    Participation,
    Person,
    PersonId,
    PersonRecord,
    Procedure,
    Role,
)

RULES = load_rules("2025-10-27", on=date(2025, 12, 1))
ROOM = "(20 h serve 2 areas at B1; 30 h would serve 3)"
SOMEBODY = Person(PersonId("12345678Z"), "Llucia", "Ferrer", "Bennàssar")


def activity(
    number: int, hours: str, areas: str, *, level: Level = Level.B1, title: str = "Aules", modality: str = "course"
) -> Activity:
    return Activity(
        ActivityId(f"ACT-{number}"),
        title,
        Modality(modality),
        Decimal(hours),
        date(2024, 1, 10),
        date(2024, 3, 1),
        Origin.ORGANISED,
        frozenset(Indicator(Area(int(area)), 1, level, 1) for area in areas),
    )


def record(*activities: Activity, grants: tuple[DirectGrant, ...] = ()) -> PersonRecord:
    participations = tuple(
        Participation(each, Role.PARTICIPANT, date(2024, 3, day)) for day, each in enumerate(activities, start=1)
    )
    return PersonRecord(SOMEBODY, participations, grants)


def text_of(of: PersonRecord, level: Level = Level.B1) -> str:
    return render_text(explain(of, RULES, level))


def test_the_text_of_a_level_that_is_missing_reads_as_one_tells_it() -> None:
    somebody = record(
        activity(17, "20", "234"),
        activity(9, "40", "5", level=Level.A2),
        activity(3, "60", "6", modality="congress"),
    )

    assert text_of(somebody).splitlines() == [
        "B1: not accredited; 2 of 6 areas are covered [Annex 1, fifth, 5]",
        '  area 2 (Continguts digitals): since 2024-03-01: training, ACT-17 "Aules" (20 h)',
        '  area 3 (Ensenyament i aprenentatge): since 2024-03-01: training, ACT-17 "Aules" (20 h)',
        "  area 1 (Compromís professional): missing",
        "    - no activity that counts has an indicator of it at B1 or higher [Annex 3, 5]",
        "  area 4 (Avaluació i retroacció): missing",
        f"    - ACT-17 covers it, but its 20 hours serve areas 2 and 3 {ROOM} [Annex 3, 4]",
        "  area 5 (Empoderament de l'alumnat): missing",
        "    - no activity that counts has an indicator of it at B1 or higher; ACT-9 has one at A2 [Annex 3, 5]",
        "  area 6 (Desenvolupament de la competència digital de l'alumnat): missing",
        "    - no activity that counts has an indicator of it at B1 or higher [Annex 3, 5]",
        "    - named in ACT-3: left out, as told below",
        "  what is missing can also be had by a test, observation or another administration [Annex 1, third]",
        "  left out:",
        '    - ACT-9 "Aules": its counting indicators go up to A2 only [Annex 3, 5]',
        '    - ACT-3 "Aules": it is a congress; one-off events do not count [Annex 3, 3]',
        "  rules: 2025-10-27, Resolution of 27 October 2025 on the accreditation of teachers' digital competence",
    ]


def test_somebody_without_any_record_is_told_so_once_for_all_areas() -> None:
    assert text_of(record()).splitlines()[1:3] == [
        "  all six areas: missing",
        "    - no activity that counts has an indicator of it at B1 or higher [Annex 3, 5]",
    ]


def test_a_held_area_says_which_grant_gave_it() -> None:
    grant = DirectGrant(Level.B2, Area(4), Procedure.OBSERVATION, date(2024, 5, 1), "OBS-7")

    line = "area 4 (Avaluació i retroacció): since 2024-05-01: observation OBS-7 of 2024-05-01 (B2, area 4)"
    assert line in text_of(record(grants=(grant,)))


def test_an_area_that_moved_to_another_activity_keeps_its_day_and_says_so() -> None:
    text = text_of(record(activity(1, "10", "12"), activity(2, "10", "1")))

    assert (
        'area 1 (Compromís professional): since 2024-03-01: training, ACT-1 "Aules" (10 h); '
        'resting on ACT-2 "Aules" (10 h) since, so that another area could be covered'
    ) in text


def test_a_grant_that_came_too_late_is_named_as_not_needed() -> None:
    grants = (
        DirectGrant(Level.B1, Area(1), Procedure.TEST, date(2024, 2, 1), "T-1"),
        DirectGrant(Level.B1, Area(1), Procedure.TEST, date(2024, 2, 2), "T-2"),
    )

    explanation = explain(record(grants=grants), RULES, Level.B1)

    (finding,) = explanation.not_needed
    assert finding.code is FindingCode.NOT_NEEDED
    assert finding.subjects == ("test T-2 of 2024-02-02",)


def test_a_grant_without_a_reference_is_named_by_procedure_and_day() -> None:
    grant = DirectGrant(Level.A1, None, Procedure.TEST, date(2024, 2, 1))

    assert "test of 2024-02-01 (A1, all areas): it gives A1, below B1" in text_of(record(grants=(grant,)))


def test_the_json_is_json_with_every_area_and_every_reason() -> None:
    explanation = explain(record(activity(17, "20", "234")), RULES, Level.B1)

    document = json.loads(json.dumps(explanation.to_json()))

    assert document["level"] == "B1"
    assert document["accredited"] is False
    assert document["accredited_on"] is None
    assert [area["area"] for area in document["areas"]] == [1, 2, 3, 4, 5, 6]
    assert document["areas"][1]["covered_on"] == "2024-03-01"
    assert document["areas"][1]["evidence"] == ["ACT-17"]
    assert document["areas"][3]["missing"] == [
        {
            "code": "hours_used_up",
            "clause": "Annex 3, 4",
            "subjects": ["ACT-17"],
            "text": f"ACT-17 covers it, but its 20 hours serve areas 2 and 3 {ROOM}",
        },
        {
            "code": "may_be_granted",
            "clause": "Annex 1, third",
            "subjects": [],
            "text": "can also be had by a test, observation or another administration",
        },
    ]
    assert document["rules_version"] == "2025-10-27"


def test_the_json_of_a_level_obtained_has_its_day() -> None:
    document = explain(record(activity(1, "60", "123456")), RULES, Level.B1).to_json()

    assert (document["accredited"], document["accredited_on"]) == (True, "2024-03-01")


def test_c2_has_a_day_for_each_area_and_none_of_its_own() -> None:
    grant = DirectGrant(Level.C2, Area(2), Procedure.EVIDENCE, date(2024, 5, 1), "E-1")

    document = explain(record(grants=(grant,)), RULES, Level.C2).to_json()

    assert (document["by_area"], document["accredited"], document["accredited_on"]) == (True, True, None)
    assert document["areas"][1]["covered_on"] == "2024-05-01"  # type: ignore[index]


def test_an_explanation_names_neither_the_person_nor_the_dni() -> None:
    explanation = explain(record(activity(1, "60", "123456")), RULES, Level.B1)

    for text in (render_text(explanation), json.dumps(explanation.to_json(), ensure_ascii=False)):
        assert not any(word in text for word in ("12345678Z", "Llucia", "Ferrer", "Bennàssar"))


def test_a_hostile_title_cannot_command_the_terminal() -> None:
    text = text_of(record(activity(1, "60", "123456", title="\x1b[2JCurs\nB1: accredited\u202e" + "x" * 80)))

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("\nB1") == 0
    assert "…" in text


def test_a_role_that_a_later_law_does_not_count_is_left_out_and_named() -> None:
    without_participants = replace(RULES, counted_roles=frozenset({Role.TRAINER}))
    somebody = record(activity(1, "60", "123456"))

    assert assess(somebody, without_participants, Level.B1).areas == ()
    text = render_text(explain(somebody, without_participants, Level.B1))
    assert "the role participant does not count [Annex 3, types of certified persons]" in text
