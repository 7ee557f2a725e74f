"""Judging one signature at one moment, with the material at hand and nothing from the network.

The building blocks of EN 319 102-1 are pyHanko's: 5.3 (basic signatures, :func:`ades_basic_validation`) and 5.4
(time stamps, :func:`ades_timestamp_validation`), both with revocation data *required* for every certificate below
the anchor. The moments are put together in :mod:`sealtool.verification.appraisal`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Final

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESPassed, AdESSubIndic
from pyhanko.sign.validation.ades import ades_basic_validation, ades_timestamp_validation
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator.authority import AuthorityWithCert, TrustAnchor
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.fetchers import FetcherBackend, Fetchers
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import NO_REVOCATION, REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from sealtool.verification import remembering
from sealtool.verification.accusations import accusations
from sealtool.verification.algorithms import StrongAlgorithmsOnly
from sealtool.verification.message import Message, asn1_certificate, digest_of, is_issued_by
from sealtool.verification.precedent import Case, case_of_seal, case_of_time_stamp
from sealtool.verification.qualified import CERTIFICATE_SERVICES, TIME_STAMP_SERVICES, comparable_name
from sealtool.verification.reasons import ReasonCode
from sealtool.verification.remembering import Precedents, key_of
from sealtool.verification.stretches import stretch_of
from sealtool.verification.trust import Trust
from sealtool.verification.vouching import Datum, all_data, without_what_cannot_vouch

_Anchors = tuple[bytes, ...]
_Run = Callable[[_Anchors, SignatureValidationSpec], Awaitable["Judgement"]]
_POLICY = StrongAlgorithmsOnly()
# EN 319 412-3 leaves either, or both, to the authority: seals with digitalSignature alone are common.
_SEAL_USAGE = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)


class _NoNetwork(FetcherBackend):
    """Stands where the library would put its HTTP client."""

    def get_fetchers(self) -> Fetchers:
        raise AssertionError("verification never uses the network")


_OFFLINE = RevocationInfoGatheringSpec(
    online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY, fetcher_backend=_NoNetwork()
)


@dataclass(frozen=True, slots=True)
class Material:
    """Validation data as DER: trusted where it says so, otherwise only as good as its signatures."""

    trust: Trust
    certificates: tuple[bytes, ...] = ()
    revocation_lists: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()

    def without_handed_in_lists(self) -> Material:
        """What the file itself brings, with the anchors."""
        trust = replace(self.trust, revocation_lists=())
        return Material(trust, self.certificates, self.revocation_lists, self.ocsp_responses)

    @property
    def all_lists(self) -> tuple[bytes, ...]:
        """The file's revocation lists and those handed in."""
        return (*self.revocation_lists, *self.trust.revocation_lists)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the library says of one signature at one moment.

    Attributes:
        indication: the AdES sub-indication; passed where it is AdESPassed.OK.
        path: DER of the certificates from the signer upwards, without the anchor; empty where there is none.
        anchor: DER of the anchor, empty where there is none. Where a time stamp's own certificate is on a trusted
            list, it is the path, and its issuer stands here, or itself where that is not at hand.
        is_not_granted: whether a chain leads to a service on a trusted list that had no qualified status then.
    """

    indication: AdESSubIndic
    path: tuple[bytes, ...] = ()
    anchor: bytes = b""
    is_not_granted: bool = False

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the signature at that moment."""
        return self.indication is AdESPassed.OK


_PRECEDENTS: Final[Precedents[Judgement]] = Precedents()


@dataclass(frozen=True, slots=True)
class Revocation:
    """That a certificate of a path is called revoked."""

    moment: datetime
    is_signer: bool


@dataclass(slots=True)
class Judge:
    """Judges the signatures of one file with the same material."""

    material: Material
    _specifications: dict[tuple[_Anchors, bool], SignatureValidationSpec] = field(default_factory=dict)
    _revocation_data: tuple[Datum, ...] | None = None

    async def judge_seal(self, message: Message, digest: bytes, at: datetime, *, proven: bool) -> Judgement:
        """EN 319 102-1, 5.3 for the seal, as of ``at``; ``proven`` where a time stamp proves that moment."""
        timing = ValidationTimingInfo(at, at, point_in_time_validation=proven)

        async def run(_: _Anchors, specification: SignatureValidationSpec) -> Judgement:
            result = await ades_basic_validation(
                message.signed_data, specification, timing_info=timing, raw_digest=digest
            )
            return _judgement(result)

        return await self._judged(run, case_of_seal(message, digest), message, CERTIFICATE_SERVICES, timing)

    async def judge_time_stamp(self, message: Message, stamped: Iterable[bytes | memoryview]) -> Judgement:
        """EN 319 102-1, 5.4 for a time stamp over ``stamped``, as of the moment it names."""
        at = message.stamped_at
        timing = ValidationTimingInfo(at, at, point_in_time_validation=True)
        parts = tuple(stamped)

        def imprint(algorithm: str) -> bytes:
            return digest_of(parts, algorithm)

        async def run(listed: _Anchors, specification: SignatureValidationSpec) -> Judgement:
            result = await ades_timestamp_validation(message.signed_data, specification, imprint, timing_info=timing)
            judgement = _judgement(result)
            if judgement.indication is AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND and judgement.anchor in listed:
                return self._listed_itself(message, judgement.anchor)
            return judgement

        return await self._judged(run, case_of_time_stamp(message, imprint), message, TIME_STAMP_SERVICES, timing)

    def _listed_itself(self, message: Message, signer: bytes) -> Judgement:
        """A time stamp whose own certificate identifies a listed service; the library asks nothing more of it then.

        Its status on the list stands for revocation. Where a list of its issuer is at hand, that one counts as well.
        """
        if not is_within_validity(signer, message.stamped_at):
            return Judgement(AdESIndeterminate.OUT_OF_BOUNDS_NO_POE)
        issuers = (der for der in self._at_hand(message) if der != signer and is_issued_by(signer, der))
        return Judgement(AdESPassed.OK, (signer,), next(issuers, signer))

    async def _judged(
        self, run: _Run, case: Case, message: Message, services: Collection[str], timing: ValidationTimingInfo
    ) -> Judgement:
        granted = self._listed(message, services, timing.validation_time)
        key = self._key(case, services, timing, granted) if case.likeness else b""
        known = _PRECEDENTS.find(key)
        if known is not None and case.holds():
            return known
        judgement = await self._with_reason(run, message, services, granted)
        if judgement.passed and key:
            _PRECEDENTS.keep(key, judgement)
        return judgement

    def _key(self, case: Case, services: Collection[str], timing: ValidationTimingInfo, granted: _Anchors) -> bytes:
        """Of all that a judgement depends on, but for what the case has of its own."""
        material, trust = self.material, self.material.trust
        data = (
            case.likeness,
            granted,
            trust.anchors,
            trust.certificates,
            trust.revocation_lists,
            material.certificates,
            material.revocation_lists,
            material.ocsp_responses,
        )
        stretch = stretch_of(timing.validation_time, chain.from_iterable(data))
        circumstances = (*sorted(services), stretch, str(timing.point_in_time_validation))
        return key_of(map(str.encode, circumstances), *data)

    async def _with_reason(
        self, run: _Run, message: Message, services: Collection[str], granted: _Anchors
    ) -> Judgement:
        judgement = await self._with_revocation(run, message, granted)
        if judgement.indication is AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND:
            listed = self._listed(message, services, None)
            if listed != granted:
                bare = await run(listed, self._specification(listed, with_revocation=False))
                is_not_granted = bare.indication is not AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND
                return replace(judgement, is_not_granted=is_not_granted)
        if judgement.indication in (AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE, AdESIndeterminate.TRY_LATER):
            # The library does not tell missing revocation data from a broken chain, nor the chain where data is too
            # old. Without the question of revocation the chain either holds, so the data is what is missing, or not.
            bare = await run(granted, self._specification(granted, with_revocation=False))
            if bare.passed:
                return Judgement(AdESIndeterminate.TRY_LATER, bare.path, bare.anchor)
            return bare
        return judgement

    async def _with_revocation(self, run: _Run, message: Message, granted: _Anchors) -> Judgement:
        """All data may speak against a certificate, so that they are all asked first. Who passes is asked about once
        more without those that cannot vouch for it: whose certificates are in question, the path tells."""
        judgement = await run(granted, self._specification(granted, with_revocation=True))
        data = self._data()
        while judgement.passed:
            all_of_them, data = data, without_what_cannot_vouch(data, judgement.path, self._signers(message, judgement))
            if len(data) == len(all_of_them):
                break
            judgement = await run(granted, _build_specification(self.material, granted, data, with_revocation=True))
        return judgement

    def _listed(self, message: Message, services: Collection[str], at: datetime | None) -> _Anchors:
        """The services on trusted lists that could have certified somebody here, or be the signer; ``at`` or ever."""
        listed = self.material.trust.services
        if not listed:
            return ()
        names = {comparable_name(asn1_certificate(der).issuer) for der in self._at_hand(message)}
        return listed.anchors(names | {comparable_name(message.signer.subject)}, services, at)

    def _at_hand(self, message: Message) -> tuple[bytes, ...]:
        return (*message.brought, *self.material.certificates, *self.material.trust.certificates)

    def _signers(self, message: Message, judgement: Judgement) -> tuple[bytes, ...]:
        """Who may have signed revocation data."""
        return (*judgement.path, judgement.anchor, *self._at_hand(message), *self.material.trust.anchors)

    def _specification(self, listed: _Anchors, *, with_revocation: bool) -> SignatureValidationSpec:
        known = self._specifications.get((listed, with_revocation))
        if known is None:
            known = _build_specification(self.material, listed, self._data(), with_revocation=with_revocation)
            self._specifications[(listed, with_revocation)] = known
        return known

    def _data(self) -> tuple[Datum, ...]:
        if self._revocation_data is None:
            self._revocation_data = all_data(self.material.all_lists, self.material.ocsp_responses)
        return self._revocation_data

    def revocations(self, message: Message, judgement: Judgement) -> list[Revocation]:
        """Every word of an authority that a certificate of the path is revoked, however old it is."""
        chain, material = (*judgement.path, judgement.anchor), self.material
        return [
            Revocation(moment, is_signer=index == 0)
            for index, der in enumerate(judgement.path)
            for moment in accusations(
                der,
                chain[index + 1 :],
                lists=material.all_lists,
                responses=material.ocsp_responses,
                known=self._at_hand(message),
            )
        ]


def _judgement(result: object) -> Judgement:
    indication: AdESSubIndic = result.ades_subindic  # type: ignore[attr-defined]
    status = result.api_status  # type: ignore[attr-defined]
    path = None if status is None else status.validation_path
    if path is None:
        return Judgement(indication)
    certificates = tuple(certificate.dump() for certificate in path.iter_certs(include_root=False))
    anchor = path.trust_anchor.authority.certificate.dump()
    if not certificates and indication is AdESPassed.OK:
        # The signer itself was handed in as an authority: then nothing was checked.
        return Judgement(AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND, anchor=anchor)
    return Judgement(indication, tuple(reversed(certificates)), anchor)


class _Anchor(AuthorityWithCert):
    """An anchor is an end of chains whoever signed it (RFC 5280, 6.1.1 (d)), and the issuer of its revocation lists.

    The library looks for the anchor above the issuer of a list, and finds it only where that one is self-signed. So the
    lists of an issuing authority would be of no use where it is the anchor itself, and not its root.
    """

    def is_potential_issuer_of(self, cert: asn1_x509.Certificate) -> bool:
        return cert.sha256 == self.certificate.sha256 or bool(super().is_potential_issuer_of(cert))


def _build_specification(
    material: Material, listed: _Anchors, data: Sequence[Datum], *, with_revocation: bool
) -> SignatureValidationSpec:
    revocation = REQUIRE_REVINFO if with_revocation else NO_REVOCATION
    anchors = dict.fromkeys((*material.trust.anchors, *listed))
    return SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build([TrustAnchor(_Anchor(asn1_certificate(der))) for der in anchors]),
            # 5.2.5: a list issued after the moment in question still tells what had been revoked by then, as long
            # as it keeps account of the certificate at all.
            revinfo_policy=CertRevTrustPolicy(revocation, retroactive_revinfo=True),
            algorithm_usage_policy=_POLICY,
        ),
        revinfo_gathering_policy=_OFFLINE,
        local_knowledge=LocalKnowledge(
            known_certs=[asn1_certificate(der) for der in (*material.certificates, *material.trust.certificates)],
            known_crls=[one for one in data if isinstance(one, CRLContainer)],
            known_ocsps=[one for one in data if isinstance(one, OCSPContainer)],
        ),
        key_usage_settings=_SEAL_USAGE,
        signature_algorithm_policy=_POLICY,
    )


@remembering.parts
def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def is_within_validity(der: bytes, moment: datetime) -> bool:
    """Whether a certificate was valid at ``moment``."""
    certificate = _certificate(der)
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def first_end(paths: Iterable[Iterable[bytes]]) -> datetime:
    """The first moment at which a certificate of these paths runs out; at least one path has at least one."""
    return min(_certificate(der).not_valid_after_utc.astimezone(UTC) for path in paths for der in path)


SEAL_CODES: dict[AdESSubIndic, ReasonCode] = {
    AdESFailure.HASH_FAILURE: ReasonCode.DIGEST_MISMATCH,
    AdESFailure.SIG_CRYPTO_FAILURE: ReasonCode.SIGNATURE_INVALID,
    AdESFailure.FORMAT_FAILURE: ReasonCode.SIGNATURE_MALFORMED,
    AdESIndeterminate.NO_SIGNING_CERTIFICATE_FOUND: ReasonCode.NO_SEAL_CERTIFICATE,
    AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND: ReasonCode.UNTRUSTED,
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: ReasonCode.NOT_FOR_SEALING,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: ReasonCode.WEAK_ALGORITHM,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: ReasonCode.WEAK_ALGORITHM,
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: ReasonCode.SEAL_CERTIFICATE_EXPIRED,
    AdESIndeterminate.REVOKED_NO_POE: ReasonCode.SEAL_CERTIFICATE_REVOKED,
    AdESIndeterminate.REVOKED_CA_NO_POE: ReasonCode.AUTHORITY_REVOKED,
    AdESIndeterminate.TRY_LATER: ReasonCode.NO_REVOCATION_DATA,
}
"""What an indication of the library means for the seal; any other is CHAIN_UNSOUND."""
