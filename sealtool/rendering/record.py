"""The certificate's own record: what it certifies, for machines, sealed together with the pages."""

from __future__ import annotations

from sealtool.canonical import canonical_json, person_as_json
from sealtool.model import CertificateOrder

RECORD_SCHEMA = "sealtool.record/1"


def certificate_record(order: CertificateOrder) -> bytes:
    """The record of a certificate as canonical JSON, UTF-8: one text for one certificate.

    Dates are ISO 8601; ``area`` is a number for the levels accredited area by area, null otherwise. ``replaces`` is
    there only where the certificate takes the place of another.
    """
    decision = order.decision
    record = {
        "schema": RECORD_SCHEMA,
        "certificate_id": order.certificate_id,
        "level": decision.level.value,
        "area": None if decision.area is None else int(decision.area),
        "accredited_on": decision.accredited_on.isoformat(),
        "issued_on": order.issued_on.isoformat(),
        "languages": [language.value for language in order.languages],
        "procedures": [procedure.value for procedure in decision.procedures],
        "person": person_as_json(decision.person),
        "areas": [
            {
                "area": int(covered.area),
                "covered_on": covered.covered_on.isoformat(),
                "procedure": covered.procedure.value,
            }
            for covered in decision.areas
        ],
        "rules_version": decision.rules_version,
        **({} if order.replaces is None else {"replaces": order.replaces}),
    }
    return canonical_json(record).encode()
