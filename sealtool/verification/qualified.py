"""What trusted lists say, ready for judging: which services were granted qualified status, and when.

Qualification follows ETSI TS 119 615 (4.4, certificates; 4.9, time stamps) in the strict reading below; the
cryptography is judged elsewhere. The interplay of the statements in a certificate and the qualifiers of a service is
pyHanko's (:class:`QualificationAssessor`).
"""

from __future__ import annotations

import hashlib
import pickle
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from asn1crypto import x509 as asn1_x509
from pyhanko.sign.validation.qualified.assess import QualificationAssessor
from pyhanko.sign.validation.qualified.q_status import QualifiedStatus
from pyhanko.sign.validation.qualified.tsp import (
    CA_QC_URI,
    QTST_URI,
    BaseServiceInformation,
    CAServiceInformation,
    QcCertType,
    Qualification,
    TSPRegistry,
)
from pyhanko_certvalidator.authority import AuthorityWithCert, TrustAnchor
from pyhanko_certvalidator.path import ValidationPath

from sealtool.model import SealQualification, TimeStampQualification

CERTIFICATE_SERVICES = frozenset({CA_QC_URI})
"""Who vouches for seal certificates."""
TIME_STAMP_SERVICES = frozenset({CA_QC_URI, QTST_URI})
"""Who vouches for time stamps: their own services, and authorities that certify them."""


@dataclass(frozen=True, slots=True)
class Grant:
    """That a service had qualified status for a time (TS 119 612, 5.5.4 and 5.6.4).

    Attributes:
        service_type: URI of its kind.
        certificates: what identifies it: the name of the subject in comparable form, and the DER.
        until: the first moment at which it no longer held; None where it holds.
        for_seals: whether it is about certificates for electronic seals (5.5.9.4).
        qualifications: what the list says about some of the certificates issued (5.5.9.2).
    """

    service_type: str
    name: str
    certificates: tuple[tuple[str, bytes], ...]
    since: datetime
    until: datetime | None
    for_seals: bool = False
    qualifications: frozenset[Qualification] = frozenset()

    def holds_at(self, moment: datetime) -> bool:
        """Whether it held then."""
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class QualifiedServices:
    """All grants of the lists that were handed in. Made with :func:`pack_services`; nothing where there is no list.

    It travels to worker processes with the trust, so it is kept packed and is unpacked once in each.
    """

    sha256: str = ""
    packed: bytes = field(default=b"", compare=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.packed)

    def anchors(self, names: Collection[str], kinds: Collection[str], moment: datetime | None) -> tuple[bytes, ...]:
        """The services of these kinds that bear one of the names and had qualified status at ``moment``.

        Args:
            names: subjects, as :func:`comparable_name` gives them.
            kinds: URIs of service types.
            moment: aware; None for any time.
        """
        found = {
            der: None
            for name in sorted(names)
            for der, grant in self._index.get(name, ())
            if grant.service_type in kinds and (moment is None or grant.holds_at(moment))
        }
        return tuple(found)

    def issuers_of(self, certificates: Iterable[bytes]) -> tuple[bytes, ...]:
        """The listed services that bear the names of those who issued these; whether they did is not asked."""
        if not self:
            return ()
        names = {comparable_name(asn1_x509.Certificate.load(der).issuer) for der in certificates}
        return self.anchors(names, TIME_STAMP_SERVICES, None)

    def qualification_of_seal(self, path: Sequence[bytes], anchor: bytes, moment: datetime) -> SealQualification | None:
        """eIDAS, art. 3 (27): of a sound seal of that path, made at ``moment``; None where there is no list.

        The certificate has to be qualified for seals both when it was issued and when it was used (TS 119 615, 4.4);
        that its key is in a qualified device counts when it was used.
        """
        if not self:
            return None
        issued = asn1_x509.Certificate.load(path[0]).not_valid_before
        at_issuance, at_use = (self._status(path, anchor, one) for one in (issued, moment))
        if not all(one.qualified and one.qc_type is QcCertType.QC_ESEAL for one in (at_issuance, at_use)):
            return SealQualification.NOT_QUALIFIED
        in_device = at_use.qc_key_security.is_qscd
        return SealQualification.QUALIFIED if in_device else SealQualification.ADVANCED_WITH_QUALIFIED_CERTIFICATE

    def qualification_of_time_stamp(self, path: Iterable[bytes], moment: datetime) -> TimeStampQualification | None:
        """eIDAS, art. 42: of a sound time stamp of ``moment``, whose path includes the anchor."""
        if not self:
            return None
        granted = any(
            grant.service_type == QTST_URI and grant.holds_at(moment) for der in path for grant in self._grants_of(der)
        )
        return TimeStampQualification.QUALIFIED if granted else TimeStampQualification.NOT_QUALIFIED

    def _status(self, path: Sequence[bytes], anchor: bytes, moment: datetime) -> QualifiedStatus:
        registry = TSPRegistry()
        for der in (*path[1:], anchor):
            for grant in self._grants_of(der):
                # A service that does not say that it is one for seals is taken for one that is not (5.5.9.4).
                if grant.service_type == CA_QC_URI and grant.for_seals and grant.holds_at(moment):
                    registry.register_ca(_definition(grant, der))
        leaf, *above = (asn1_x509.Certificate.load(der) for der in path)
        authority = AuthorityWithCert(asn1_x509.Certificate.load(anchor))
        chain = ValidationPath(TrustAnchor(authority), list(reversed(above)), leaf)
        return QualificationAssessor(registry).check_entity_cert_qualified(chain, moment).status

    def _grants_of(self, der: bytes) -> Iterator[Grant]:
        name = comparable_name(asn1_x509.Certificate.load(der).subject)
        return (grant for known, grant in self._index.get(name, ()) if known == der)

    @property
    def _index(self) -> Mapping[str, Sequence[tuple[bytes, Grant]]]:
        return _unpacked(self) if self.packed else {}


NO_SERVICES = QualifiedServices()
"""Where there is no list."""


def pack_services(grants: Iterable[Grant]) -> QualifiedServices:
    """All grants, in the form in which they are handed around."""
    packed = pickle.dumps(tuple(grants), protocol=pickle.HIGHEST_PROTOCOL)
    return QualifiedServices(hashlib.sha256(packed).hexdigest(), packed)


def comparable_name(name: asn1_x509.Name) -> str:
    """A name in the form in which chains compare it (RFC 5280, 7.1)."""
    return str(name.hashable)


@lru_cache(maxsize=4)
def _unpacked(services: QualifiedServices) -> Mapping[str, Sequence[tuple[bytes, Grant]]]:
    index: dict[str, list[tuple[bytes, Grant]]] = defaultdict(list)
    for grant in pickle.loads(services.packed):  # noqa: S301 - packed by this program, in memory
        for name, der in grant.certificates:
            index[name].append((der, grant))
    return dict(index)


def _definition(grant: Grant, der: bytes) -> CAServiceInformation:
    base = BaseServiceInformation(
        service_type=grant.service_type,
        service_name=grant.name,
        valid_from=grant.since,
        valid_until=grant.until,
        provider_certs=(asn1_x509.Certificate.load(der),),
        additional_info_certificate_type=frozenset({QcCertType.QC_ESEAL}),
        other_additional_info=frozenset(),
    )
    return CAServiceInformation(base, grant.qualifications, expired_certs_revocation_info=None)
