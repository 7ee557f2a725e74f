"""Putting moments together: from what the newest time stamp proves back to the moment of the seal.

EN 319 102-1, 5.5 (signatures with time) and 5.6 (with long-term availability), in the strict reading below. Each
step says what it leaves to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESStatus, AdESSubIndic
from pyhanko_certvalidator.errors import ValidationError

from sealtool.model import PadesLevel, SealEvidence, SealFacts, Verdict
from sealtool.verification.algorithms import STRONG_DIGESTS
from sealtool.verification.chain import (
    SEAL_CODES,
    Judge,
    Judgement,
    Material,
    Revocation,
    first_end,
    is_within_validity,
)
from sealtool.verification.facts import certificate_facts, seal_evidence, seal_facts
from sealtool.verification.holder import is_for_time_stamps_alone, why_not_for_seals
from sealtool.verification.message import Message, check_certificates, digest_of, signature_time_stamp
from sealtool.verification.reasons import Findings, Objection, ReasonCode
from sealtool.verification.revocation_data import check_revocation_data

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far two clocks may disagree before their order means something."""

Parts = tuple[bytes | memoryview, ...]


@dataclass(frozen=True, slots=True)
class DocumentTimeStamp:
    """A document time stamp and the bytes it covers."""

    message: Message
    covered: Parts


@dataclass(frozen=True, slots=True)
class SealedContent:
    """A seal and all that was found with it, before anything of it was believed.

    Attributes:
        covered: the bytes the seal covers.
        claimed: when the seal says it was made.
        document_stamps: oldest first; each covers everything before it.
        has_store: whether validation data is kept with the seal (DSS).
    """

    seal: Message
    covered: Parts
    sub_filter: str
    claimed: datetime | None
    document_stamps: Sequence[DocumentTimeStamp] = ()
    has_store: bool = False


@dataclass(frozen=True, slots=True)
class _Proof:
    """What the time stamps prove.

    Attributes:
        best: the best signature time (EN 319 102-1, 5.5.4); today where nothing is proven.
        moment: the oldest moment at which everything in the file is proven to have been there.
    """

    best: datetime
    moment: datetime
    is_proven: bool


@dataclass(frozen=True, slots=True)
class Appraisal:
    """What holds of a seal. All but its facts and evidence is None where the seal is not sound."""

    facts: SealFacts
    evidence: SealEvidence
    level: PadesLevel | None = None
    sealed_at: datetime | None = None
    provable_until: datetime | None = None


async def appraise(content: SealedContent, material: Material, now: datetime, findings: Findings) -> Appraisal:
    """Judges a seal as of ``now``; objections go to ``findings``."""
    known = len(findings.objections)
    own_stamp = signature_time_stamp(content.seal)
    material = _with_data_of_stamps(material, content, own_stamp)
    judge = Judge(material)
    # 1. 5.6.3.4 (1): document time stamps, newest first. Each must hold at the moment that the next newer one
    #    proves, the newest today; what is proven of the seal is left to the steps below.
    moment = now
    judged_today: list[Judgement] = []
    dating: Judgement | None = None
    for stamp in reversed(content.document_stamps):
        dating = await _time_stamp(judge, stamp.message, stamp.covered, moment, findings)
        judged_today = judged_today or [dating]
        moment = stamp.message.stamped_at
    # 2. 5.5.4 (4): the signature time stamp, at the moment proven so far.
    own_judgement = None
    if own_stamp is not None:
        dating = own_judgement = await _time_stamp(judge, own_stamp, (content.seal.signature,), moment, findings)
    # 3. 5.5.4 (1): the best signature time is the oldest proven one, today where nothing is proven.
    first = own_stamp or (content.document_stamps[0].message if content.document_stamps else None)
    best = now if first is None else first.stamped_at
    # 4. 5.3 (5.2.3 to 5.2.8): the seal at that moment, and 5.5.4 (3), 5.6.2.2: what became of its certificates since.
    judgement = await _seal(judge, content, _Proof(best, moment, first is not None), findings)
    # 5. 5.5.4 (5): the order of all times.
    _check_order(content, own_stamp, now, findings)
    # 6. 5.2.6: the X.509 validation constraints of our policy, which is to say whose certificate it may be.
    _check_holder(content.seal, material, findings)
    stamped_at = None if first is None else best
    facts = seal_facts(content.seal, content.sub_filter, content.claimed, first, stamped_at)
    chain = (*judgement.path, judgement.anchor) if judgement.path else ()
    evidence = seal_evidence(content.seal, chain, own_stamp, [stamp.message for stamp in content.document_stamps])
    if len(findings.objections) > known or not judgement.passed:
        return Appraisal(facts, evidence)
    # 7. EN 319 142-1, 6: the level that was verified, not the one that is claimed.
    level = await _level(content, material, own_stamp, best, proven=first is not None)
    sealed_at = best if first is not None else content.claimed
    # 8. 5.6.3.4: what has to be valid today is the newest document time stamp; without one, seal and time stamp.
    judged_today = judged_today or [one for one in (judgement, own_judgement) if one is not None]
    # 9. TS 119 615, 4.4 to 4.9: what the trusted lists say of seal and time stamp at that time. It decides nothing.
    facts = _with_qualification(facts, material, judgement, dating, best)
    return Appraisal(facts, evidence, level, sealed_at, first_end(one.path for one in judged_today))


def _with_qualification(
    facts: SealFacts, material: Material, seal: Judgement, dating: Judgement | None, best: datetime
) -> SealFacts:
    services = material.trust.services
    of_stamp = services.qualification_of_time_stamp((*dating.path, dating.anchor), best) if dating else None
    of_seal = services.qualification_of_seal(seal.path, seal.anchor, best)
    return replace(facts, qualification=of_seal, time_stamp_qualification=of_stamp)


def _with_data_of_stamps(material: Material, content: SealedContent, own_stamp: Message | None) -> Material:
    """Authorities may put revocation data into their tokens. They count like those of the file: as good as signed."""
    stamps = [stamp.message for stamp in content.document_stamps]
    stamps += [own_stamp] if own_stamp is not None else []
    return replace(
        material,
        revocation_lists=(*material.revocation_lists, *(one for stamp in stamps for one in stamp.revocation_lists)),
        ocsp_responses=(*material.ocsp_responses, *(one for stamp in stamps for one in stamp.ocsp_responses)),
    )


async def _time_stamp(judge: Judge, stamp: Message, covered: Parts, moment: datetime, findings: Findings) -> Judgement:
    """EN 319 102-1, 5.4: sound when it was given, and its certificates still good at ``moment``."""
    judgement = await judge.judge_time_stamp(stamp, covered)
    expired = not all(is_within_validity(der, moment) for der in judgement.path)
    if _is_unknown(judgement) and expired:
        findings.add(Objection(ReasonCode.TIME_STAMP_EXPIRED))
        return judgement
    if not judgement.passed:
        findings.add(_time_stamp_objection(judgement))
        return judgement
    try:
        _check_stamp(stamp)
        _check_form(stamp, judgement, judge)
        check_revocation_data(stamp, _who_may_tell(stamp, judgement, judge.material))
    except Objection as objection:
        findings.add(objection)
        return judgement
    if expired:
        findings.add(Objection(ReasonCode.TIME_STAMP_EXPIRED))
    if any(revocation.moment <= moment for revocation in judge.revocations(stamp, judgement)):
        findings.add(
            Objection(
                ReasonCode.TIME_STAMP_INVALID,
                "Its certificate, or one above, is revoked.",
                sub_indication="REVOKED_NO_POE",
            )
        )
    return judgement


def _check_stamp(stamp: Message) -> None:
    """What the library does not ask of a time stamp."""
    digest = stamp.time_stamp_info["message_imprint"]["hash_algorithm"]["algorithm"].native
    if digest not in STRONG_DIGESTS:
        raise Objection(ReasonCode.WEAK_ALGORITHM, "It is the digest of what a time stamp is about.")
    if not is_for_time_stamps_alone(stamp.signer.dump()):
        raise Objection(ReasonCode.TIME_STAMP_INVALID, "Its certificate is not one for time stamps alone.")


def _is_unknown(judgement: Judgement) -> bool:
    """Whether it is word of revocation that is missing, and nothing else; something worse may still be found."""
    return judgement.indication is AdESIndeterminate.TRY_LATER


def _time_stamp_objection(judgement: Judgement) -> Objection:
    name = judgement.indication.standard_name
    codes: dict[AdESSubIndic, ReasonCode] = {
        AdESIndeterminate.TRY_LATER: ReasonCode.NO_REVOCATION_DATA,
        AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: ReasonCode.WEAK_ALGORITHM,
    }
    code = codes.get(judgement.indication, ReasonCode.TIME_STAMP_INVALID)
    if judgement.is_not_granted:
        return Objection(ReasonCode.SERVICE_NOT_GRANTED, "It is about the service of a time stamp.")
    verdict = Verdict.FAILED if judgement.indication.status is AdESStatus.FAILED else Verdict.INDETERMINATE
    detail = "It is about the certificates of the time stamp." if code is ReasonCode.NO_REVOCATION_DATA else ""
    return Objection(code, detail, sub_indication=name, verdict=verdict)


def _check_form(message: Message, judgement: Judgement, judge: Judge) -> None:
    material = judge.material
    known = (judgement.anchor, *material.trust.anchors, *material.trust.certificates, *material.certificates)
    check_certificates(message, judgement.path, known)


def _who_may_tell(stamp: Message, judgement: Judgement, material: Material) -> tuple[bytes, ...]:
    """Whose revocation data may stand in a time stamp: of anybody known, or in it and vouched for."""
    trust, path = material.trust, (*judgement.path, judgement.anchor)
    return (*path, *trust.anchors, *trust.certificates, *material.certificates, *stamp.brought)


async def _seal(judge: Judge, content: SealedContent, proof: _Proof, findings: Findings) -> Judgement:
    """EN 319 102-1, 5.3 for the seal at its best signature time, and what became of its certificates since."""
    seal = content.seal
    digest = digest_of(content.covered, seal.digest_name)
    judgement = await judge.judge_seal(seal, digest, proof.best, proven=proof.is_proven)
    try:
        _check_seal(judge, content, judgement, proof)
    except Objection as objection:
        findings.add(objection)
        return Judgement(AdESIndeterminate.GENERIC)
    return judgement


def _check_seal(judge: Judge, content: SealedContent, judgement: Judgement, proof: _Proof) -> None:
    revocations = [
        found
        for found in judge.revocations(content.seal, judgement)
        if found.moment <= proof.best or not proof.is_proven
    ]
    if judgement.passed:
        _check_form(content.seal, judgement, judge)
    if judgement.passed or _is_unknown(judgement):
        if revocations:
            raise _revoked(revocations[0].moment, content.claimed, is_signer=revocations[0].is_signer)
        # pyHanko's validation with time lets an expired certificate pass on the strength of a time stamp alone.
        # 5.6.2.2 wants proof that its revocation data is older too, which only a document time stamp gives.
        if not all(is_within_validity(der, proof.moment) for der in judgement.path):
            raise Objection(ReasonCode.SEAL_CERTIFICATE_EXPIRED, "There is no archive time stamp from before.")
    if not judgement.passed:
        raise _seal_objection(judgement, content, proof.best, revocations)
    if content.claimed is not None and not is_within_validity(content.seal.signer.dump(), content.claimed):
        raise _outside_validity(content, content.claimed)


def _seal_objection(
    judgement: Judgement, content: SealedContent, best: datetime, revocations: list[Revocation]
) -> Objection:
    indication, signer = judgement.indication, content.seal.signer
    chain_trouble = (AdESIndeterminate.OUT_OF_BOUNDS_NO_POE, AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE)
    if indication in chain_trouble and not is_within_validity(signer.dump(), best):
        return _outside_validity(content, best)
    if indication is AdESIndeterminate.REVOKED_NO_POE:
        known = next((found.moment for found in revocations if found.is_signer), None)
        return _revoked(known, content.claimed, is_signer=True)
    if judgement.is_not_granted:
        return Objection(ReasonCode.SERVICE_NOT_GRANTED)
    code = SEAL_CODES.get(indication, ReasonCode.CHAIN_UNSOUND)
    verdict = Verdict.FAILED if isinstance(indication, AdESFailure) else Verdict.INDETERMINATE
    return Objection(code, sub_indication=indication.standard_name, verdict=verdict)


def _outside_validity(content: SealedContent, moment: datetime) -> Objection:
    signer = content.seal.signer
    if moment < signer.not_valid_before:
        return Objection(ReasonCode.SEAL_CERTIFICATE_NOT_YET_VALID)
    # EXPIRED says that the seal is younger than its certificate's end: here the seal says so itself.
    admitted = content.claimed is not None and content.claimed > signer.not_valid_after
    return Objection(ReasonCode.SEAL_CERTIFICATE_EXPIRED, sub_indication="EXPIRED" if admitted else "")


def _revoked(moment: datetime | None, claimed: datetime | None, *, is_signer: bool) -> Objection:
    if not is_signer:
        return Objection(ReasonCode.AUTHORITY_REVOKED)
    if moment is not None and claimed is not None and claimed >= moment:
        # 5.3.4 (5): proven by the seal's own claim that it is younger than the revocation.
        return Objection(ReasonCode.SEAL_CERTIFICATE_REVOKED, sub_indication="REVOKED", verdict=Verdict.FAILED)
    return Objection(ReasonCode.SEAL_CERTIFICATE_REVOKED)


def _check_order(content: SealedContent, own_stamp: Message | None, now: datetime, findings: Findings) -> None:
    times = [content.claimed] if content.claimed is not None else []
    times += [own_stamp.stamped_at] if own_stamp is not None else []
    times += [stamp.message.stamped_at for stamp in content.document_stamps]
    times.append(now)
    if any(earlier > later + CLOCK_TOLERANCE for earlier, later in pairwise(times)):
        findings.add(Objection(ReasonCode.TIME_ORDER))


def _check_holder(seal: Message, material: Material, findings: Findings) -> None:
    """A seal is an organisation's (eIDAS art. 3 (24)): its certificate is for that, and of one of those named."""
    organization = certificate_facts(seal.signer.dump()).organization_identifier
    why_not = why_not_for_seals(seal.signer.dump())
    if why_not:
        findings.add(Objection(ReasonCode.NOT_FOR_SEALING, why_not))
    elif material.trust.organizations and organization not in material.trust.organizations:
        findings.add(Objection(ReasonCode.FOREIGN_ORGANIZATION, f"It is the seal of {organization}."))


async def _level(
    content: SealedContent, material: Material, own_stamp: Message | None, best: datetime, *, proven: bool
) -> PadesLevel:
    if not proven:
        return PadesLevel.B_B
    if not content.has_store or not await _stands_alone(content, material, own_stamp, best):
        return PadesLevel.B_T
    return PadesLevel.B_LTA if content.document_stamps else PadesLevel.B_LT


async def _stands_alone(content: SealedContent, material: Material, own_stamp: Message | None, best: datetime) -> bool:
    """EN 319 142-1, 6.3 (B-LT): the file itself brings all revocation data for seal and time stamp."""
    if set(material.trust.revocation_lists).issubset(material.revocation_lists):
        return True  # then all that was used is in the file
    judge = Judge(material.without_handed_in_lists())
    seal = content.seal
    try:
        digest = digest_of(content.covered, seal.digest_name)
        if not (await judge.judge_seal(seal, digest, best, proven=True)).passed:
            return False
        return own_stamp is None or (await judge.judge_time_stamp(own_stamp, (seal.signature,))).passed
    except ValidationError:
        return False
