"""Puts seals on documents: PAdES on certificates, detached CAdES on manifests. Everything in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from types import TracebackType
from typing import Self, TypeVar

from asn1crypto import cms
from cryptography import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.signers.pdf_signer import (
    DSSContentSettings,
    PdfSignatureMetadata,
    PdfSigner,
    PdfSigningSession,
    PreSignValidationStatus,
    SigDSSPlacementPreference,
)

from sealtool.errors import ConfigurationError, RenderingError, SealKeyError
from sealtool.model import SEAL_FIELD_NAME, SealedPdf, UnsealedPdf
from sealtool.sealing.archiving import ready_to_be_stamped, stamped
from sealtool.sealing.cades import cades_attributes, room_for_document_stamp
from sealtool.sealing.evidence import demand_evidence
from sealtool.sealing.keys import SealKey, as_asn1
from sealtool.sealing.material import SealingMaterial, gather
from sealtool.sealing.messages import SealMessages
from sealtool.sealing.profile import SealingProfile
from sealtool.sealing.revocation import RevocationSources
from sealtool.sealing.supply import Supply
from sealtool.sealing.time_stamps import CheckedTimeStamper, TimeStampAuthority
from sealtool.sealing.trust import Trust
from sealtool.sealing.updates import Prepared, UpdateMoulds, ground_of
from sealtool.sealing.writing import SealWriter

T = TypeVar("T")

SEAL_FIELD_DESCRIPTION = "Segell electrònic / Sello electrónico"
"""What a screen reader says of the seal's field (``/TU``; PDF/UA-1, 7.18.1)."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sealer:
    """Seals documents with one key, at one level. One object a process and event loop; any number in flight.

    Args:
        key: seals.
        profile: how.
        time_stamps: authorities in order of preference; one that fails is passed over for some minutes.
        trust_anchors: roots the seal and the authorities must lead to; needed from B-LT on, and judged at
            every level where there are any.
        intermediates: issuers in between, where neither PKCS#12 file nor time stamps bring them.
        revocation: where to look for revocation; needed from B-LT on, and asked at every level where it is
            configured.
        clock: the present, aware.
        second_look: read each sealed document again (:func:`~sealtool.sealing.evidence.demand_evidence`). To be left
            out only by who has each one judged by the verifier at its level, and by whose certificate, before using it.

    Raises:
        ConfigurationError: the level cannot be reached with what was given.
    """

    def __init__(  # noqa: PLR0913 (six are keyword-only and have defaults)
        self,
        key: SealKey,
        profile: SealingProfile,
        *,
        time_stamps: Sequence[TimeStampAuthority] = (),
        trust_anchors: Sequence[x509.Certificate] = (),
        intermediates: Sequence[x509.Certificate] = (),
        revocation: RevocationSources = RevocationSources(),  # noqa: B008 (frozen)
        clock: Callable[[], datetime] = _utc_now,
        second_look: bool = True,
    ) -> None:
        _refuse_unreachable_level(profile, time_stamps, trust_anchors, revocation)
        self._key = key
        self._profile = profile
        trust = Trust(tuple(trust_anchors), tuple(intermediates), revocation)
        # the clock anew for each authority: the ones before may have taken their time
        self._supply = Supply(time_stamps, lambda stamper: gather(key, profile, trust, stamper, clock()), clock)
        self._clock = clock
        self._second_look = second_look
        self._certificate = as_asn1(key.certificate)
        self._messages = SealMessages(key.signer, profile)
        self._moulds = UpdateMoulds()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def certificate_sha256(self) -> str:
        """SHA-256 of the seal certificate (DER), in lower-case hexadecimal: whose seals these are."""
        return str(self._certificate.sha256.hex())

    async def aclose(self) -> None:
        """Let go of connections to time stamp authorities."""
        await self._supply.aclose()

    async def prepare(self) -> None:
        """Do all that may fail before the first document: judge the seal certificate, reach the services.

        Raises:
            SealKeyError: the seal certificate is expired, revoked, not trusted, or not for seals.
            ServiceUnreachableError: revocation data or time stamps cannot be had.
            ConfigurationError: a CRL file is none.
        """
        await self._supply.material(stamped=self._profile.stamped)

    async def seal(self, pdf: UnsealedPdf) -> SealedPdf:
        """The document with its seal, at the level of the profile and no lower one.

        Raises:
            SealKeyError: the seal certificate is expired, revoked, not trusted, or the key does not sign.
            ServiceUnreachableError: revocation data or time stamps cannot be had.
            ConfigurationError: a CRL file is none.
            RenderingError: the document is not a PDF that can be sealed.
            SelfCheckError: what came out lacks something its level demands, where it is looked at.
        """

        async def once(material: SealingMaterial) -> SealedPdf:
            content = await self._sealed(pdf, material)
            if self._second_look:
                demand_evidence(content, self._profile, self._certificate, material.validation)
            return SealedPdf(content=content, pages=pdf.pages)

        return await self._guarded(once, stamped=self._profile.stamped)

    async def seal_detached(self, content: bytes) -> bytes:
        """A detached CAdES seal of ``content`` (EN 319 122-1), as DER: with a time stamp where there is an authority.

        From B-LT on the revocation lists and OCSP responses of seal and time stamp travel with it.

        Raises:
            As :meth:`seal`, without RenderingError.
        """

        async def once(material: SealingMaterial) -> bytes:
            message = await self._key.signer.async_sign_general_data(
                content,
                self._profile.digest.value,
                detached=True,
                use_cades=True,
                timestamper=material.stamper,
                signed_attr_settings=PdfCMSSignedAttributes(
                    signing_time=self._clock(), cades_signed_attrs=cades_attributes(self._profile)
                ),
            )
            return bytes(_with_revocation_data(message, material).dump())

        return await self._guarded(once, stamped=bool(self._supply.authorities))

    async def _guarded(self, work: Callable[[SealingMaterial], Awaitable[T]], *, stamped: bool) -> T:
        async def guarded(material: SealingMaterial) -> T:
            self._key.check(self._clock())  # the material may have outlived the certificate
            try:
                return await work(material)
            except SigningError as error:
                raise SealKeyError(
                    f"The seal key {self._key.source} could not seal: {error}.",
                    advice="Check the key and the digest algorithm in the configuration.",
                ) from error

        return await self._supply.work_with(guarded, stamped=stamped)

    async def _sealed(self, pdf: UnsealedPdf, material: SealingMaterial) -> bytes:
        profile, stamper = self._profile, material.stamper
        prepared = self._prepared(pdf, material)
        digest = prepared.digest(profile.digest.value)
        prepared.fill(await self._messages.seal_of(digest, stamper if profile.stamped else None))
        if profile.archival and stamper is not None and material.validation is not None:
            return await self._archived(prepared, material, stamper, material.validation)
        return bytes(prepared.content)

    def _prepared(self, pdf: UnsealedPdf, material: SealingMaterial) -> Prepared:
        """The document with all of its seal but the message."""
        ground = ground_of(pdf.content)
        poured = self._moulds.poured(pdf.content, ground, material, moment=self._clock())
        if poured is not None:
            return poured
        try:
            writer = SealWriter(BytesIO(pdf.content))
            _set_tab_order(writer)
            session = self._session(writer, material)
        except (PdfError, SigningError, KeyError, ValueError, TypeError, AssertionError) as error:
            raise RenderingError(
                f"A document cannot be sealed, because it is not a clean, unsealed PDF: {error}.",
                advice="This is a fault of the template or of the program: report it with the log of this run.",
            ) from error
        output = BytesIO()
        to_seal = session.prepare_tbs_document(material.validation, material.room)
        by_library, _ = to_seal.digest_tbs_document(output=output)
        content = output.getvalue()
        gap = (by_library.reserved_region_start, by_library.reserved_region_end)
        return Prepared(bytearray(content), gap, self._moulds.learn(pdf.content, content, ground, material))

    async def _archived(
        self,
        sealed: Prepared,
        material: SealingMaterial,
        stamper: CheckedTimeStamper,
        validation: PreSignValidationStatus,
    ) -> bytes:
        """The sealed document with its archive time stamp."""
        profile = self._profile
        room = await room_for_document_stamp(profile, stamper)
        prepared = self._moulds.poured(sealed.content, sealed.ground, material, moment=self._clock(), room=room)
        if prepared is None:
            content = bytes(sealed.content)
            prepared = await ready_to_be_stamped(content, validation, profile, room)
            self._moulds.learn(content, bytes(prepared.content), sealed.ground, material)
        return await stamped(prepared, stamper, profile)

    def _session(self, writer: SealWriter, material: SealingMaterial) -> PdfSigningSession:
        profile = self._profile
        metadata = PdfSignatureMetadata(
            field_name=SEAL_FIELD_NAME,
            md_algorithm=profile.digest.value,
            reason=profile.reason or None,
            location=profile.location or None,
            contact_info=profile.contact or None,
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            # the document time stamp is ours to add: the library would look up the authority for each anew
            embed_validation_info=profile.long_term,
            use_pades_lta=False,
            cades_signed_attr_spec=cades_attributes(self._profile),
            # At B-LT one revision for seal and validation data, so that the seal covers the entire file. At B-LTA the
            # data come with the archive time stamp: the reference validator of the Commission credits only what was
            # added behind the seal.
            dss_settings=DSSContentSettings(
                include_vri=False,
                placement=SigDSSPlacementPreference.TOGETHER_WITH_NEXT_TS
                if profile.archival
                else SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE,
            ),
        )
        signer = PdfSigner(
            metadata,
            self._key.signer,
            timestamper=material.stamper if profile.stamped else None,
            new_field_spec=SigFieldSpec(SEAL_FIELD_NAME, readable_field_name=SEAL_FIELD_DESCRIPTION),
        )
        session = signer.init_signing_session(writer)
        session.system_time = self._clock()
        return session


def _with_revocation_data(message: cms.ContentInfo, material: SealingMaterial) -> cms.ContentInfo:
    """EN 319 122-1, 6.3: what a detached seal needs to be judged later stands in SignedData.crls."""
    if material.validation is None:
        return message
    lists = [cms.RevocationInfoChoice(name="crl", value=each) for each in material.validation.crls_to_embed]
    responses = [
        # RFC 5940, 2.2
        cms.RevocationInfoChoice(name="other", value={"other_rev_info_format": "ocsp_response", "other_rev_info": each})
        for each in material.validation.ocsps_to_embed
    ]
    if lists or responses:
        message["content"]["crls"] = [*lists, *responses]
    if responses:
        message["content"]["version"] = "v5"  # RFC 5652, 5.1
    return message


def _refuse_unreachable_level(
    profile: SealingProfile,
    time_stamps: Sequence[TimeStampAuthority],
    trust_anchors: Sequence[x509.Certificate],
    revocation: RevocationSources,
) -> None:
    missing = []
    if profile.stamped and not time_stamps:
        missing.append("a time stamp authority")
    if profile.long_term and not trust_anchors:
        missing.append("trust anchors")
    if profile.long_term and not revocation.configured:
        missing.append("revocation data (CRL files, or leave to fetch them)")
    if missing:
        raise ConfigurationError(
            f"The level {profile.level} cannot be reached without {' and '.join(missing)}; sealing at a lower level in "
            "silence is out of the question.",
            advice="Add what is missing to the configuration, or set a lower level there.",
        )


def _set_tab_order(writer: SealWriter) -> None:
    """PDF/UA-1, 7.18.3: a page with an annotation has the tab order of the structure."""
    page_ref, _ = writer.find_page_for_modification(0)  # type: ignore[no-untyped-call]
    page = page_ref.get_object()
    if page.get("/Tabs") != "/S":
        page[generic.pdf_name("/Tabs")] = generic.pdf_name("/S")
        writer.mark_update(page_ref)
