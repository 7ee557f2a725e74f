"""EU trusted lists (ETSI TS 119 612) as member states publish them, for the hierarchies of the test PKI.

Signed as real ones are: XAdES, enveloped, exclusive canonicalisation. Nothing of the project's own reading runs here.
"""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from lxml import etree

from tests.pki.authorities import SEALED_AT, YEAR, Identity, Profile, issue, key_for

TSL = "http://uri.etsi.org/02231/v2#"
SIE = "http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#"
ADDITIONAL = "http://uri.etsi.org/02231/v2/additionaltypes#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
DS = "http://www.w3.org/2000/09/xmldsig#"
ENVELOPED = f"{DS}enveloped-signature"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_BASE = "http://uri.etsi.org/TrstSvc/TrustedList"
_TYPES = "http://uri.etsi.org/TrstSvc/Svctype"
CA_QC = f"{_TYPES}/CA/QC"
QTST = f"{_TYPES}/TSA/QTST"
TSA = f"{_TYPES}/TSA"
FOR_SEALS, FOR_SIGNATURES = "ForeSeals", "ForeSignatures"
GRANTED, WITHDRAWN, RECOGNISED = "granted", "withdrawn", "recognisedatnationallevel"
MIME_TYPE = "application/vnd.etsi.tsl+xml"
LISTED_AT = SEALED_AT - 2 * YEAR
"""Since when services have their status, unless a test says otherwise."""
ISSUED_AT = SEALED_AT - timedelta(days=30)
NEXT_UPDATE = SEALED_AT + timedelta(days=120)


@dataclass(frozen=True)
class Status:
    """A status of a service and its beginning."""

    status: str = GRANTED
    since: datetime = LISTED_AT
    additional: tuple[str, ...] = (FOR_SEALS,)
    qualifiers: Mapping[str, str] = field(default_factory=dict)
    """Qualifier to the policy OID of the certificates it is about."""
    critical: str = ""
    """The name of an extension that nobody knows and everybody must."""


@dataclass(frozen=True)
class Service:
    """A listed service; the first status is the current one, the others are its history, newest first."""

    identity: bytes
    statuses: Sequence[Status] = (Status(),)
    kind: str = CA_QC
    name: str = "Test service"


@dataclass(frozen=True)
class Scheme:
    """What stands at the head of a list."""

    territory: str = "ES"
    issued_at: datetime = ISSUED_AT
    next_update: datetime | None = NEXT_UPDATE
    kind: str = "EUgeneric"


@cache
def list_signer(
    purpose: str = "scheme operator", kind: str = "rsa2048", valid_until: datetime | None = None
) -> Identity:
    """Who signs lists: a certificate of its own, of no authority, vouched for by nobody but itself."""
    profile = Profile(
        "Test scheme operator",
        SEALED_AT - YEAR,
        valid_until or SEALED_AT + YEAR,
        ("digital_signature", "content_commitment"),
    )
    return issue(profile, key_for(purpose, kind), None, 0x7F01)


def trusted_list(services: Iterable[Service], scheme: Scheme | None = None) -> etree._Element:
    """A national list, not signed yet."""
    root = _head(scheme or Scheme())
    providers = _add(root, "TrustServiceProviderList")
    provider = _add(providers, "TrustServiceProvider")
    _name(_add(provider, "TSPInformation"), "TSPName", "Test provider")
    listed = _add(provider, "TSPServices")
    for service in services:
        _service(_add(listed, "TSPService"), service)
    return root


def list_of_lists(signers: Mapping[str, Sequence[bytes]], scheme: Scheme | None = None) -> etree._Element:
    """A List of the Lists, not signed yet; ``signers`` maps territories to those who sign their lists."""
    root = _head(scheme or Scheme("EU", kind="EUlistofthelists"))
    head = root[0]
    pointers = etree.Element(f"{{{TSL}}}PointersToOtherTSL")
    head.insert(list(head).index(head.find(f"{{{TSL}}}ListIssueDateTime")), pointers)
    for territory, certificates in signers.items():
        pointer = _add(pointers, "OtherTSLPointer")
        identity = _add(_add(pointer, "ServiceDigitalIdentities"), "ServiceDigitalIdentity")
        for certificate in certificates:
            _add(_add(identity, "DigitalId"), "X509Certificate", base64.b64encode(certificate).decode())
        _add(pointer, "TSLLocation", f"https://lists.example/{territory}.xml")
        information = _add(pointer, "AdditionalInformation")
        _add(_add(information, "OtherInformation"), "SchemeTerritory", territory)
        other = _add(information, "OtherInformation")
        etree.SubElement(other, f"{{{ADDITIONAL}}}MimeType").text = MIME_TYPE
    return root


def signed(
    root: etree._Element,
    signer: Identity | None = None,
    *,
    digest: str = "SHA256",
    xades: bool = True,
    uri: str = "",
    transforms: tuple[str, ...] = (ENVELOPED, EXCLUSIVE),
) -> bytes:
    """The list as it is published: the last child of the root signs all of it (TS 119 612, B.6)."""
    signer = signer or list_signer()
    signature = etree.SubElement(root, f"{{{DS}}}Signature", nsmap={"ds": DS}, Id="signature")
    information = _ds(signature, "SignedInfo")
    value = _ds(signature, "SignatureValue")
    certificate = base64.b64encode(signer.der).decode()
    _ds(_ds(_ds(signature, "KeyInfo"), "X509Data"), "X509Certificate", certificate)
    properties = _signed_properties(signature, signer) if xades else None
    _ds(information, "CanonicalizationMethod", Algorithm=EXCLUSIVE)
    curve = isinstance(signer.key, ec.EllipticCurvePrivateKey)
    scheme = "ecdsa" if curve else "rsa"
    _ds(information, "SignatureMethod", Algorithm=_method(scheme, digest))
    bare = copy.deepcopy(root)
    bare.remove(bare[-1])
    _reference(information, uri, transforms, bare, digest)
    if properties is not None:
        kind = {"Type": "http://uri.etsi.org/01903#SignedProperties"}
        _reference(information, "#properties", (EXCLUSIVE,), properties, digest, **kind)
    algorithm = getattr(hashes, digest)()
    covered = _canonical(information)
    if isinstance(signer.key, ec.EllipticCurvePrivateKey):
        size = signer.key.key_size // 8
        pair = utils.decode_dss_signature(signer.key.sign(covered, ec.ECDSA(algorithm)))
        made = b"".join(number.to_bytes(size, "big") for number in pair)
    else:
        assert isinstance(signer.key, rsa.RSAPrivateKey)
        made = signer.key.sign(covered, padding.PKCS1v15(), algorithm)
    value.text = base64.b64encode(made).decode()
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _method(scheme: str, digest: str) -> str:
    if (scheme, digest) == ("rsa", "SHA1"):
        return f"{DS}rsa-sha1"
    return f"http://www.w3.org/2001/04/xmldsig-more#{scheme}-{digest.lower()}"


def _reference(
    place: etree._Element, uri: str, transforms: Iterable[str], target: etree._Element, digest: str, **attributes: str
) -> None:
    reference = _ds(place, "Reference", URI=uri, **attributes)
    listed = _ds(reference, "Transforms")
    for transform in transforms:
        _ds(listed, "Transform", Algorithm=transform)
    names = {"SHA1": f"{DS}sha1", "SHA384": "http://www.w3.org/2001/04/xmldsig-more#sha384"}
    _ds(reference, "DigestMethod", Algorithm=names.get(digest, f"http://www.w3.org/2001/04/xmlenc#{digest.lower()}"))
    value = hashlib.new(digest, _canonical(target)).digest()
    _ds(reference, "DigestValue", base64.b64encode(value).decode())


def _signed_properties(signature: etree._Element, signer: Identity) -> etree._Element:
    qualifying = etree.SubElement(
        _ds(signature, "Object"), f"{{{XADES}}}QualifyingProperties", nsmap={"xades": XADES}, Target="#signature"
    )
    properties = etree.SubElement(qualifying, f"{{{XADES}}}SignedProperties", Id="properties")
    signing = etree.SubElement(properties, f"{{{XADES}}}SignedSignatureProperties")
    etree.SubElement(signing, f"{{{XADES}}}SigningTime").text = _time(ISSUED_AT)
    named = etree.SubElement(etree.SubElement(signing, f"{{{XADES}}}SigningCertificateV2"), f"{{{XADES}}}Cert")
    digest = etree.SubElement(named, f"{{{XADES}}}CertDigest")
    _ds(digest, "DigestMethod", Algorithm="http://www.w3.org/2001/04/xmlenc#sha256")
    _ds(digest, "DigestValue", base64.b64encode(hashlib.sha256(signer.der).digest()).decode())
    return properties


def _canonical(element: etree._Element) -> bytes:
    return bytes(etree.tostring(element, method="c14n", exclusive=True))


def _ds(place: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    added = etree.SubElement(place, f"{{{DS}}}{name}", attrib=attributes)
    added.text = text
    return added


def _head(scheme: Scheme) -> etree._Element:
    namespaces = {None: TSL, "ds": DS, "sie": SIE, "xades": XADES, "additional": ADDITIONAL}
    root = etree.Element(f"{{{TSL}}}TrustServiceStatusList", nsmap=namespaces, Id="list")
    root.set("TSLTag", "http://uri.etsi.org/19612/TSLTag")
    head = _add(root, "SchemeInformation")
    _add(head, "TSLVersionIdentifier", "5")
    _add(head, "TSLSequenceNumber", "17")
    _add(head, "TSLType", f"{_BASE}/TSLType/{scheme.kind}")
    _name(head, "SchemeOperatorName", "Test scheme operator")
    _text(_add(head, "SchemeInformationURI"), "URI", "https://lists.example/about")
    _text(_add(head, "SchemeTypeCommunityRules"), "URI", f"{_BASE}/schemerules/EUcommon")
    _add(head, "SchemeTerritory", scheme.territory)
    _add(head, "HistoricalInformationPeriod", "65535")
    _add(head, "ListIssueDateTime", _time(scheme.issued_at))
    update = _add(head, "NextUpdate")
    if scheme.next_update is not None:
        _add(update, "dateTime", _time(scheme.next_update))
    return root


def _service(place: etree._Element, service: Service) -> None:
    current, *past = service.statuses
    _state(_add(place, "ServiceInformation"), service, current, with_certificate=True)
    if past:
        history = _add(place, "ServiceHistory")
        for status in past:
            # TS 119 612, 5.6.3: the history names the key, it does not repeat the certificate
            _state(_add(history, "ServiceHistoryInstance"), service, status, with_certificate=False)


def _state(place: etree._Element, service: Service, status: Status, *, with_certificate: bool) -> None:
    _add(place, "ServiceTypeIdentifier", service.kind)
    _name(place, "ServiceName", service.name)
    identity = _add(place, "ServiceDigitalIdentity")
    if with_certificate:
        _add(_add(identity, "DigitalId"), "X509Certificate", base64.b64encode(service.identity).decode())
    _add(_add(identity, "DigitalId"), "X509SKI", base64.b64encode(_key_identifier(service.identity)).decode())
    _add(place, "ServiceStatus", f"{_BASE}/Svcstatus/{status.status}")
    _add(place, "StatusStartingTime", _time(status.since))
    if service.kind == CA_QC or status.critical:
        _extensions(_add(place, "ServiceInformationExtensions"), status)


def _extensions(place: etree._Element, status: Status) -> None:
    if status.qualifiers:
        listed = etree.SubElement(_extension(place, critical=True), f"{{{SIE}}}Qualifications")
        for qualifier, policy in status.qualifiers.items():
            element = etree.SubElement(listed, f"{{{SIE}}}QualificationElement")
            qualifiers = etree.SubElement(element, f"{{{SIE}}}Qualifiers")
            etree.SubElement(qualifiers, f"{{{SIE}}}Qualifier", uri=f"{_BASE}/SvcInfoExt/{qualifier}")
            criteria = etree.SubElement(element, f"{{{SIE}}}CriteriaList", attrib={"assert": "all"})
            policies = etree.SubElement(criteria, f"{{{SIE}}}PolicySet")
            identifier = etree.SubElement(policies, f"{{{SIE}}}PolicyIdentifier")
            etree.SubElement(identifier, f"{{{XADES}}}Identifier", Qualifier="OIDAsURN").text = f"urn:oid:{policy}"
    for kind in status.additional:
        information = _add(_extension(place, critical=True), "AdditionalServiceInformation")
        _text(information, "URI", f"{_BASE}/SvcInfoExt/{kind}")
    if status.critical:
        etree.SubElement(_extension(place, critical=True), f"{{urn:test}}{status.critical}")


def _extension(place: etree._Element, *, critical: bool) -> etree._Element:
    added = _add(place, "Extension")
    added.set("Critical", str(critical).lower())
    return added


def _add(place: etree._Element, name: str, text: str | None = None) -> etree._Element:
    added = etree.SubElement(place, f"{{{TSL}}}{name}")
    added.text = text
    return added


def _text(place: etree._Element, name: str, text: str) -> None:
    _add(place, name, text).set("{http://www.w3.org/XML/1998/namespace}lang", "en")


def _name(place: etree._Element, name: str, text: str) -> None:
    _text(_add(place, name), "Name", text)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _key_identifier(der: bytes) -> bytes:
    certificate = x509.load_der_x509_certificate(der)
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest  # type: ignore[arg-type]
