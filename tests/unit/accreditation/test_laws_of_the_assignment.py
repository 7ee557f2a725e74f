"""Laws that hold for every record, and the whole decision against an independent brute force.

The brute force shares nothing with the code under test but the words of the model: it has its own table of
hours and asks Hall's condition of every set of areas, day by day.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealtool.accreditation import assess, assess_levels, decide, explain, load_rules, render_text
from sealtool.model import (
    Activity,
    ActivityId,
    Area,
    Assessment,
    DirectGrant,
    Indicator,
    Level,
    Modality,
    Origin,
    Participation,
    Person,
    PersonId,
    PersonRecord,
    Role,
)

RULES = load_rules("2025-10-27", on=date(2025, 12, 1))
SOMEBODY = Person(PersonId("00000000T"), "Aina", "Vidal")
FIRST_DAY = date(2024, 3, 1)
FIRST_START = date(2023, 9, 10)

bounded = settings(suppress_health_check=[HealthCheck.too_slow])

# --- the brute force ----------------------------------------------------------------------------------------

HOURS = {
    "A1": (7, 14, 20, 27, 34, 40),
    "A2": (9, 17, 25, 34, 42, 50),
    "B1": (10, 20, 30, 40, 50, 60),
    "B2": (12, 24, 35, 47, 59, 70),
}
FLOORS = {"organised": date(2023, 9, 1), "homologated": date(2023, 10, 1), "recognised": date(2020, 9, 1)}
PROCEDURES = ("training", "test", "degree", "observation", "evidence", "external")

Usable = list[tuple[date, frozenset[int], int]]


def usable_activities(record: PersonRecord, level: str) -> Usable:
    """Day, areas and room of every activity that counts for the level."""
    found = {}
    for each in record.participations:
        activity = each.activity
        if activity.modality.value in ("congress", "conference_day", "one_off"):
            continue
        if activity.start_date < FLOORS[activity.origin.value]:
            continue
        areas = frozenset(
            int(i.area)
            for i in activity.indicators
            if str(i.level.value) >= level and not (i.area == 1 and i.competence in (3, 4))
        )
        room = sum(1 for hours in HOURS.get(level, ()) if activity.hours >= hours)
        day = min(p.completed_on for p in record.participations if p.activity.activity_id == activity.activity_id)
        found[activity.activity_id] = (day, areas, room)
    return list(found.values())


def hall(areas: set[int], activities: Usable) -> bool:
    """Whether every set of areas finds room enough in the activities that work any of them."""
    return all(
        sum(room for _, works, room in activities if works & set(subset)) >= size
        for size in range(1, len(areas) + 1)
        for subset in combinations(sorted(areas), size)
    )


def brute_force(record: PersonRecord, level: str) -> dict[int, tuple[date, str]]:
    """Day and procedure of each area, going through the days as the law is read; stops at the sixth."""
    activities = usable_activities(record, level)
    grants = [
        (each.granted_on, each.level.value, PROCEDURES.index(each.procedure.value), area)
        for each in record.grants
        if each.level.value >= level
        for area in ([int(each.area)] if each.area else range(1, 7))
    ]
    covered: dict[int, tuple[date, str]] = {}
    for day in sorted({day for day, *_ in activities} | {day for day, *_ in grants}):
        direct = {area for granted_on, *_, area in grants if granted_on <= day}
        for area in direct - set(covered):
            _, _, procedure, _ = min(grant for grant in grants if grant[-1] == area)
            covered[area] = (day, PROCEDURES[procedure])
        so_far = [activity for activity in activities if activity[0] <= day]
        for area in range(1, 7):
            if area not in covered and hall((set(covered) | {area}) - direct, so_far):
                covered[area] = (day, "training")
        if len(covered) == 6:
            break
    return covered


# --- random records -----------------------------------------------------------------------------------------

days = st.integers(0, 5).map(lambda n: FIRST_DAY + timedelta(days=n))
starts = st.sampled_from([FIRST_START, date(2023, 8, 31), date(2023, 10, 1)])
levels = st.sampled_from([*Level, Level.A1, Level.A2, Level.B1, Level.B1, Level.B2])  # training is where it is hard
trained_levels = st.sampled_from([Level.A1, Level.A2, Level.B1, Level.B2])
hours = st.sampled_from([Decimal(n) for n in ("6.99", "7", "10", "12", "19.99", "20", "24", "30", "40", "70")])
modalities = st.sampled_from([*[Modality.COURSE] * 6, Modality.PROJECT, Modality.CONGRESS])
indicators = st.builds(
    Indicator,
    st.sampled_from(list(Area)),
    st.integers(1, 3),
    st.sampled_from(["B1", "B2", "A1", "C1"]).map(Level),
    st.just(1),
)
PROCEDURES_OF = {level: sorted(allowed) for level, allowed in RULES.framework.direct_procedures.items()}


@st.composite
def grants(draw: st.DrawFn) -> DirectGrant:
    level = draw(levels)
    areas = st.sampled_from(list(Area)) if level is Level.C2 else st.sampled_from([*Area, None])
    reference = draw(st.sampled_from(["", "R-1", "R-2"]))
    return DirectGrant(level, draw(areas), draw(st.sampled_from(PROCEDURES_OF[level])), draw(days), reference)


@st.composite
def records(draw: st.DrawFn, most_grants: int = 3) -> PersonRecord:
    participations = []
    for number in range(draw(st.integers(0, 7))):
        activity = Activity(
            ActivityId(f"ACT-{number}"),
            "Curs",
            draw(modalities),
            draw(hours),
            draw(starts),
            FIRST_DAY,
            draw(st.sampled_from(list(Origin))),
            draw(st.frozensets(indicators, max_size=5)),
        )
        roles = draw(st.sampled_from([(Role.PARTICIPANT,), (Role.TRAINER,), (Role.PARTICIPANT, Role.TRAINER)]))
        participations += [Participation(activity, role, draw(days)) for role in roles]
    return PersonRecord(SOMEBODY, tuple(participations), tuple(draw(st.lists(grants(), max_size=most_grants))))


def dates_of(assessment: Assessment) -> dict[Area, date]:
    return {area.area: area.covered_on for area in assessment.areas}


# --- the laws -----------------------------------------------------------------------------------------------


@settings(bounded, max_examples=2 * settings().max_examples)
@given(records(), levels)
def test_every_area_has_the_day_and_the_procedure_of_the_brute_force(record: PersonRecord, level: Level) -> None:
    assessment = assess(record, RULES, level)

    found = {int(area.area): (area.covered_on, area.procedure.value) for area in assessment.areas}
    assert found == brute_force(record, level.value)
    if level is not Level.C2:
        assert bool(assessment.decisions) == (len(found) == 6)
        assert all(each.accredited_on == max(day for day, _ in found.values()) for each in assessment.decisions)


@bounded
@given(records(most_grants=1), trained_levels)
def test_the_activities_named_as_evidence_are_a_lawful_assignment(record: PersonRecord, level: Level) -> None:
    activities = {each.activity.activity_id: each.activity for each in record.participations}
    used: dict[str, set[Area]] = {}
    for area in assess(record, RULES, level).areas:
        held_by_grant = any(
            each.level >= level and each.area in (None, area.area) and each.granted_on <= last_day(record, level)
            for each in record.grants
        )
        if not held_by_grant:
            (activity_id,) = area.evidence
            used.setdefault(activity_id, set()).add(area.area)
    for activity_id, areas in used.items():
        works = {i.area for i in activities[ActivityId(activity_id)].indicators if i.level >= level}
        assert areas <= works
        assert activities[ActivityId(activity_id)].hours >= HOURS[level.value][len(areas) - 1]


def last_day(record: PersonRecord, level: Level) -> date:
    """The day of the evidence: that of the accreditation, or the last of the record."""
    decisions = assess(record, RULES, level).decisions
    return decisions[0].accredited_on if decisions else date.max


@bounded
@given(records(), levels, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(record: PersonRecord, level: Level, random) -> None:  # noqa: ANN001
    rows, given_rows = list(record.participations), list(record.grants)
    random.shuffle(rows)
    random.shuffle(given_rows)

    shuffled = PersonRecord(SOMEBODY, tuple(rows), tuple(given_rows))

    assert assess(shuffled, RULES, level) == assess(record, RULES, level)


@bounded
@given(records(), levels, st.data())
def test_one_more_participation_never_loses_an_area_nor_makes_a_day_later(
    record: PersonRecord, level: Level, data: st.DataObject
) -> None:
    if not record.participations:
        return
    dropped = data.draw(st.integers(0, len(record.participations) - 1))
    rows = record.participations
    fewer = PersonRecord(SOMEBODY, rows[:dropped] + rows[dropped + 1 :], record.grants)

    before, after = dates_of(assess(fewer, RULES, level)), dates_of(assess(record, RULES, level))

    assert all(area in after and after[area] <= day for area, day in before.items())


@bounded
@given(records(), levels, grants())
def test_one_more_grant_never_loses_an_area_nor_makes_a_day_later(
    record: PersonRecord, level: Level, grant: DirectGrant
) -> None:
    more = PersonRecord(SOMEBODY, record.participations, (*record.grants, grant))

    before, after = dates_of(assess(record, RULES, level)), dates_of(assess(more, RULES, level))

    assert all(area in after and after[area] <= day for area, day in before.items())


@bounded
@given(records(), trained_levels)
def test_what_is_added_after_the_day_of_accreditation_changes_no_decision(record: PersonRecord, level: Level) -> None:
    decisions = assess(record, RULES, level).decisions
    for decision in decisions:
        until = decision.accredited_on
        known_then = PersonRecord(
            SOMEBODY,
            tuple(each for each in record.participations if each.completed_on <= until),
            tuple(each for each in record.grants if each.granted_on <= until),
        )
        assert assess(known_then, RULES, level).decisions == decisions


@bounded
@given(records())
def test_a_level_is_never_obtained_later_than_a_higher_one(record: PersonRecord) -> None:
    days_obtained = [
        decision.accredited_on for decision in decide(record, RULES, (Level.A1, Level.A2, Level.B1, Level.B2, Level.C1))
    ]
    obtained = [decision.level for decision in decide(record, RULES, list(Level)[:5])]

    assert days_obtained == sorted(days_obtained)
    assert obtained == list(Level)[: len(obtained)]


@bounded
@given(records(), levels)
def test_an_explanation_gives_each_missing_area_a_reason_and_leaves_nothing_unsaid(
    record: PersonRecord, level: Level
) -> None:
    explanation = explain(record, RULES, level)

    assert explanation.assessment == assess(record, RULES, level)
    for area in explanation.areas:
        assert bool(area.missing) == (area.covered is None)
        assert bool(area.text) == (area.covered is not None)
    named = {subject for each in (*explanation.left_out, *explanation.not_needed) for subject in each.subjects}
    named |= {evidence for area in explanation.assessment.areas for evidence in area.evidence}
    named |= {activity_id for area in explanation.areas for activity_id in named_in(area.text, record)}
    assert {each.activity.activity_id for each in record.participations} <= named
    assert "None" not in render_text(explanation)


def named_in(text: str, record: PersonRecord) -> set[str]:
    return {each.activity.activity_id for each in record.participations if each.activity.activity_id in text}


@bounded
@given(records())
def test_all_levels_together_are_assessed_as_each_alone(record: PersonRecord) -> None:
    together = assess_levels(record, RULES, Level)

    assert together == tuple(assess(record, RULES, level) for level in Level)
    assert decide(record, RULES, Level) == tuple(each for assessment in together for each in assessment.decisions)
