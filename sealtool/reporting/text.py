"""The judgement in lines of text, for a terminal.

A few files are told one by one; of many, those that did not pass, with what they have in common said once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from sealtool.auditing import Audit, FileJudgement
from sealtool.model import SealFacts, SealQualification, TimeStampQualification, Verdict
from sealtool.reporting.report import printable

FEW: Final = 8
"""Up to so many files are told one by one."""

_SEALS: Final = {
    SealQualification.QUALIFIED: "qualified electronic seal",
    SealQualification.ADVANCED_WITH_QUALIFIED_CERTIFICATE: "advanced electronic seal with a qualified certificate",
    SealQualification.NOT_QUALIFIED: "electronic seal, not a qualified one",
}
_TIME_STAMPS: Final = {
    TimeStampQualification.QUALIFIED: "qualified time stamp",
    TimeStampQualification.NOT_QUALIFIED: "time stamp, not a qualified one",
}


def text_lines(audit: Audit, folder: Path) -> Iterator[str]:
    """The judgement, line by line; paths below ``folder`` are told relative to it.

    No name can forge a line: a line break or an escape sequence in it stands as an escape.
    """
    yield from map(printable, _lines(audit, folder))


def _lines(audit: Audit, folder: Path) -> Iterator[str]:
    if len(audit.files) <= FEW:
        for judgement in audit.files:
            yield from _one(judgement, folder)
    else:
        faulty = [one for one in audit.files if one.verification.verdict is not Verdict.PASSED]
        for _, alike in groupby(sorted(faulty, key=_finding), key=_finding):
            yield from _alike(list(alike), folder)
    number = len(audit.files)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in audit.summary.items())
    yield f"{number:,} {'file' if number == 1 else 'files'}: {summary}"


def _finding(judgement: FileJudgement) -> tuple[str, tuple[tuple[str, str], ...]]:
    reasons = judgement.verification.reasons
    return _verdict(judgement), tuple((str(reason.code), reason.message) for reason in reasons)


def _alike(judgements: Sequence[FileJudgement], folder: Path) -> Iterator[str]:
    if len(judgements) == 1:
        yield from _one(judgements[0], folder)
        return
    yield f"{_verdict(judgements[0])}  {len(judgements)} files:"
    yield from _reasons(judgements[0])
    for judgement in judgements:
        yield f"  {_shown(judgement, folder)}"


def _one(judgement: FileJudgement, folder: Path) -> Iterator[str]:
    one = judgement.verification
    yield f"{_verdict(judgement)}  {_shown(judgement, folder)}"
    if one.certificate is not None and one.verdict is Verdict.PASSED:
        area = f", area {one.certificate.area}" if one.certificate.area else ""
        yield (
            f"    certifies: level {one.certificate.level}{area}, {one.certificate.full_name}, "
            f"{one.certificate.person_id}, accredited on {one.certificate.accredited_on}, "
            f"issued on {one.certificate.issued_on}, certificate {one.certificate.certificate_id}"
            f"{f', in the place of {one.certificate.replaces}' if one.certificate.replaces else ''}"
        )
        areas = ", ".join(f"{each.area} by {each.procedure} on {each.covered_on}" for each in one.certificate.areas)
        yield f"    areas: {areas} (rules of {one.certificate.rules_version})"
    if one.seal is not None and one.sealed_at is not None:
        level = f", {one.pades_level}" if one.pades_level else ""
        yield f"    seal: {one.seal.subject}; {one.sealed_at:%Y-%m-%d %H:%M:%S} UTC{level}"
        if words := qualification_in_words(one.seal):
            yield f"    by the trusted lists: {words}"
    if one.provable_until is not None:
        yield f"    provable until: {one.provable_until:%Y-%m-%d}, unless it is renewed"
    yield from _reasons(judgement)


def qualification_in_words(seal: SealFacts) -> str:
    """What seal and time stamp are by the trusted lists; empty where there were none."""
    if seal.qualification is None:
        return ""
    stamp = seal.time_stamp_qualification
    return f"{_SEALS[seal.qualification]}{', ' + _TIME_STAMPS[stamp] if stamp else ''}"


def _reasons(judgement: FileJudgement) -> Iterator[str]:
    for reason in judgement.verification.reasons:
        yield f"    {reason.code}: {reason.message}"


def _verdict(judgement: FileJudgement) -> str:
    one = judgement.verification
    return str(one.verdict) + (f" ({one.sub_indication})" if one.sub_indication else "")


def _shown(judgement: FileJudgement, folder: Path) -> str:
    return judgement.shown_path.removeprefix(f"{folder}{os.sep}")
