"""The judgement as a validation report of ETSI TS 119 102-2 (v1.2.1), for other programs.

The verdicts are our own; the elements are generated from the standard's schema. The report names no person: what a
certificate certifies is content, and no fact about its seal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pyhanko.generated.etsi import ts_119612 as tl
from pyhanko.generated.etsi import ts_11910202 as vr
from pyhanko.generated.etsi import xades
from pyhanko.generated.w3c import xmldsig_core as ds
from xsdata.formats.dataclass.models.generics import AnyElement
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig
from xsdata.models.datatype import XmlDateTime

from sealtool.auditing import FileJudgement
from sealtool.model import SealEvidence, SealFacts, TimeStampEvidence, Verdict, Verification
from sealtool.reporting.report import Report, printable

NAMESPACE: Final = "http://uri.etsi.org/19102/v1.2.1#"
REASON_TYPE: Final = "urn:x-sealtool:verification:reason"
_PREFIXES: Final = {
    "vr": NAMESPACE,
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xades": "http://uri.etsi.org/01903/v1.3.2#",
    "tsl": "http://uri.etsi.org/02231/v2#",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_URN: Final = "urn:etsi:019102"
# TS 119 102-2, 4.2.4.2: main indications
_INDICATIONS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.PASSED: f"{_URN}:mainindication:total-passed",
        Verdict.FAILED: f"{_URN}:mainindication:total-failed",
        Verdict.INDETERMINATE: f"{_URN}:mainindication:indeterminate",
    }
)
_DIGESTS: Mapping[str, str] = MappingProxyType(
    {
        "sha1": "http://www.w3.org/2000/09/xmldsig#sha1",
        "sha224": "http://www.w3.org/2001/04/xmldsig-more#sha224",
        "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
        "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
        "sha3_256": "http://www.w3.org/2007/05/xmldsig-more#sha3-256",
        "sha3_384": "http://www.w3.org/2007/05/xmldsig-more#sha3-384",
        "sha3_512": "http://www.w3.org/2007/05/xmldsig-more#sha3-512",
    }
)


def etsi_report(report: Report) -> bytes:
    """One document for the whole audit, a signature validation report for each file, in UTF-8."""
    objects = _Objects()
    document = vr.ValidationReport(
        signature_validation_report=tuple(
            _file(one, report, f"F{number}", objects) for number, one in enumerate(report.audit.files, start=1)
        ),
        signature_validation_objects=objects.as_list(),
        signature_validator=_validator(report),
    )
    serializer = XmlSerializer(config=SerializerConfig(indent="  "))
    return serializer.render(document, ns_map=dict(_PREFIXES)).encode("utf-8")


@dataclass(slots=True)
class _Objects:
    """What the reports refer to (TS 119 102-2, 4.4), each once: most files show the same certificates."""

    found: dict[str, vr.ValidationObjectType] = field(default_factory=dict)

    def certificate(self, der: bytes) -> str:
        """The identifier of a certificate, which is kept whole."""
        return self._keep(
            f"C-{hashlib.sha256(der).hexdigest()}",
            "certificate",
            vr.ValidationObjectRepresentationType(base64=der),
        )

    def time_stamp(self, stamp: TimeStampEvidence) -> str:
        """The identifier of a time stamp, which is in the file: its digest is enough."""
        return self._keep(
            f"T-{stamp.sha256.hex()}",
            "timestamp",
            vr.ValidationObjectRepresentationType(digest_alg_and_value=_digest("sha256", stamp.sha256)),
            vr.POEType(poetime=_time(stamp.given_at), type_of_proof=f"{_URN}:poetype:validation"),
        )

    def file(self, identifier: str, judgement: FileJudgement) -> str:
        """The identifier of a file, which lies where the URI says."""
        return self._keep(
            identifier, "signedData", vr.ValidationObjectRepresentationType(uri=Path(judgement.shown_path).as_uri())
        )

    def _keep(
        self,
        identifier: str,
        kind: str,
        representation: vr.ValidationObjectRepresentationType,
        poe: vr.POEType | None = None,
    ) -> str:
        if identifier not in self.found:
            self.found[identifier] = vr.ValidationObjectType(
                id=identifier,
                object_type=f"{_URN}:validationObject:{kind}",
                validation_object_representation=representation,
                poe=poe,
            )
        return identifier

    def as_list(self) -> vr.ValidationObjectListType:
        """All of them."""
        return vr.ValidationObjectListType(tuple(self.found.values()))


def _file(
    judgement: FileJudgement, report: Report, identifier: str, objects: _Objects
) -> vr.SignatureValidationReportType:
    one = judgement.verification
    document = objects.file(identifier, judgement)
    seal, evidence = one.seal, one.evidence
    return vr.SignatureValidationReportType(
        signature_identifier=None if evidence is None else _identifier(evidence),
        validation_time_info=_times(one, report.judged_at),
        signers_document=_signers_document(one, document),
        signature_attributes=None if seal is None else _attributes(seal, one),
        signer_information=None if seal is None or evidence is None else _signer(seal, evidence, objects),
        signature_validation_process=_process(one),
        signature_validation_status=_status(one, document, objects),
    )


def _identifier(evidence: SealEvidence) -> vr.SignatureIdentifierType:
    """4.2.3: the digest of the data to be signed representation, and the value of the signature."""
    return vr.SignatureIdentifierType(
        digest_alg_and_value=_digest(evidence.digest_name, evidence.attributes_digest),
        signature_value=ds.SignatureValue(evidence.signature),
        hash_only=False,
        doc_hash_only=False,
    )


def _times(one: Verification, judged_at: datetime) -> vr.ValidationTimeInfoType:
    """4.2.6: the best signature time is that of the first sound time stamp, otherwise the moment of judgement."""
    proven = one.sealed_at if one.seal is not None and one.seal.time_stamp_at is not None else None
    return vr.ValidationTimeInfoType(
        validation_time=_time(judged_at),
        best_signature_time=vr.POEType(poetime=_time(proven or judged_at), type_of_proof=f"{_URN}:poetype:validation"),
    )


def _signers_document(one: Verification, document: str) -> vr.SignersDocumentType | None:
    """4.2.7: what the seal covers by the digest in the seal; without one, the file by its SHA-256."""
    reference = vr.VOReferenceType(voreference=(document,))
    if one.evidence is not None:
        digest = _digest(one.evidence.digest_name, one.evidence.content_digest)
    elif one.sha256:
        digest = _digest("sha256", bytes.fromhex(one.sha256))
    else:
        return None
    return vr.SignersDocumentType(digest_alg_and_value=digest, signers_document_ref=reference)


def _attributes(seal: SealFacts, one: Verification) -> vr.SignatureAttributesType:
    stamps = () if one.evidence is None else one.evidence.time_stamps
    policies = [seal.signature_policy] if seal.signature_policy else []
    return vr.SignatureAttributesType(
        signing_time=tuple(_claimed(seal)),
        sig_policy_identifier=tuple(
            vr.SASigPolicyIdentifierType(signed=True, sig_policy_id=f"urn:oid:{oid}") for oid in policies
        ),
        signature_time_stamp=tuple(_stamped(stamp) for stamp in stamps if not stamp.on_document),
        doc_time_stamp=tuple(_stamped(stamp) for stamp in stamps if stamp.on_document),
        sub_filter=(vr.SASubFilterType(signed=True, sub_filter_element=seal.sub_filter),),
    )


def _claimed(seal: SealFacts) -> Iterator[vr.SASigningTimeType]:
    if seal.signing_time is not None:
        yield vr.SASigningTimeType(signed=True, time=_time(seal.signing_time))


def _stamped(stamp: TimeStampEvidence) -> vr.SATimestampType:
    return vr.SATimestampType(signed=False, time_stamp_value=_time(stamp.given_at))


def _signer(seal: SealFacts, evidence: SealEvidence, objects: _Objects) -> vr.SignerInformationType:
    return vr.SignerInformationType(
        signer_certificate=vr.VOReferenceType(voreference=(objects.certificate(evidence.certificates[0]),)),
        signer=printable(seal.subject),
    )


def _process(one: Verification) -> vr.SignatureValidationProcessType:
    """4.2.9: which process of EN 319 102-1 was run (5.3, 5.5 or 5.6) depends on the time stamps there are."""
    stamps = () if one.evidence is None else one.evidence.time_stamps
    process = "LTA" if any(stamp.on_document for stamp in stamps) else "LTVM" if stamps else "Basic"
    return vr.SignatureValidationProcessType(signature_validation_process_id=f"{_URN}:validationprocess:{process}")


def _status(one: Verification, document: str, objects: _Objects) -> vr.ValidationStatusType:
    """4.2.4: our verdict; each of our reasons is report data of its own (4.2.4.4)."""
    reasons = tuple(
        vr.TypedDataType(
            type_value=REASON_TYPE,
            value=AnyElement(qname=f"{{{NAMESPACE}}}Value", text=f"{reason.code}: {printable(reason.message)}"),
        )
        for reason in one.reasons
    )
    stamps = [] if one.evidence is None else [objects.time_stamp(stamp) for stamp in one.evidence.time_stamps]
    return vr.ValidationStatusType(
        main_indication=_INDICATIONS[one.verdict],
        sub_indication=(f"{_URN}:subindication:{one.sub_indication}",) if one.sub_indication else (),
        associated_validation_report_data=(
            vr.ValidationReportDataType(
                certificate_chain=None if one.evidence is None else _chain(one.evidence, objects),
                related_validation_object=tuple(vr.VOReferenceType(voreference=(one,)) for one in (document, *stamps)),
                additional_validation_report_data=vr.AdditionalValidationReportDataType(reasons) if reasons else None,
            ),
        ),
    )


def _chain(evidence: SealEvidence, objects: _Objects) -> vr.CertificateChainType | None:
    """4.2.4.3.2: only where it was followed up to an anchor."""
    if len(evidence.certificates) == 1:
        return None
    first, *between, anchor = (
        vr.VOReferenceType(voreference=(objects.certificate(der),)) for der in evidence.certificates
    )
    return vr.CertificateChainType(
        signing_certificate=first, intermediate_certificate=tuple(between), trust_anchor=anchor
    )


def _validator(report: Report) -> vr.SignatureValidatorType:
    name = tl.DigitalIdentityType(x509_subject_name=f"CN=sealtool {report.tool_version}")
    return vr.SignatureValidatorType(digital_id=(name,))


def _digest(name: str, value: bytes) -> xades.DigestAlgAndValueType:
    """An algorithm that XML signatures have no name for keeps its own."""
    method = _DIGESTS.get(name, f"urn:x-sealtool:digest:{name}")
    return xades.DigestAlgAndValueType(digest_method=ds.DigestMethod(method), digest_value=ds.DigestValue(value))


def _time(moment: datetime) -> XmlDateTime:
    return XmlDateTime.from_datetime(moment)
