"""The charts of a report: what is compared with what, under which names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sealtool.ledger import CertificateState, Statistics
from sealtool.model import Area, Level, Procedure

PROCEDURES: Final[Mapping[str, str]] = {
    Procedure.TRAINING: "training",
    Procedure.TEST: "specific test",
    Procedure.DEGREE: "university degree",
    Procedure.OBSERVATION: "observation of performance",
    Procedure.EVIDENCE: "analysis of evidence",
    Procedure.EXTERNAL: "another administration",
}
AREAS: Final[Mapping[Area, str]] = {
    Area.PROFESSIONAL_ENGAGEMENT: "Professional engagement",
    Area.DIGITAL_CONTENT: "Digital content",
    Area.TEACHING_AND_LEARNING: "Teaching and learning",
    Area.ASSESSMENT_AND_FEEDBACK: "Assessment and feedback",
    Area.EMPOWERING_LEARNERS: "Empowering learners",
    Area.LEARNERS_DIGITAL_COMPETENCE: "Learners' digital competence",
}
_STATES: Final[Mapping[str, str]] = {
    CertificateState.ISSUED: "in force",
    CertificateState.SUPERSEDED: "superseded",
    CertificateState.REVOKED: "revoked",
}
_WAITS: Final = (
    (7, "up to a week"),
    (31, "up to a month"),
    (92, "up to three months"),
    (183, "up to half a year"),
    (365, "up to a year"),
)
_DECEMBER: Final = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart.

    Attributes:
        key: how the JSON calls it: ``B1``, ``test``, ``2026-11``.
        name: how people do.
        count: how many.
        parts: of what these are made, where the chart tells parts apart.
    """

    key: str
    name: str
    count: int
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Counts of certificates that are compared with each other, as bars.

    Attributes:
        key: how the JSON calls it.
        label: what the bars are.
        parts: the parts of each bar, by key, with their names.
        years: of a chart of months, the sums of the years.
    """

    key: str
    title: str
    about: str
    label: str
    bars: tuple[Bar, ...]
    parts: Mapping[str, str] = field(default_factory=dict)
    years: tuple[Bar, ...] = ()

    @property
    def longest(self) -> int:
        """The count of the longest bar."""
        return max((bar.count for bar in self.bars), default=0)


def charts_of(statistics: Statistics) -> tuple[Chart, ...]:
    """Every chart, in the order of the page."""
    return (
        _by_level(statistics),
        _by_procedure(statistics),
        _by_area(statistics),
        _by_c2_area(statistics),
        _by_month(statistics),
        _by_month_of_accreditation(statistics),
        _by_waiting(statistics),
    )


def _by_level(statistics: Statistics) -> Chart:
    bars = [
        _of_parts(level, level, (statistics.by_level[str(level), str(state)] for state in _STATES)) for level in Level
    ]
    about = "Certificates issued, and what became of them. At C2 each area has a certificate of its own."
    return Chart("levels", "By level", about, "Level", tuple(bars), _STATES)


def _by_procedure(statistics: Statistics) -> Chart:
    bars = [
        Bar(procedure, words, sum(count for named, count in statistics.by_procedures.items() if procedure in named))
        for procedure, words in PROCEDURES.items()
    ]
    about = "Certificates in force that name a procedure. One certificate may name several."
    return Chart("procedures", "By procedure", about, "Procedure", tuple(bars))


def _by_area(statistics: Statistics) -> Chart:
    found: Counter[tuple[int, str]] = Counter()
    for (level, area, procedure), count in statistics.by_area.items():
        if level != Level.C2:
            found[area, procedure] += count
    bars = [
        _of_parts(int(area), f"{int(area)}. {title}", (found[int(area), procedure] for procedure in PROCEDURES))
        for area, title in AREAS.items()
    ]
    about = (
        "By which procedure each area was obtained, in the certificates of A1 to C1 that are in force: "
        "each of them takes all six areas."
    )
    return Chart("areas", "By area", about, "Area", tuple(bars), PROCEDURES)


def _by_c2_area(statistics: Statistics) -> Chart:
    found: Counter[int] = Counter()
    for (level, area, _), count in statistics.by_area.items():
        if level == Level.C2:
            found[area] += count
    bars = [Bar(str(int(area)), f"{int(area)}. {title}", found[int(area)]) for area, title in AREAS.items()]
    about = "Certificates of C2 in force. Each is of one area."
    return Chart("c2_areas", "Areas at C2", about, "Area", tuple(bars))


def _by_month(statistics: Statistics) -> Chart:
    about = "Certificates issued in each month, those that were superseded or revoked later included."
    return _of_months("months", "By month of issue", about, statistics.by_month)


def _by_month_of_accreditation(statistics: Statistics) -> Chart:
    about = "Certificates in force, by the month in which the level was accredited: the day of its last area."
    return _of_months(
        "months_of_accreditation", "By month of accreditation", about, statistics.by_month_of_accreditation
    )


def _of_months(key: str, title: str, about: str, found: Counter[str]) -> Chart:
    bars = tuple(Bar(month, month, found[month]) for month in _months(sorted(found)))
    sums: Counter[str] = Counter()
    for bar in bars:
        sums[bar.key[:4]] += bar.count
    return Chart(key, title, about, "Month", bars, years=tuple(Bar(year, year, sums[year]) for year in sums))


def _months(known: Sequence[str]) -> list[str]:
    """Every month from the first to the last: a month without certificates is a number, too."""
    if not known:
        return []
    year, month = map(int, known[0].split("-"))
    found = [known[0]]
    while found[-1] < known[-1]:
        year, month = (year, month + 1) if month < _DECEMBER else (year + 1, 1)
        found.append(f"{year}-{month:02}")
    return found


def _by_waiting(statistics: Statistics) -> Chart:
    bars = []
    rest = statistics.days_to_certificate.copy()
    for limit, words in _WAITS:
        within = [days for days in rest if days <= limit]
        bars.append(Bar(str(limit), words, sum(rest.pop(days) for days in within)))
    bars.append(Bar("longer", "longer", rest.total()))
    about = "First certificates, by the time from the day of the accreditation to the day of issue."
    return Chart("waiting", "Time to the certificate", about, "Time", tuple(bars))


def _of_parts(key: object, name: str, parts: Iterable[int]) -> Bar:
    counts = tuple(parts)
    return Bar(str(key), name, sum(counts), counts)
