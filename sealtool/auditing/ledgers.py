"""What the ledger says of a certificate, where one is at hand: an audit needs none."""

from __future__ import annotations

from collections.abc import Iterator

from sealtool.auditing.judgements import Audit, FileJudgement, doubted
from sealtool.auditing.reasons import FileReason
from sealtool.ledger import Ledger
from sealtool.model import CertificateId, CertifiedArea, CertifiedFacts, Decision, Verification


def compared_with(audit: Audit, ledger: Ledger) -> Audit:
    """The same audit, with a reason more where the record of a file is not what the ledger says of its certificate.

    A certificate that the ledger does not know may be of another office, so nothing is said of it.
    """
    return Audit(tuple(FileJudgement(one.path, _compared(one.verification, ledger)) for one in audit.files))


def _compared(verification: Verification, ledger: Ledger) -> Verification:
    facts = verification.certificate
    known = None if facts is None else ledger.story(CertificateId(facts.certificate_id))
    if facts is None or known is None:
        return verification
    differing = ", ".join(_differences(known.decision, facts))
    if not differing:
        return verification
    return doubted(verification, FileReason.RECORD_DIFFERS, f"It is the ledger that differs: {differing}.")


def _differences(decision: Decision, facts: CertifiedFacts) -> Iterator[str]:
    pairs = {
        "the identity number": (decision.person.person_id, facts.person_id),
        "the name": (decision.person.full_name, facts.full_name),
        "the level": (str(decision.level), facts.level),
        "the area": (decision.area and int(decision.area), facts.area),
        "the day of accreditation": (decision.accredited_on.isoformat(), facts.accredited_on),
        "the procedures": (tuple(map(str, decision.procedures)), facts.procedures),
        "the areas": (tuple(map(CertifiedArea.of, decision.areas)), facts.areas),
    }
    yield from (what for what, (recorded, sealed) in pairs.items() if recorded != sealed)
