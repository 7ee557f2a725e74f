"""Extends sealed documents: to B-LTA from any lower level, and again before the last archive time stamp runs out.

EN 319 142-1, 5.5: before a new document time stamp, the document is given what it takes to judge the one before.
Needs time stamp authorities, trust and revocation sources, and never the key of the seal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

from cryptography import x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import PreSignValidationStatus
from pyhanko_certvalidator.errors import (
    CertificateFetchError,
    CRLFetchError,
    InsufficientRevinfoError,
    OCSPFetchError,
    RevokedError,
)

from sealtool.errors import ConfigurationError, ExtensionError, SealtoolError
from sealtool.model import PadesLevel, SealedPdf
from sealtool.sealing.archiving import stamp_document
from sealtool.sealing.evidence import demand_extension
from sealtool.sealing.material import (
    MATERIAL_LIFETIME,
    authority_path,
    first_end,
    first_token,
    kept,
    prove_sufficient,
    unknown_revocation,
)
from sealtool.sealing.profile import DigestAlgorithm, SealingProfile
from sealtool.sealing.questions import Question, questions_of
from sealtool.sealing.revocation import RevocationSources, load_crls
from sealtool.sealing.supply import Supply
from sealtool.sealing.time_stamps import CheckedTimeStamper, TimeStampAuthority
from sealtool.sealing.trust import PATH_FAULTS, Trust, path_to_trust

_TIME_STAMPING: Final = frozenset({"time_stamping"})
_UNKNOWN = (InsufficientRevinfoError, CertificateFetchError, CRLFetchError, OCSPFetchError)
_STAMPING_FAULTS = (PdfError, SigningError, KeyError, AttributeError, ValueError, TypeError, AssertionError)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Path and revocation data of one certificate, and when the first of the data run out."""

    validation: PreSignValidationStatus
    usable_until: datetime | None

    def serves_at(self, moment: datetime) -> bool:
        return self.usable_until is None or moment < self.usable_until


@dataclass(frozen=True, slots=True)
class _Material:
    """Gathered for the extensions of the next minutes.

    Attributes:
        gathered_at: when.
        stamper: stamps, and is checked.
        authority: of the authority behind it.
        answers: the same for certificates in the documents, by the key of the question.
    """

    gathered_at: datetime
    stamper: CheckedTimeStamper
    authority: _Answer
    answers: dict[Hashable, _Answer] = field(default_factory=dict)

    def serves_at(self, moment: datetime) -> bool:
        """Whether documents may still be extended with it."""
        return self.authority.serves_at(moment) and timedelta(0) <= moment - self.gathered_at < MATERIAL_LIFETIME


class Extender:
    """Adds archive time stamps. One object a process and event loop; any number of documents in flight.

    Args:
        digest: of the time stamps.
        time_stamps: authorities in order of preference; one that fails is passed over for some minutes.
        trust_anchors: roots that seals and authorities must lead to.
        intermediates: issuers in between, where documents and time stamps do not bring them.
        revocation: where to look for revocation.
        clock: the present, aware.

    Raises:
        ConfigurationError: time stamp authorities, anchors or revocation sources are missing.
    """

    def __init__(  # noqa: PLR0913 (all but the digest are keyword-only)
        self,
        digest: DigestAlgorithm = DigestAlgorithm.SHA256,
        *,
        time_stamps: Sequence[TimeStampAuthority],
        trust_anchors: Sequence[x509.Certificate],
        intermediates: Sequence[x509.Certificate] = (),
        revocation: RevocationSources,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        _refuse_without_means(time_stamps, trust_anchors, revocation)
        self._profile = SealingProfile(PadesLevel.B_LTA, digest)
        self._trust = Trust(tuple(trust_anchors), tuple(intermediates), revocation)
        self._clock = clock
        self._supply = Supply(time_stamps, self._gather, clock)
        self._asking = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of connections to time stamp authorities."""
        await self._supply.aclose()

    async def prepare(self) -> datetime:
        """Do all that may fail before the first document: reach the services, judge the authority.

        Returns:
            Until when a time stamp given now can be judged by itself: the first end among the certificates of the
            authority and its issuers below the root.

        Raises:
            ServiceUnreachableError: revocation data or time stamps cannot be had.
            ConfigurationError: a CRL file is none.
        """
        path = (await self._supply.material()).authority.validation.signer_path
        end: datetime = min(certificate.not_valid_after for certificate in path.iter_certs(include_root=False))
        return end.astimezone(UTC)

    async def extend(self, document: SealedPdf) -> SealedPdf:
        """The document with another archive time stamp, at B-LTA. Its bytes are the beginning of the new ones.

        The revocation of what an archive time stamp already covers is not asked again: the seal certificate may have
        expired since. What is asked is the authority of the last archive time stamp; without one, the seal certificate
        and the authority of its own time stamp.

        Raises:
            ExtensionError: a certificate in the document is expired, revoked or not trusted, or the document is not
                one that can be extended; others can be.
            ServiceUnreachableError: revocation data or time stamps cannot be had.
            ConfigurationError: a CRL file is none.
            SelfCheckError: what came out lacks something.
        """
        questions = questions_of(document.content)
        return await self._supply.work_with(lambda material: self._extended(document, questions, material))

    async def _extended(self, document: SealedPdf, questions: Sequence[Question], material: _Material) -> SealedPdf:
        answers = [await self._answer(question, material) for question in questions]
        validation = _together([each.validation for each in (*answers, material.authority)])
        try:
            content = await stamp_document(document.content, material.stamper, validation, self._profile)
        except _STAMPING_FAULTS as fault:
            raise ExtensionError(
                f"An archive time stamp cannot be added to the document ({type(fault).__name__}: {fault}).",
                advice="Run `sealtool verify` on it; if it passes there, report this with the file.",
            ) from fault
        demand_extension(document.content, content, self._profile, validation)
        return replace(document, content=content)

    # --- what has to be known ---------------------------------------------------------------------

    async def _gather(self, stamper: CheckedTimeStamper | None) -> _Material:
        if stamper is None:
            raise AssertionError("extending is always with an authority")
        await first_token(stamper, self._profile)
        # the authority may have taken its time: what is fetched now would be too recent for an earlier context
        now = self._clock()
        async with self._trust.context(now, load_crls(self._trust.revocation.crl_files)) as context:
            validation = kept([await authority_path(stamper, context)], context)
        return _Material(now, stamper, await self._proved(validation, now))

    async def _answer(self, question: Question, material: _Material) -> _Answer:
        """Thousands of documents have the same few certificates: each is asked about once in a while."""
        async with self._asking:
            now = self._clock()
            known = material.answers.get(question.key)
            if known is None or not known.serves_at(now):
                known = material.answers[question.key] = await self._ask(question, now)
            return known

    async def _ask(self, question: Question, now: datetime) -> _Answer:
        usage = _TIME_STAMPING if question.is_authority else frozenset[str]()
        async with self._trust.context(now, load_crls(self._trust.revocation.crl_files)) as context:
            try:
                path = await path_to_trust(question.certificate, question.issuers, context, extended_key_usage=usage)
            except RevokedError as fault:
                if not question.is_proven:
                    raise _unusable(question, fault) from fault
                # It had sealed before, as its time stamp proves, so the list that names it is what is to be kept.
                return _Answer(kept([await self._path_of_revoked(question, now)], context), usable_until=None)
            except PATH_FAULTS as fault:
                raise _unusable(question, fault) from fault
            validation = kept([path], context)
        return await self._proved(validation, now)

    async def _proved(self, validation: PreSignValidationStatus, now: datetime) -> _Answer:
        await prove_sufficient(validation, self._trust, now)
        return _Answer(validation, first_end(validation, now))

    async def _path_of_revoked(self, question: Question, now: datetime) -> object:
        without = replace(self._trust, revocation=RevocationSources())
        try:
            return await path_to_trust(question.certificate, question.issuers, without.offline_context(now, (), ()))
        except PATH_FAULTS as fault:
            raise _unusable(question, fault) from fault


def _together(answers: Sequence[PreSignValidationStatus]) -> PreSignValidationStatus:
    crls = {crl.dump(): crl for answer in answers for crl in answer.crls_to_embed}
    ocsps = {ocsp.dump(): ocsp for answer in answers for ocsp in answer.ocsps_to_embed}
    return PreSignValidationStatus(
        signer_path=answers[0].signer_path,
        validation_paths=[path for answer in answers for path in answer.validation_paths],
        ts_validation_paths=[],
        ocsps_to_embed=list(ocsps.values()),
        crls_to_embed=list(crls.values()),
    )


def _unusable(question: Question, fault: BaseException) -> SealtoolError:
    if isinstance(fault, _UNKNOWN):
        return unknown_revocation(question.what, fault)
    if isinstance(fault, RevokedError):
        return ExtensionError(
            f"{question.what} has been revoked by its issuer, so another archive time stamp would prove nothing.",
            advice="Find out why and since when. The SHA-256 in the manifest is what proves the document.",
        )
    why = str(fault).strip().rstrip(".") or type(fault).__name__
    return ExtensionError(
        f"{question.what} cannot be validated any more ({why}), so another archive time stamp would come too late.",
        advice="Check the trust anchors and the clock of this machine. If it has expired, the SHA-256 in the manifest "
        "is what proves the document.",
    )


def _refuse_without_means(
    time_stamps: Sequence[TimeStampAuthority],
    trust_anchors: Sequence[x509.Certificate],
    revocation: RevocationSources,
) -> None:
    missing = []
    if not time_stamps:
        missing.append("a time stamp authority")
    if not trust_anchors:
        missing.append("trust anchors")
    if not revocation.configured:
        missing.append("revocation data (CRL files, or leave to fetch them)")
    if missing:
        raise ConfigurationError(
            f"Documents cannot be extended to B-LTA without {' and '.join(missing)}.",
            advice="Add what is missing to the configuration.",
        )
