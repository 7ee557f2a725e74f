"""What the certificates of some time look like in numbers: the charts of ``sealtool report``, and their JSON.

A report is made of counts alone, so that nobody can be named in it. For one that everybody may see, counts are rounded:
a count of one can be somebody, and so can the difference of two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sealtool.ledger import CertificateState, RunSummary, Statistics
from sealtool.model import Problem
from sealtool.reporting.charts import Bar, Chart, charts_of
from sealtool.reporting.kinds import kind_of

SCHEMA: Final = "sealtool.report/1"
STEP: Final = 5
"""Counts that everybody may see are multiples of this."""
ENOUGH: Final = 20
"""Of fewer certificates nobody but the office is told how long they took: a quarter point is somebody's own."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Days from the accreditation to the certificate: the quarter points of so many certificates."""

    certificates: int
    lower: int
    median: int
    upper: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A kind of problem in one column of the export; ``column`` is empty where the whole row is meant."""

    file: str
    column: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class LastRun:
    """What the newest run for everybody left to humans.

    Attributes:
        command: what it was asked for (``issue A1 B1``).
        day: when it began, ISO 8601.
        changed: certificates that the registry contradicted.
        lost: certificates that it no longer supported.
        failed: certificates that could not be made.
    """

    command: str
    day: str
    held: int
    problems: int
    changed: int
    lost: int
    failed: int


@dataclass(frozen=True, slots=True)
class Export:
    """What an export of the registry holds people by."""

    held: int
    problems: int
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """A report.

    Attributes:
        made_at: when, aware.
        since, until: the days of issue it is about, both included; None for without end.
        issued: all certificates of that time; they are now ``in_force``, ``superseded`` or ``revoked``.
        people: who holds one of them that is in force.
        charts: in the order of the page.
        waiting: None where too few were issued to tell.
        export: None where none was read.
        last_run: None before the first.
        runs: how many there were, by how they ended.
        step: every count is a multiple of it; 1 where counts are exact.
    """

    made_at: datetime
    since: date | None
    until: date | None
    issued: int
    in_force: int
    superseded: int
    revoked: int
    people: int
    charts: tuple[Chart, ...]
    waiting: Waiting | None
    export: Export | None
    last_run: LastRun | None
    runs: Mapping[str, int]
    step: int = 1

    @property
    def held(self) -> int | None:
        """How many people are held, by the export or else by the last run; None where nobody knows."""
        told_by = self.export or self.last_run
        return None if told_by is None else told_by.held

    def for_everybody(self) -> Figures:
        """The same with nothing in it that could be one person: every count by itself is rounded to the nearest step.

        Sums are rounded as they are, and not made of rounded parts: nothing can be found out by subtraction.
        """
        return replace(
            self,
            issued=_rounded(self.issued),
            in_force=_rounded(self.in_force),
            superseded=_rounded(self.superseded),
            revoked=_rounded(self.revoked),
            people=_rounded(self.people),
            charts=tuple(map(_rounded_chart, self.charts)),
            waiting=self.waiting if self.waiting and self.waiting.certificates >= ENOUGH else None,
            export=self.export and _rounded_export(self.export),
            last_run=self.last_run and _rounded_run(self.last_run),
            step=STEP,
        )

    def as_json(self) -> dict[str, Any]:
        """The document of ``report --json``."""
        return {
            "schema": SCHEMA,
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "rounded_to": self.step,
            "issued": self.issued,
            "in_force": self.in_force,
            "superseded": self.superseded,
            "revoked": self.revoked,
            "people": self.people,
            "charts": {chart.key: [_bar_as_json(chart, bar) for bar in chart.bars] for chart in self.charts},
            "days_to_certificate": _waiting_as_json(self.waiting),
            "held": self.held,
            "export": _export_as_json(self.export),
            "last_run": self.last_run and asdict(self.last_run),
            "runs": dict(self.runs),
        }


def figures(  # noqa: PLR0913 - what a report is made of
    statistics: Statistics,
    *,
    made_at: datetime,
    since: date | None = None,
    until: date | None = None,
    export: Export | None = None,
    last_run: LastRun | None = None,
) -> Figures:
    """The report of what the ledger counted."""
    states: Counter[str] = Counter()
    for (_, state), count in statistics.by_level.items():
        states[state] += count
    return Figures(
        made_at=made_at,
        since=since,
        until=until,
        issued=states.total(),
        in_force=states[CertificateState.ISSUED],
        superseded=states[CertificateState.SUPERSEDED],
        revoked=states[CertificateState.REVOKED],
        people=statistics.people,
        charts=charts_of(statistics),
        waiting=_waiting(statistics.days_to_certificate),
        export=export,
        last_run=last_run,
        runs=dict(sorted(statistics.runs.items())),
    )


def last_run(run: RunSummary | None) -> LastRun | None:
    """What a run left to humans."""
    if run is None:
        return None
    told = {name: int(run.counts.get(name, 0)) for name in ("held", "problems", "changed", "lost", "failed")}
    return LastRun(run.command, run.started_at.date().isoformat(), **told)


def export_of(held: int, problems: Sequence[Problem]) -> Export:
    """What an export holds people by: where, and how often. What the cells say stays out: it is personal data."""
    found = Counter((one.file, one.column, kind_of(one)) for one in problems)
    most_first = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return Export(held, len(problems), tuple(Trouble(*place, count) for place, count in most_first))


def _waiting(days: Counter[int]) -> Waiting | None:
    if not days:
        return None
    lower, median, upper = (_quantile(days, quarters) for quarters in (1, 2, 3))
    return Waiting(days.total(), lower, median, upper)


def _quantile(days: Counter[int], quarters: int) -> int:
    """The least number of days within which that many quarters of all had their certificate."""
    enough, seen = days.total() * quarters, 0
    for each in sorted(days):
        seen += 4 * days[each]
        if seen >= enough:
            return each
    raise AssertionError("the last day is within all quarters")


# --- for everybody --------------------------------------------------------------------------------


def _rounded(count: int) -> int:
    """The nearest multiple of the step."""
    return STEP * ((count + STEP // 2) // STEP)


def _rounded_bar(bar: Bar) -> Bar:
    return replace(bar, count=_rounded(bar.count), parts=tuple(map(_rounded, bar.parts)))


def _rounded_chart(chart: Chart) -> Chart:
    return replace(chart, bars=tuple(map(_rounded_bar, chart.bars)), years=tuple(map(_rounded_bar, chart.years)))


def _rounded_export(export: Export) -> Export:
    troubles = tuple(replace(one, count=_rounded(one.count)) for one in export.troubles)
    return Export(_rounded(export.held), _rounded(export.problems), tuple(one for one in troubles if one.count))


def _rounded_run(run: LastRun) -> LastRun:
    return replace(
        run,
        held=_rounded(run.held),
        problems=_rounded(run.problems),
        changed=_rounded(run.changed),
        lost=_rounded(run.lost),
        failed=_rounded(run.failed),
    )


# --- JSON -----------------------------------------------------------------------------------------


def _bar_as_json(chart: Chart, bar: Bar) -> dict[str, Any]:
    parts = dict(zip(map(str, chart.parts), bar.parts, strict=True))
    return {"key": str(bar.key), "count": bar.count, **({"parts": parts} if parts else {})}


def _waiting_as_json(waiting: Waiting | None) -> dict[str, int] | None:
    if waiting is None:
        return None
    return {"lower_quartile": waiting.lower, "median": waiting.median, "upper_quartile": waiting.upper}


def _export_as_json(export: Export | None) -> dict[str, Any] | None:
    if export is None:
        return None
    return {"held": export.held, "problems": export.problems, "kinds": list(map(asdict, export.troubles))}
