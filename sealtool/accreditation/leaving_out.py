"""Which activities and grants no area of a level can rest on, and by which rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sealtool.accreditation.counting import RANK, CountedActivity, is_lawful, left_out_by, reach_of
from sealtool.accreditation.findings import Finding, FindingCode
from sealtool.accreditation.phrases import (
    grant_in_words,
    grant_name,
    hours_in_words,
    listed,
    number_of_areas,
    titled,
)
from sealtool.accreditation.rules import Clause, Rules
from sealtool.model import Activity, ActivityId, DirectGrant, Indicator, Level, Participation, PersonRecord

_CODE_OF_CLAUSE: Mapping[Clause, FindingCode] = {
    Clause.ONE_OFF_EVENTS: FindingCode.ONE_OFF_EVENT,
    Clause.ORIGIN_ORGANISED: FindingCode.BEFORE_FLOOR,
    Clause.ORIGIN_HOMOLOGATED: FindingCode.BEFORE_FLOOR,
    Clause.ORIGIN_RECOGNISED: FindingCode.BEFORE_FLOOR,
    Clause.COUNTED_ROLES: FindingCode.ROLE_NOT_COUNTED,
}


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that an explanation of one person at one level looks at.

    Attributes:
        counted: the activities that count and have a counting indicator, by day and id.
        activities: every activity of the person, by id, in order of day and id.
        times_certified: how many counting participations the person holds in each.
        left_out_by: the activities that do not count at all, with the clause and one participation.
    """

    record: PersonRecord
    rules: Rules
    level: Level
    counted: tuple[CountedActivity, ...]
    activities: Mapping[ActivityId, Activity]
    times_certified: Mapping[ActivityId, int]
    left_out_by: Mapping[ActivityId, tuple[Clause, Participation]]

    @classmethod
    def of(cls, record: PersonRecord, counted: Iterable[CountedActivity], rules: Rules, level: Level) -> Dossier:
        """Gather it from a record."""
        in_order = sorted(record.participations, key=lambda each: (each.completed_on, each.activity.activity_id))
        times: Counter[ActivityId] = Counter()
        out: dict[ActivityId, tuple[Clause, Participation]] = {}
        for participation in in_order:
            clause = left_out_by(participation, rules)
            if clause is None:
                times[participation.activity.activity_id] += 1
            else:
                out.setdefault(participation.activity.activity_id, (clause, participation))
        return cls(
            record=record,
            rules=rules,
            level=level,
            counted=tuple(counted),
            activities={each.activity.activity_id: each.activity for each in in_order},
            times_certified=times,
            # One role that counts is enough: the activity is not left out for another.
            left_out_by={activity_id: why for activity_id, why in out.items() if activity_id not in times},
        )

    @property
    def by_training(self) -> bool:
        """Whether training can give the level at all."""
        return self.level in self.rules.hours


def left_out_activities(dossier: Dossier) -> Iterator[Finding]:
    """Each activity no area of the level can rest on, with the first rule that keeps it out."""
    if not dossier.by_training:
        if dossier.activities:
            yield Finding(
                FindingCode.TRAINING_CANNOT_GIVE_LEVEL,
                dossier.rules.clauses[Clause.TRAINING_LEVELS],
                tuple(dossier.activities),
                f"every activity: training gives {listed(dossier.rules.training_levels)} only",
            )
        return
    for activity in dossier.activities.values():
        finding = _why_left_out(activity, dossier)
        if finding is not None:
            yield finding


def rule_in_words(clause: Clause, participation: Participation, rules: Rules) -> str:
    """Why a participation does not count at all."""
    activity = participation.activity
    if clause is Clause.ONE_OFF_EVENTS:
        return f"it is a {activity.modality.value.replace('_', ' ')}; one-off events do not count"
    if clause is Clause.COUNTED_ROLES:
        return f"the role {participation.role.value} does not count"
    return (
        f"it started on {activity.start_date}; {activity.origin.value} activities count "
        f"from {rules.origin_floors[activity.origin]}"
    )


def only_excluded_competences(indicators: Iterable[Indicator]) -> str:
    """``only indicators of competences 1.3 and 1.4, which never count``: of indicators that are all excluded."""
    competences = sorted({(each.area, each.competence) for each in indicators})
    codes = [f"{int(area)}.{number}" for area, number in competences]
    noun = "competence" if len(codes) == 1 else "competences"
    return f"only indicators of {noun} {listed(codes)}, which never count"


def too_short(activity: Activity, dossier: Dossier) -> str:
    """``9 h serve no area at B1 (10 h would serve 1)``."""
    shortest = hours_in_words(dossier.rules.hours[dossier.level][0])
    return f"{hours_in_words(activity.hours)} serve no area at {dossier.level} ({shortest} would serve 1)"


def hours_needed_for_more(activity: Activity, dossier: Dossier) -> str:
    """``20 h serve 2 areas at B1; 30 h would serve 3``."""
    allowed = dossier.rules.areas_allowed(dossier.level, activity.hours)
    more = hours_in_words(dossier.rules.hours[dossier.level][allowed])
    served = f"{hours_in_words(activity.hours)} serve {number_of_areas(allowed)} at {dossier.level}"
    return f"{served}; {more} would serve {allowed + 1}"


def _why_left_out(activity: Activity, dossier: Dossier) -> Finding | None:
    rules, level = dossier.rules, dossier.level

    def finding(code: FindingCode, clause: Clause, why: str) -> Finding:
        return Finding(code, rules.clauses[clause], (activity.activity_id,), f"{titled(activity)}: {why}")

    if activity.activity_id in dossier.left_out_by:
        clause, participation = dossier.left_out_by[activity.activity_id]
        return finding(_CODE_OF_CLAUSE[clause], clause, rule_in_words(clause, participation, rules))
    if not activity.indicators:
        why = "the registry gives it no indicators of the framework"
        return finding(FindingCode.NO_INDICATORS, Clause.INDICATORS_REGISTERED, why)
    reach = reach_of(activity, rules)
    if not reach[0]:
        why = f"it has {only_excluded_competences(activity.indicators)}"
        return finding(FindingCode.EXCLUDED_COMPETENCES_ONLY, Clause.EXCLUDED_COMPETENCES, why)
    if not reach[RANK[level]]:
        highest = [each for each in Level if reach[RANK[each]]][-1]
        why = f"its counting indicators go up to {highest} only"
        return finding(FindingCode.LOWER_LEVEL_ONLY, Clause.INDICATORS_OF_LEVEL, why)
    if not rules.areas_allowed(level, activity.hours):
        return finding(FindingCode.TOO_SHORT, Clause.HOURS, too_short(activity, dossier))
    return None


def left_out_grants(dossier: Dossier) -> Iterator[Finding]:
    """Grants below the level, and any the law does not know."""
    for grant in dossier.record.grants:
        finding = why_grant_left_out(grant, dossier)
        if finding is not None:
            yield finding


def why_grant_left_out(grant: DirectGrant, dossier: Dossier) -> Finding | None:
    """Why a grant does not count for the level, or None where it does."""
    name, subjects = grant_in_words(grant), (grant_name(grant),)
    clauses = dossier.rules.clauses
    if grant.area is None and grant.level in dossier.rules.framework.levels_by_area:
        why = f"{name}: a grant at {grant.level} must name its area, so it counts for nothing"
        return Finding(FindingCode.GRANT_NOT_LAWFUL, clauses[Clause.SIX_AREAS], subjects, why)
    if not is_lawful(grant, dossier.rules):
        why = f"{name}: {grant.level} cannot be granted by {grant.procedure.value}, so it counts for nothing"
        return Finding(FindingCode.GRANT_NOT_LAWFUL, clauses[Clause.PROCEDURES], subjects, why)
    if grant.level < dossier.level:
        why = f"{name}: it gives {grant.level}, below {dossier.level}"
        return Finding(FindingCode.GRANT_OF_LOWER_LEVEL, clauses[Clause.SIX_AREAS], subjects, why)
    return None
