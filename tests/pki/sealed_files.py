"""Sealed certificates made with plain pyHanko: nothing of the project's own sealing runs here."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from unittest.mock import patch

from asn1crypto import cms
from asn1crypto import crl as asn1_crl
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.ades.api import CAdESSignedAttrSpec
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from sealtool.model import SEAL_FIELD_NAME, PadesLevel
from sealtool.sealing.writing import SealWriter
from tests.pki.authorities import SEALED_AT, Identity, Pki, pki

RECORD: dict[str, Any] = {
    "schema": "sealtool.record/1",
    "certificate_id": "TEST-0000-0001",
    "level": "B1",
    "area": None,
    "accredited_on": "2025-03-12",
    "issued_on": "2026-03-02",
    "languages": ["ca", "es"],
    "procedures": ["training"],
    "person": {
        "person_id": "10000000P",
        "given_name": "Aina Maria",
        "first_surname": "de la Prova",
        "second_surname": "Col·lell",
    },
    "areas": [{"area": number, "covered_on": "2024-11-30", "procedure": "training"} for number in range(1, 7)],
    "rules_version": "2025-10-27",
}


SHOWN_FACTS = (
    "Aina Maria de la Prova Col·lell, 10000000P",
    "TEST-0000-0001, accredited on 2025-03-12, issued on 2026-03-02",
)
"""The record as a page shows it, the level apart."""


def page_text(number: int, level: str = "B1") -> bytes:
    """The operators of a page that shows the record, or another level than it."""
    lines = (f"Page {number}", f"level {level}", *SHOWN_FACTS)
    return b"BT /F1 12 Tf 72 720 Td 16 TL %s ET" % b" ".join(b"(%s) Tj T*" % line.encode("cp1252") for line in lines)


def record_json(**changes: Any) -> bytes:
    return json.dumps(RECORD | changes, ensure_ascii=False, sort_keys=True).encode()


@dataclass(frozen=True)
class Attachment:
    name: str
    content: bytes


def record_attachment(**changes: Any) -> Attachment:
    return Attachment("record.json", record_json(**changes))


class _Builder:
    """Numbers objects and writes them with a cross-reference table."""

    def __init__(self) -> None:
        self.objects: list[bytes] = []

    def add(self, body: bytes) -> int:
        self.objects.append(body)
        return len(self.objects)

    def stream(self, data: bytes, entries: bytes = b"") -> int:
        return self.add(b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data))

    def write(self, root: int) -> bytes:
        out = io.BytesIO()
        out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        offsets = []
        for number, body in enumerate(self.objects, start=1):
            offsets.append(out.tell())
            out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        start = out.tell()
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1))
        out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
        identifier = b"<00112233445566778899aabbccddeeff>"
        trailer = (len(offsets) + 1, root, identifier, identifier, start)
        out.write(b"trailer\n<< /Size %d /Root %d 0 R /ID [%s %s] >>\nstartxref\n%d\n%%%%EOF\n" % trailer)
        return out.getvalue()


@cache
def small_pdf(
    attachments: tuple[Attachment, ...] = (record_attachment(),),
    *,
    catalog: bytes = b"",
    annotation: bytes = b"",
    pages: int = 2,
) -> bytes:
    """A PDF of a few objects with text and attachments; ``catalog`` and ``annotation`` are added raw."""
    pdf = _Builder()
    root = pdf.add(b"")
    tree = pdf.add(b"")
    font = pdf.add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    annots = b"/Annots [%d 0 R]" % pdf.add(annotation) if annotation else b""
    kids = []
    for number in range(pages):
        content = pdf.stream(page_text(number + 1))
        entries = (tree, content, font, annots if number == 0 else b"")
        kids.append(
            pdf.add(
                b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
                b"/Resources << /Font << /F1 %d 0 R >> >> %s >>" % entries
            )
        )
    names = b""
    for index, attachment in enumerate(attachments):
        stream = pdf.stream(attachment.content, b"/Type /EmbeddedFile /Subtype /application#2Fjson")
        name = attachment.name.encode()
        spec = pdf.add(b"<< /Type /Filespec /F (%s) /UF (%s) /EF << /F %d 0 R >> >>" % (name, name, stream))
        names += b"(attachment%d) %d 0 R " % (index, spec)
    tree_of_names = b"/Names << /EmbeddedFiles << /Names [%s] >> >>" % names if names else b""
    pdf.objects[tree - 1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        pages,
        b" ".join(b"%d 0 R" % kid for kid in kids),
    )
    pdf.objects[root - 1] = b"<< /Type /Catalog /Pages %d 0 R %s %s >>" % (tree, tree_of_names, catalog)
    return pdf.write(root)


def _asn1(der: bytes) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(der)


def signer_of(identity: Identity, issuing: Identity, *, prefer_pss: bool = False) -> signers.SimpleSigner:
    return signers.SimpleSigner(
        signing_cert=_asn1(identity.der),
        signing_key=asn1_keys.PrivateKeyInfo.load(identity.key_der),
        cert_registry=SimpleCertificateStore.from_certs([_asn1(issuing.der)]),
        prefer_pss=prefer_pss,
    )


def stamper_of(hierarchy: Pki, moment: datetime) -> timestamps.DummyTimeStamper:
    return _stamper(hierarchy.authority.der, hierarchy.authority.key_der, hierarchy.issuing.der, moment)


@cache
def _stamper(certificate: bytes, key: bytes, issuer: bytes, moment: datetime) -> timestamps.DummyTimeStamper:
    """The same for the same: each makes one more time stamp first, to know how much room it takes."""
    return timestamps.DummyTimeStamper(
        tsa_cert=_asn1(certificate),
        tsa_key=asn1_keys.PrivateKeyInfo.load(key),
        certs_to_embed=SimpleCertificateStore.from_certs([_asn1(issuer)]),
        fixed_dt=moment,
    )


class _FixedClockSigner(signers.PdfSigner):
    moment: datetime | None = SEALED_AT

    def _enforce_certification_constraints(self, reader: Any) -> None:
        """A forger's tool does not ask whether an earlier seal forbids another one."""

    def init_signing_session(self, pdf_out: Any, existing_fields_only: bool = False) -> Any:
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self.moment
        return session


def seal(
    content: bytes,
    level: PadesLevel,
    *,
    hierarchy: Pki | None = None,
    who: str = "seal",
    moment: datetime | None = SEALED_AT,
    lists: tuple[bytes, ...] | None = None,
    stamper: timestamps.TimeStamper | None = None,
    prefer_pss: bool = False,
    **metadata: Any,
) -> bytes:
    """Seals ``content`` as pyHanko does it, at ``moment``, with a fresh incremental update.

    Without a moment the seal does not say when it was made; its time stamp, if it has one, is of SEALED_AT.
    """
    hierarchy = hierarchy or pki()
    long_term = level in (PadesLevel.B_LT, PadesLevel.B_LTA)
    context = ValidationContext(
        trust_roots=[_asn1(hierarchy.root.der)],
        other_certs=[_asn1(hierarchy.issuing.der)],
        crls=list(hierarchy.lists if lists is None else lists),
        allow_fetching=False,
        revocation_mode="require",
        moment=moment,
    )
    settings: dict[str, Any] = {
        "field_name": SEAL_FIELD_NAME,
        "md_algorithm": "sha256",
        "subfilter": fields.SigSeedSubFilter.PADES,
        "certify": True,
        "docmdp_permissions": fields.MDPPerm.NO_CHANGES,
        "signer_key_usage": {"digital_signature", "non_repudiation"},
    }
    if long_term:
        settings |= {
            "validation_context": context,
            "embed_validation_info": True,
            "use_pades_lta": level is PadesLevel.B_LTA,
            "dss_settings": DSSContentSettings(
                include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
            ),
        }
    signer = _FixedClockSigner(
        signers.PdfSignatureMetadata(**(settings | metadata)),
        signer=signer_of(hierarchy.seals[who], hierarchy.issuing, prefer_pss=prefer_pss),
        timestamper=None if level is PadesLevel.B_B else stamper or stamper_of(hierarchy, moment or SEALED_AT),
        new_field_spec=fields.SigFieldSpec(settings["field_name"], box=None) if "field_name" not in metadata else None,
    )
    signer.moment = moment
    with patch.object(IncrementalPdfFileWriter, "_update_meta", SealWriter._update_meta):  # in each update it writes
        return asyncio.run(signer.async_sign_pdf(SealWriter(io.BytesIO(content)))).getvalue()  # type: ignore[no-any-return]


def detached_seal(content: bytes, *, hierarchy: Pki | None = None, who: str = "seal", stamped: bool = True) -> bytes:
    """A CAdES detached seal over ``content``, in DER."""
    hierarchy = hierarchy or pki()
    signer = signer_of(hierarchy.seals[who], hierarchy.issuing)
    stamper = stamper_of(hierarchy, SEALED_AT) if stamped else None
    message = asyncio.run(
        signer.async_sign_general_data(
            content,
            "sha256",
            detached=True,
            timestamper=stamper,
            use_cades=True,
            signed_attr_settings=_signed_attributes(),
        )
    )
    return message.dump()  # type: ignore[no-any-return]


def with_lists(detached: bytes, lists: Iterable[bytes]) -> bytes:
    """The same detached seal with revocation lists beside its certificates (SignedData.crls)."""
    message = cms.ContentInfo.load(detached)
    message["content"]["crls"] = [
        cms.RevocationInfoChoice(name="crl", value=asn1_crl.CertificateList.load(each)) for each in lists
    ]
    return bytes(message.dump())


def _signed_attributes() -> Any:
    return signers.pdf_cms.PdfCMSSignedAttributes(signing_time=SEALED_AT, cades_signed_attrs=CAdESSignedAttrSpec())
