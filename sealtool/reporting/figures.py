"""What the certificates of some time look like in numbers: the charts of ``sealtool report``, and their JSON.

No number here is about fewer people than the registry's own keeper knows; for a page that is published, small ones are
left open, because a count of one can be somebody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sealtool.ledger import CertificateState, RunSummary, Statistics
from sealtool.model import Area, Level, Problem, Procedure

SCHEMA: Final = "sealtool.report/1"
SMALL: Final = 5
"""Counts below this are left open on a page that is published."""

PROCEDURES: Final[Mapping[str, str]] = {
    Procedure.TRAINING: "training",
    Procedure.TEST: "specific test",
    Procedure.DEGREE: "university degree",
    Procedure.OBSERVATION: "observation of performance",
    Procedure.EVIDENCE: "analysis of evidence",
    Procedure.EXTERNAL: "another administration",
}
AREAS: Final = (
    "Professional engagement",
    "Digital content",
    "Teaching and learning",
    "Assessment and feedback",
    "Empowering students",
    "Students' digital competence",
)
_WAITS: Final = ((7, "up to a week"), (31, "up to a month"), (92, "up to three months"), (183, "up to half a year"))
_LONGER: Final = "longer"
_STATES: Final = (CertificateState.ISSUED, CertificateState.SUPERSEDED, CertificateState.REVOKED)


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: a name, how many, and of what these are made, where the chart tells parts apart."""

    name: str
    count: int
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars that are compared with each other; ``parts`` are the names of their parts."""

    key: str
    title: str
    about: str
    label: str
    bars: tuple[Bar, ...]
    parts: tuple[str, ...] = ()

    @property
    def longest(self) -> int:
        """The count of the longest bar, 1 where there is none."""
        return max((bar.count for bar in self.bars), default=0) or 1


@dataclass(frozen=True, slots=True)
class Waiting:
    """Days from the accreditation to the certificate: the quarter points of all."""

    lower: int
    median: int
    upper: int


@dataclass(frozen=True, slots=True)
class OpenQuestions:
    """Who gets nothing, and why.

    Attributes:
        told_by: the run, or the export, that the numbers are of; empty where there was none.
        held: people held.
        counts: what else waits for somebody, by name.
        problems: by file and column, how many; empty where no export was read.
    """

    told_by: str = ""
    held: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Bar, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """A report: made of counts alone, so that no person can be in it.

    Attributes:
        made_at: when, aware.
        since, until: the days of issue it is about, both included; None for without end.
        issued: all certificates of that time.
        in_force: of these, those that are in force.
        charts: in the order of the page.
        waiting: None where nothing was issued.
        open_questions: who gets nothing, and why.
        runs: how many there were, by how they ended.
        published: small numbers are left open.
    """

    made_at: datetime
    since: date | None
    until: date | None
    issued: int
    in_force: int
    charts: tuple[Chart, ...]
    waiting: Waiting | None
    open_questions: OpenQuestions
    runs: Mapping[str, int]
    published: bool

    def shown(self, count: int) -> str:
        """A count as the report has it."""
        return f"under {SMALL}" if self._is_small(count) else f"{count:,}"

    def as_json(self) -> dict[str, Any]:
        """The document of ``report --json``; a count that is left open is null."""
        return {
            "schema": SCHEMA,
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "small_counts_open": self.published,
            "issued": self._told(self.issued),
            "in_force": self._told(self.in_force),
            "charts": {chart.key: [self._bar(chart, bar) for bar in chart.bars] for chart in self.charts},
            "days_to_certificate": None
            if self.waiting is None
            else {
                "lower_quartile": self.waiting.lower,
                "median": self.waiting.median,
                "upper_quartile": self.waiting.upper,
            },
            "open_questions": {
                "told_by": self.open_questions.told_by,
                "held": self._told(self.open_questions.held),
                "counts": {name: self._told(count) for name, count in self.open_questions.counts.items()},
                "problems": [
                    {"where": bar.name, "count": self._told(bar.count)} for bar in self.open_questions.problems
                ],
            },
            "runs": dict(self.runs),
        }

    def _bar(self, chart: Chart, bar: Bar) -> dict[str, Any]:
        parts = dict(zip(chart.parts, map(self._told, bar.parts), strict=True))
        return {"name": bar.name, "count": self._told(bar.count), **({"parts": parts} if parts else {})}

    def _told(self, count: int) -> int | None:
        return None if self._is_small(count) else count

    def _is_small(self, count: int) -> bool:
        return self.published and 0 < count < SMALL


def figures(  # noqa: PLR0913 - what a report is made of
    statistics: Statistics,
    open_questions: OpenQuestions,
    *,
    made_at: datetime,
    since: date | None = None,
    until: date | None = None,
    published: bool = False,
) -> Figures:
    """The report of what the ledger counted."""
    in_force = sum(count for (_, state), count in statistics.by_level.items() if state == CertificateState.ISSUED)
    return Figures(
        made_at=made_at,
        since=since,
        until=until,
        issued=statistics.by_level.total(),
        in_force=in_force,
        charts=(
            _by_level(statistics),
            _by_procedure(statistics),
            _by_area(statistics),
            _by_month(statistics),
            _by_waiting(statistics),
        ),
        waiting=_waiting(statistics.days_to_certificate),
        open_questions=open_questions,
        runs=dict(sorted(statistics.runs.items())),
        published=published,
    )


def questions_of_run(run: RunSummary | None) -> OpenQuestions:
    """What the newest run that read an export left open."""
    if run is None:
        return OpenQuestions()
    counts = {name: int(run.counts[name]) for name in ("changed", "lost", "failed") if run.counts.get(name)}
    return OpenQuestions(f"the run {run.run_id}", int(run.counts.get("held", 0)), counts)


def questions_of_export(held: int, problems: Iterable[Problem]) -> OpenQuestions:
    """What an export holds people by: where, and how often. What the cells say stays out: it is personal data."""
    places = Counter(f"{one.file}, {one.column}" if one.column else one.file for one in problems)
    bars = [Bar(place, count) for place, count in sorted(places.items(), key=lambda item: (-item[1], item[0]))]
    return OpenQuestions("the registry export", held, {}, tuple(bars))


def _by_level(statistics: Statistics) -> Chart:
    bars = []
    for level in Level:
        parts = tuple(statistics.by_level[str(level), str(state)] for state in _STATES)
        bars.append(Bar(str(level), sum(parts), parts))
    about = "Certificates issued, by level, and what became of them. At C2 each area has a certificate of its own."
    return Chart("levels", "By level", about, "Level", tuple(bars), ("in force", "superseded", "revoked"))


def _by_procedure(statistics: Statistics) -> Chart:
    bars = [
        Bar(words, sum(count for named, count in statistics.by_procedures.items() if procedure in named))
        for procedure, words in PROCEDURES.items()
    ]
    about = "Certificates in force that name a procedure. One certificate may name several."
    return Chart("procedures", "By procedure", about, "Procedure", tuple(bars))


def _by_area(statistics: Statistics) -> Chart:
    bars = []
    for area, title in zip(Area, AREAS, strict=True):
        parts = tuple(statistics.by_area[int(area), procedure] for procedure in PROCEDURES)
        bars.append(Bar(f"{int(area)}. {title}", sum(parts), parts))
    about = "Areas that the certificates in force are made of, and by which procedure each was obtained."
    return Chart("areas", "By area", about, "Area", tuple(bars), tuple(PROCEDURES.values()))


def _by_month(statistics: Statistics) -> Chart:
    months = _months(sorted(statistics.by_month))
    bars = tuple(Bar(month, statistics.by_month[month]) for month in months)
    return Chart("months", "By month", "Certificates issued in each month.", "Month", bars)


def _months(known: Sequence[str]) -> list[str]:
    """Every month from the first to the last: a month without certificates is a number, too."""
    if not known:
        return []
    year, month = map(int, known[0].split("-"))
    found = [known[0]]
    while found[-1] < known[-1]:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004 - December
        found.append(f"{year}-{month:02}")
    return found


def _by_waiting(statistics: Statistics) -> Chart:
    found: Counter[str] = Counter()
    for days, count in statistics.days_to_certificate.items():
        found[next((words for limit, words in _WAITS if days <= limit), _LONGER)] += count
    bars = tuple(Bar(words, found[words]) for words in (*(words for _, words in _WAITS), _LONGER))
    about = "First certificates, by the time from the day of the accreditation to the day of issue."
    return Chart("waiting", "Time to the certificate", about, "Time", bars)


def _waiting(days: Counter[int]) -> Waiting | None:
    if not days:
        return None
    lower, median, upper = (_quantile(days, quarter) for quarter in (1, 2, 3))
    return Waiting(lower, median, upper)


def _quantile(days: Counter[int], quarter: int) -> int:
    """The least number of days within which that many quarters of all had their certificate."""
    enough, seen = days.total() * quarter, 0
    for each in sorted(days):
        seen += 4 * days[each]
        if seen >= enough:
            return each
    raise AssertionError("the last day is within all quarters")
