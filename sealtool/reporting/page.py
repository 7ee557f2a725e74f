"""The judgement as one HTML page: for a file of records, a desk, a printer. No script, nothing from elsewhere.

Names in it come from whoever made the files; Jinja escapes them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from sealtool.auditing import FileJudgement
from sealtool.model import Reason, Verdict
from sealtool.reporting.pages import page_environment
from sealtool.reporting.report import Report, printable
from sealtool.reporting.text import qualification_in_words

_TEMPLATE: Final = "page.html.j2"
_WORDS: Final = {
    Verdict.PASSED: "Everything that was judged passed.",
    Verdict.INDETERMINATE: "Not everything passed. Nothing was proven bad, but not everything can be called good.",
    Verdict.FAILED: "Not everything passed, and something was proven bad.",
}


@dataclass(frozen=True, slots=True)
class _Finding:
    """Files that did not pass for the same reasons."""

    verdict: Verdict
    sub_indication: str
    reasons: tuple[Reason, ...]
    files: Sequence[FileJudgement]


def html_page(report: Report) -> bytes:
    """The page, in UTF-8. It holds personal data of everybody whose certificate passed."""
    environment = page_environment(finalize=_shown)
    environment.filters["moment"] = _moment
    environment.filters["day"] = _day
    environment.filters["qualification"] = qualification_in_words
    files = report.audit.files
    worst = _worst(files)
    page = environment.get_template(_TEMPLATE).render(
        report=report,
        summary={verdict: report.audit.summary[str(verdict)] for verdict in Verdict},
        worst=str(worst).lower(),
        conclusion=_WORDS[worst],
        findings=_findings(files),
        passed=[one for one in files if one.verification.verdict is Verdict.PASSED],
    )
    return page.encode("utf-8")


def _worst(files: Sequence[FileJudgement]) -> Verdict:
    verdicts = {one.verification.verdict for one in files}
    return next((one for one in (Verdict.FAILED, Verdict.INDETERMINATE) if one in verdicts), Verdict.PASSED)


def _findings(files: Sequence[FileJudgement]) -> list[_Finding]:
    """What is proven bad first; files with the same reasons together."""

    def sameness(one: FileJudgement) -> tuple[bool, str, tuple[tuple[str, str], ...]]:
        judged = one.verification
        told = tuple((str(reason.code), reason.message) for reason in judged.reasons)
        return judged.verdict is not Verdict.FAILED, judged.sub_indication, told

    faulty = sorted((one for one in files if one.verification.verdict is not Verdict.PASSED), key=sameness)
    groups = [list(alike) for _, alike in groupby(faulty, key=sameness)]
    return [
        _Finding(one[0].verification.verdict, one[0].verification.sub_indication, one[0].verification.reasons, one)
        for one in groups
    ]


def _shown(value: object) -> object:
    """Text as it prints; a mark-up string stays one, so that Jinja still escapes just what is text."""
    return printable(value) if type(value) is str else value


def _moment(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _day(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d}"
