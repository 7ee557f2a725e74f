"""Why a person has, or lacks, a level: made from the same coverage that decides."""

from __future__ import annotations

from collections.abc import Iterable

from sealtool.accreditation.assessing import conclude
from sealtool.accreditation.counting import RANK, counted_activities, is_lawful
from sealtool.accreditation.coverage import Coverage, cover_areas
from sealtool.accreditation.findings import AreaExplanation, Finding, FindingCode, LevelExplanation
from sealtool.accreditation.leaving_out import Dossier, left_out_activities, left_out_grants
from sealtool.accreditation.missing import missing_reasons
from sealtool.accreditation.phrases import grant_in_words, grant_name, hours_in_words, titled
from sealtool.accreditation.rules import Clause, Rules
from sealtool.model import ActivityId, Area, CoveredArea, DirectGrant, Language, Level, PersonRecord


def explain(record: PersonRecord, rules: Rules, level: Level) -> LevelExplanation:
    """Explain one level: area by area, what covers it since when, or what is missing; and what was left out.

    Complete: each activity and each grant of the record is named as evidence, as left out or as not needed.
    """
    counted = counted_activities(record.participations, rules)
    coverage = cover_areas(level, counted, record.grants, rules)
    assessment = conclude(record, rules, level, coverage)
    dossier = Dossier.of(record, counted, rules, level)
    covered = {area.area: area for area in assessment.areas}
    by_area = level in rules.framework.levels_by_area
    obtained = bool(assessment.decisions) and not by_area
    return LevelExplanation(
        level=level,
        assessment=assessment,
        by_area=by_area,
        clause=rules.clauses[Clause.DATE_OF_LAST_AREA if obtained else Clause.SIX_AREAS],
        accredited_on=assessment.decisions[0].accredited_on if obtained else None,
        areas=tuple(_area(area, covered.get(area), coverage, dossier) for area in Area),
        left_out=(*left_out_activities(dossier), *left_out_grants(dossier)),
        not_needed=(*_activities_not_needed(coverage, dossier), *_grants_not_needed(coverage, dossier)),
        rules_version=rules.version,
        rules_title=rules.title,
    )


def _area(area: Area, covered: CoveredArea | None, coverage: Coverage, dossier: Dossier) -> AreaExplanation:
    title = dossier.rules.area_titles[Language.CATALAN][area]
    if covered is None:
        return AreaExplanation(area, title, None, "", missing_reasons(area, coverage.assignment, dossier))
    return AreaExplanation(area, title, covered, _how_covered(covered, coverage, dossier), ())


def _how_covered(covered: CoveredArea, coverage: Coverage, dossier: Dossier) -> str:
    """``since 2024-03-01: training, ACT-1 "Title" (30 h)``, and what changed since."""
    story = coverage.stories[covered.area]
    text = f"since {covered.covered_on}: "
    if story.first_held_by is None:
        return text + (grant_in_words(story.grant) if story.grant is not None else covered.procedure.value)
    text += f"training, {_activity(story.first_held_by, dossier)}"
    held_by = story.last_held_by or coverage.assignment.holder[covered.area].activity_id
    if held_by != story.first_held_by:
        # Re-assignment: the date stays, the activity does not (Annex 3, 4, taken over all the activities).
        text += f"; resting on {_activity(held_by, dossier)} since, so that another area could be covered"
    if story.grant is not None:
        text += f"; also granted by {grant_in_words(story.grant)}, so it needs no activity from that day on"
    return text


def _activity(activity_id: ActivityId, dossier: Dossier) -> str:
    activity = dossier.activities[activity_id]
    return f"{titled(activity)} ({hours_in_words(activity.hours)})"


def _activities_not_needed(coverage: Coverage, dossier: Dossier) -> Iterable[Finding]:
    """Activities that would count for some area, but which no area rests on, and roles certified twice."""
    evidence = {reference for area in coverage.covered_areas() for reference in area.evidence}
    rank = RANK[dossier.level]
    for counted in dossier.counted:
        if not (counted.reach[rank] and dossier.rules.areas_allowed(dossier.level, counted.hours)):
            continue
        activity = dossier.activities[counted.activity_id]
        if counted.activity_id not in evidence:
            late = coverage.is_complete and coverage.until is not None and counted.day > coverage.until
            why = f"completed on {counted.day}, after the level was obtained" if late else "no area rests on it"
            yield Finding(FindingCode.NOT_NEEDED, "", (counted.activity_id,), f"{titled(activity)}: {why}")
        times = dossier.times_certified[counted.activity_id]
        if times > 1:
            yield Finding(
                FindingCode.COUNTED_ONCE,
                dossier.rules.clauses[Clause.COUNTED_ROLES],
                (counted.activity_id,),
                f"{titled(activity)}: certified {times} times, counted once, since {counted.day}",
            )


def _grants_not_needed(coverage: Coverage, dossier: Dossier) -> Iterable[Finding]:
    """Grants that reach the level, but of which no area makes use."""
    used = [story.grant for story in coverage.stories.values() if story.grant is not None]
    for grant in dossier.record.grants:
        if grant.level < dossier.level or grant in used or not is_lawful(grant, dossier.rules):
            continue
        yield Finding(FindingCode.NOT_NEEDED, "", (grant_name(grant),), f"{grant_in_words(grant)}: {_why(grant)}")


def _why(grant: DirectGrant) -> str:
    what = "its area was" if grant.area is not None else "its areas were"
    return f"{what} granted before, or the level was obtained already"
