"""Judging a detached seal (CAdES) over a manifest. The rules are those of a certificate's seal."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import re
from datetime import UTC, datetime

from sealtool.model import Verification
from sealtool.verification.answering import answered
from sealtool.verification.appraisal import Appraisal, SealedContent, appraise
from sealtool.verification.chain import Material
from sealtool.verification.message import Message, read_seal, signature_time_stamp
from sealtool.verification.reasons import Findings, Objection, ReasonCode
from sealtool.verification.revocation_data import check_revocation_data
from sealtool.verification.trust import Trust

SUB_FILTER = "CAdES detached"
MAX_SIGNATURE_BYTES = 4 * 1024 * 1024
_PEM = re.compile(rb"\s*-----BEGIN (CMS|PKCS7)-----(\s[A-Za-z0-9+/=\s]*\s)-----END \1-----\s*")


def verify_detached(content: bytes, signature: bytes, trust: Trust, *, now: datetime) -> Verification:
    """Judges a detached seal, DER or PEM, over ``content``. For callers without a running event loop.

    ``pades_level`` tells the level by its letter: B-B, or B-T with a time stamp. Revocation data comes from the seal
    itself or from ``trust``; without it the verdict is INDETERMINATE.

    Raises:
        ValueError: ``now`` is naive.
        MemoryError: there is not enough of it.
    """
    return asyncio.run(async_verify_detached(content, signature, trust, now=now))


async def async_verify_detached(content: bytes, signature: bytes, trust: Trust, *, now: datetime) -> Verification:
    """As :func:`verify_detached`, inside a running event loop."""
    if now.tzinfo is None:
        raise ValueError("the moment of judgement must be aware")
    findings = Findings()
    appraisal = await answered(_appraise(content, signature, trust, now.astimezone(UTC), findings), findings)
    return Verification(
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        verdict=findings.verdict,
        sub_indication=findings.sub_indication,
        reasons=findings.reasons,
        pades_level=None if appraisal is None else appraisal.level,
        sealed_at=None if appraisal is None else appraisal.sealed_at,
        seal=None if appraisal is None else appraisal.facts,
        evidence=None if appraisal is None else appraisal.evidence,
    )


async def _appraise(content: bytes, signature: bytes, trust: Trust, now: datetime, findings: Findings) -> Appraisal:
    seal = read_seal(_der(signature), is_detached=True)
    own = _certificates(seal)
    check_revocation_data(seal, [*trust.anchors, *trust.certificates, *trust.services.issuers_of(own), *own])
    sealed = SealedContent(seal, (content,), SUB_FILTER, _claimed_time(seal))
    material = Material(trust, revocation_lists=seal.revocation_lists, ocsp_responses=seal.ocsp_responses)
    return await appraise(sealed, material, now, findings)


def _der(signature: bytes) -> bytes:
    if not signature:
        raise Objection(ReasonCode.NO_SEAL)
    if len(signature) > MAX_SIGNATURE_BYTES:
        raise Objection(ReasonCode.TOO_LARGE)
    armoured = _PEM.fullmatch(signature)
    if armoured is None:
        return signature
    try:
        return binascii.a2b_base64(b"".join(armoured.group(2).split()), strict_mode=True)
    except binascii.Error as error:
        raise Objection(ReasonCode.SIGNATURE_MALFORMED, "It is no PEM.") from error


def _certificates(seal: Message) -> list[bytes]:
    """Of the seal and of its time stamp: their issuers sign revocation data."""
    stamp = signature_time_stamp(seal)
    return [*seal.brought, *(stamp.brought if stamp else ())]


def _claimed_time(seal: Message) -> datetime | None:
    for attribute in seal.signer_info["signed_attrs"]:
        if attribute["type"].native == "signing_time":
            moment: datetime = attribute["values"][0].native
            return moment.astimezone(UTC)
    return None
