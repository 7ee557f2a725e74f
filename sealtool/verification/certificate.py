"""Judging one sealed certificate: bytes and trust in, verdict out. No file, no network, no clock.

The library's verdict alone is not safe: tampered files are known that its integrity and DocMDP checks accept. So
the file's layout is judged by our own code first, and what is left to the library is cryptography and chains.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyhanko.pdf_utils import generic

from sealtool.model import CertifiedFacts, PadesLevel, Verdict, Verification
from sealtool.verification.answering import answered
from sealtool.verification.appraisal import Appraisal, DocumentTimeStamp, SealedContent, appraise
from sealtool.verification.chain import Material
from sealtool.verification.content import read_content
from sealtool.verification.later_changes import check_later_changes
from sealtool.verification.layout import Layout, check_envelope, read_layout
from sealtool.verification.message import read_seal, read_time_stamp
from sealtool.verification.objects import entries, lookup, resolve
from sealtool.verification.reasons import Findings, Objection, ReasonCode
from sealtool.verification.record import read_record
from sealtool.verification.trust import Trust
from sealtool.verification.visible import check_pages

LEVELS = tuple(PadesLevel)
"""In ascending order: each contains the one before."""


def verify_certificate(
    content: bytes,
    trust: Trust,
    *,
    now: datetime,
    expected_level: PadesLevel | None = None,
    expected_sha256: str | None = None,
) -> Verification:
    """Judges a sealed certificate strictly. For callers without a running event loop.

    Args:
        content: the file.
        trust: whom to trust; nothing inside the file is trusted for being there.
        now: the moment of judgement, aware.
        expected_level: the least PAdES level to be reached.
        expected_sha256: what the manifest records, in hexadecimal.

    Returns:
        A verdict, whatever the bytes are; what is wrong with a file is never an exception.

    Raises:
        ValueError: ``now`` is naive.
        MemoryError: there is not enough of it.
    """
    return asyncio.run(
        async_verify_certificate(
            content, trust, now=now, expected_level=expected_level, expected_sha256=expected_sha256
        )
    )


async def async_verify_certificate(
    content: bytes,
    trust: Trust,
    *,
    now: datetime,
    expected_level: PadesLevel | None = None,
    expected_sha256: str | None = None,
) -> Verification:
    """As :func:`verify_certificate`, inside a running event loop."""
    if now.tzinfo is None:
        raise ValueError("the moment of judgement must be aware")
    examination = _Examination(content, trust, now.astimezone(UTC), expected_level)
    sha256 = hashlib.sha256(content).hexdigest()
    if expected_sha256 is not None and sha256 != expected_sha256.strip().lower():
        examination.findings.add(Objection(ReasonCode.HASH_DIFFERS))
    await answered(examination.run(), examination.findings)
    return examination.verification(sha256)


@dataclass(slots=True)
class _Examination:
    """One file on its way through the steps."""

    content: bytes
    trust: Trust
    now: datetime
    expected_level: PadesLevel | None
    findings: Findings = field(default_factory=Findings)
    appraisal: Appraisal | None = None
    certificate: CertifiedFacts | None = None
    pages: int | None = None

    async def run(self) -> None:
        """Goes through the steps; what they find is among the findings, or raised."""
        # 1. EN 319 102-1, 5.2.2 (format): a PDF from its first byte to its last, one seal, time stamps behind it,
        #    together covering the entire file. Leaves open what the bytes between them do.
        check_envelope(self.content)
        layout = read_layout(self.content)
        try:
            await self._judge(layout)
        finally:
            layout.let_go()

    async def _judge(self, layout: Layout) -> None:
        # 2. EN 319 142-1, 5.5; ISO 32000-2, 12.8.2.2: behind the seal nothing but what archiving adds.
        check_later_changes(self.content, layout)
        # 3. 5.2.8, a constraint of our own policy: what was sealed holds nothing that could show something else. The
        #    record is read, not yet believed.
        held = read_content(layout.sealed, layout.seal.field_number, self.findings.add)
        self.pages = held.pages
        # 4. EN 319 102-1, 5.3 to 5.6, each on the blocks 5.2.3 to 5.2.8: signer, context, freshness, chain,
        #    cryptography, acceptance; and the times that put them together.
        self.appraisal = await self._appraise(layout)
        self._check_level()
        # 5. 5.2.8 again, our own policy: the record, exactly one, and believed only now that everything else holds.
        record = read_record(held.records)
        if self.findings.objections:
            return
        # 6. The same: the pages, as a widely used reader reads them, show what the record says.
        for objection in check_pages(self.content, record, held.pages):
            self.findings.add(objection)
        if not self.findings.objections:
            self.certificate = record

    async def _appraise(self, layout: Layout) -> Appraisal:
        material = _stored_material(layout, self.trust)
        sealed = SealedContent(
            seal=read_seal(layout.seal.message),
            covered=layout.seal.covered(self.content),
            sub_filter=str(layout.seal.dictionary["/SubFilter"]).removeprefix("/"),
            claimed=_claimed_time(layout.seal.dictionary),
            document_stamps=[
                DocumentTimeStamp(read_time_stamp(stamp.message), stamp.covered(self.content))
                for stamp in layout.time_stamps
            ],
            has_store="/DSS" in layout.whole.root,
        )
        return await appraise(sealed, material, self.now, self.findings)

    def _check_level(self) -> None:
        expected, reached = self.expected_level, self.appraisal and self.appraisal.level
        if expected is None or (reached is not None and LEVELS.index(reached) >= LEVELS.index(expected)):
            return
        found = "no level at all" if reached is None else f"PAdES {reached}"
        detail = f"Expected was PAdES {expected}, reached is {found}."
        self.findings.add(Objection(ReasonCode.LEVEL_NOT_REACHED, detail))

    def verification(self, sha256: str) -> Verification:
        appraisal = self.appraisal
        return Verification(
            sha256=sha256,
            size=len(self.content),
            verdict=self.findings.verdict,
            sub_indication=self.findings.sub_indication,
            reasons=self.findings.reasons,
            pades_level=None if appraisal is None else appraisal.level,
            sealed_at=None if appraisal is None else appraisal.sealed_at,
            seal=None if appraisal is None else appraisal.facts,
            certificate=self.certificate if self.findings.verdict is Verdict.PASSED else None,
            pages=self.pages,
            provable_until=None if appraisal is None else appraisal.provable_until,
            evidence=None if appraisal is None else appraisal.evidence,
        )


def _claimed_time(dictionary: generic.DictionaryObject) -> datetime:
    """EN 319 142-1, 6.3: the claimed time of a PAdES seal stands in the dictionary, not in the message, and has to."""
    if "/M" not in dictionary:
        raise Objection(ReasonCode.SIGNATURE_MALFORMED, "It does not say when it was made.")
    moment: datetime = generic.parse_pdf_date(str(dictionary["/M"]), strict=True)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _stored_material(layout: Layout, trust: Trust) -> Material:
    """The document security store (EN 319 142-1, 5.4.2). It is evidence, never trust."""
    root = layout.whole.root
    if "/DSS" not in root:
        return Material(trust)
    store = root["/DSS"]

    def items(key: str) -> tuple[bytes, ...]:
        return tuple(bytes(resolve(reference).data) for reference in entries(lookup(store, key)))

    return Material(trust, items("/Certs"), items("/CRLs"), items("/OCSPs"))
