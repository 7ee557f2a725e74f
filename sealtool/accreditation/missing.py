"""What an uncovered area lacks: what nearly covers it first, and always at least one reason."""

from __future__ import annotations

from collections.abc import Iterator

from sealtool.accreditation.assignment import Assignment
from sealtool.accreditation.counting import AREAS_IN, BIT, RANK, areas_of, reach_of
from sealtool.accreditation.findings import Finding, FindingCode
from sealtool.accreditation.leaving_out import (
    Dossier,
    hours_needed_for_more,
    only_excluded_competences,
    rule_in_words,
    too_short,
    why_grant_left_out,
)
from sealtool.accreditation.phrases import areas_in_words, hours_in_words, listed
from sealtool.accreditation.rules import Clause
from sealtool.model import Activity, ActivityId, Area, Level, Procedure

_IN_WORDS = {
    Procedure.TEST: "a test",
    Procedure.DEGREE: "a degree",
    Procedure.OBSERVATION: "observation",
    Procedure.EVIDENCE: "evidence",
    Procedure.EXTERNAL: "another administration",
}


def missing_reasons(area: Area, assignment: Assignment, dossier: Dossier) -> tuple[Finding, ...]:
    """Why an area is not covered, what comes closest first.

    Args:
        area: an area that is not covered.
        assignment: what the activities are used for on the last day.
        dossier: what the registry says of the person.
    """
    if not dossier.by_training:
        return (_nothing_granted(dossier), *_left_out_grants(area, dossier))
    near = (*_hours_used_up(area, assignment, dossier), *_too_short(area, dossier))
    far = () if near else (_no_indicator(area, dossier),)
    rest = (*_excluded_competences(area, dossier), *_left_out(area, dossier), *_left_out_grants(area, dossier))
    return (*near, *far, *rest, _may_be_granted(dossier))


def _hours_used_up(area: Area, assignment: Assignment, dossier: Dossier) -> Iterator[Finding]:
    for used in assignment.activities:
        if used.reach & BIT[area]:
            activity = dossier.activities[used.activity_id]
            serves = f"its {hours_in_words(activity.hours).removesuffix(' h')} hours serve"
            others = areas_in_words(AREAS_IN[used.used_for])
            yield Finding(
                FindingCode.HOURS_USED_UP,
                dossier.rules.clauses[Clause.HOURS],
                (used.activity_id,),
                f"{used.activity_id} covers it, but {serves} {others} ({hours_needed_for_more(activity, dossier)})",
            )


def _too_short(area: Area, dossier: Dossier) -> Iterator[Finding]:
    for counted in dossier.counted:
        if counted.reach[RANK[dossier.level]] & BIT[area]:
            activity = dossier.activities[counted.activity_id]
            if not dossier.rules.areas_allowed(dossier.level, activity.hours):
                clause = dossier.rules.clauses[Clause.HOURS]
                text = f"{activity.activity_id} covers it, but its {too_short(activity, dossier)}"
                yield Finding(FindingCode.TOO_SHORT, clause, (activity.activity_id,), text)


def _no_indicator(area: Area, dossier: Dossier) -> Finding:
    """No activity that counts has an indicator of the area at the level; those with a lower one are named."""
    clause = dossier.rules.clauses[Clause.INDICATORS_OF_LEVEL]
    text = f"no activity that counts has an indicator of it at {dossier.level} or higher"
    lower: dict[Level, list[ActivityId]] = {}
    for counted in dossier.counted:
        levels = [level for level in Level if counted.reach[RANK[level]] & BIT[area]]
        if levels:
            lower.setdefault(levels[-1], []).append(counted.activity_id)
    if not lower:
        return Finding(FindingCode.NOTHING_REACHES_AREA, clause, (), text)
    for level in sorted(lower, reverse=True):
        text += f"; {listed(lower[level])} {'has' if len(lower[level]) == 1 else 'have'} one at {level}"
    subjects = tuple(activity_id for level in sorted(lower, reverse=True) for activity_id in lower[level])
    return Finding(FindingCode.LOWER_LEVEL_ONLY, clause, subjects, text)


def _excluded_competences(area: Area, dossier: Dossier) -> Iterator[Finding]:
    """Activities that count, but whose only indicators of the area at the level are of excluded competences."""
    for activity_id, activity in dossier.activities.items():
        if activity_id in dossier.left_out_by or not _has_indicator(activity, area, dossier):
            continue
        if not reach_of(activity, dossier.rules)[RANK[dossier.level]] & BIT[area]:
            clause = dossier.rules.clauses[Clause.EXCLUDED_COMPETENCES]
            at_level = [each for each in activity.indicators if each.area == area and each.level >= dossier.level]
            text = f"{activity_id} has, at {dossier.level} or higher, {only_excluded_competences(at_level)}"
            yield Finding(FindingCode.EXCLUDED_COMPETENCES_ONLY, clause, (activity_id,), text)


def _left_out(area: Area, dossier: Dossier) -> Iterator[Finding]:
    """Activities that do not count at all, but have an indicator of the area at the level."""
    for activity_id, (clause, participation) in dossier.left_out_by.items():
        activity = dossier.activities[activity_id]
        if reach_of(activity, dossier.rules)[RANK[dossier.level]] & BIT[area]:
            why = rule_in_words(clause, participation, dossier.rules)
            yield Finding(
                FindingCode.INDICATOR_OF_LEFT_OUT_ACTIVITY,
                dossier.rules.clauses[clause],
                (activity_id,),
                f"{activity_id} has an indicator of it, but {why}",
            )


def _has_indicator(activity: Activity, area: Area, dossier: Dossier) -> bool:
    return any(each.area == area and each.level >= dossier.level for each in activity.indicators)


def _nothing_granted(dossier: Dossier) -> Finding:
    text = f"it was not granted at {dossier.level} by {_direct_procedures(dossier)}"
    return Finding(FindingCode.NOTHING_REACHES_AREA, dossier.rules.clauses[Clause.PROCEDURES], (), text)


def _may_be_granted(dossier: Dossier) -> Finding:
    """The other way to an area that training may give, too."""
    text = f"can also be had by {_direct_procedures(dossier)}"
    return Finding(FindingCode.MAY_BE_GRANTED, dossier.rules.clauses[Clause.PROCEDURES], (), text)


def _direct_procedures(dossier: Dossier) -> str:
    direct = dossier.rules.framework.direct_procedures[dossier.level]
    return listed([words for each, words in _IN_WORDS.items() if each in direct], "or")


def _left_out_grants(area: Area, dossier: Dossier) -> Iterator[Finding]:
    """Grants of the area that do not reach the level, or that the law does not know."""
    for grant in dossier.record.grants:
        finding = why_grant_left_out(grant, dossier) if areas_of(grant) & BIT[area] else None
        if finding is not None:
            yield finding
