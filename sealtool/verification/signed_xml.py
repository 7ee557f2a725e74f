"""The signature of a trusted list: XAdES, enveloped, over the whole list (ETSI TS 119 612, 5.7.1 and annex B.6).

The library checks the cryptography. What it leaves open is closed here before it is asked: a document type with
entities, a second signature, a signature that stands elsewhere or covers a part only, transforms that it would
skip in silence. And only what the signature covers is handed on.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from sealtool.errors import ConfigurationError
from sealtool.verification.algorithms import MINIMUM_EC_BITS, MINIMUM_RSA_BITS

LIST_NAMESPACE = "http://uri.etsi.org/02231/v2#"
LIST_TAG = f"{{{LIST_NAMESPACE}}}TrustServiceStatusList"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_SIGNATURE = f"{_DS}Signature"
# B.6: exactly these two, in this order. The library ignores any other transform without a word.
_TRANSFORMS = ["http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/2001/10/xml-exc-c14n#"]
_MAX_REFERENCES = 4
"""The list, the signed properties, and what some signers add; the library reads the list anew for each."""
_METHODS = frozenset(
    SignatureMethod[name]
    for name in (
        *("RSA_SHA256", "RSA_SHA384", "RSA_SHA512", "ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512"),
        *("SHA256_RSA_MGF1", "SHA384_RSA_MGF1", "SHA512_RSA_MGF1"),
    )
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_TAGS = re.compile(r"<[^<]*+")
"""A tag and the text behind it. No attribute can hold this character, so none can hide another tag."""
_MAX_TAGS = 1_000_000
"""Of the elements of a list of 8 MB and 3,000 services, four times as many."""
_MAX_NAMESPACES = 32
_MAX_ATTRIBUTES = 500
_MAX_PARTS = 2000
_ANEW = "Fetch the list anew from whoever publishes it, and hand it over as it is."


@dataclass(frozen=True, slots=True)
class SignedList:
    """A list whose signature holds.

    Attributes:
        root: what the signature covers, and nothing else.
        signer: whose signature it is: one of those who were accepted.
    """

    place: Path
    root: etree._Element
    signer: x509.Certificate


def refused(place: Path, why: str, advice: str = _ANEW) -> ConfigurationError:
    """Why a list counts for nothing."""
    return ConfigurationError(f"The trusted list {place} {why}", advice=advice)


def open_list(place: Path, content: bytes) -> etree._Element:
    """Reads a list that nobody vouches for yet.

    Raises:
        ConfigurationError: it is not XML in UTF-8, has a document type, or is something else than a trusted list.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refused(place, "is not written in UTF-8, as ETSI TS 119 612 demands.") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise refused(
            place, "has a document type declaration. No trusted list has one; it can be made to exhaust a reader."
        )
    if text.count("<") > _MAX_TAGS or any(_is_overladen(tag.group()) for tag in _TAGS.finditer(text)):
        raise refused(place, "has far more parts than any list, or hundreds in one element, made to exhaust a reader.")
    # The encoding is given, so that the file cannot name another one in which it reads differently.
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise refused(place, "is no well-formed XML: it is damaged, or only a part of a file.") from error
    if root.tag != LIST_TAG or root.getroottree().docinfo.internalDTD is not None:
        raise refused(place, "is XML, but no trusted list by ETSI TS 119 612.", "Check the path of the trust.")
    return root


def _is_overladen(tag: str) -> bool:
    # The cost of either grows with the square of their number, in the libraries.
    return tag.count("xmlns") > _MAX_NAMESPACES or tag.count("=") > _MAX_ATTRIBUTES


def verified(place: Path, root: etree._Element, accepted: Iterable[x509.Certificate], now: datetime) -> SignedList:
    """The signed content of a list, by one of those whose signature on it counts.

    Args:
        place: where the list was found.
        root: the list as :func:`open_list` gives it.
        accepted: certificates, compared as a whole; their own issuers are not asked.
        now: when signature and certificate have to hold, aware.

    Raises:
        ConfigurationError: there is no signature, more than one, one by somebody else, or one that does not hold.
    """
    signature = _only_signature(place, root)
    _check_coverage(place, root, signature)
    signer = _signer(place, signature, accepted)
    _check_signer(place, signer, now)
    return SignedList(place, _covered(place, root, signer, now), signer)


def _only_signature(place: Path, root: etree._Element) -> etree._Element:
    signatures = list(root.iter(_SIGNATURE))
    if not signatures:
        raise refused(place, "is not signed, so anybody may have written it.")
    if len(signatures) > 1 or signatures[0].getparent() is not root:
        raise refused(
            place,
            "does not carry exactly one signature at its own end, so it is unclear what is signed, and by whom.",
        )
    if sum(1 for _ in signatures[0].iter()) > _MAX_PARTS:
        raise refused(place, "has a signature of thousands of parts, made to exhaust a reader.")
    return signatures[0]


def _check_coverage(place: Path, root: etree._Element, signature: etree._Element) -> None:
    """B.6: one reference means the whole list; any other may only mean parts of the signature itself."""
    references = signature.findall(f"{_DS}SignedInfo/{_DS}Reference")
    whole = {"", f"#{root.get('Id')}"} if root.get("Id") else {""}
    inner = {f"#{element.get('Id')}" for element in signature.iter() if element.get("Id")}
    covering = [one for one in references if one.get("URI") in whole]
    others = [one for one in references if one.get("URI") not in whole]
    if (
        len(covering) != 1
        or len(references) > _MAX_REFERENCES
        or any(one.get("URI") not in inner for one in others)
        or _transforms(covering[0]) != _TRANSFORMS
        or any(_transforms(one) not in (_TRANSFORMS[1:], []) for one in others)
    ):
        raise refused(place, "has a signature that does not cover exactly the whole list: parts of it may be forged.")


def _transforms(reference: etree._Element) -> list[str]:
    found = reference.findall(f"{_DS}Transforms/*")
    return [f"{one.get('Algorithm')}{' with parameters' if len(one) else ''}" for one in found]


def _signer(place: Path, signature: etree._Element, accepted: Iterable[x509.Certificate]) -> x509.Certificate:
    shown = {
        _decoded(element.text) for element in signature.iterfind(f"{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate")
    }
    for certificate in accepted:
        if certificate.public_bytes(Encoding.DER) in shown:
            return certificate
    raise refused(
        place,
        f"is signed, but by nobody whom you handed in as its signer{_fingerprints(shown)}: anybody may have made it.",
        "Hand in the certificate of its signer with --trust, after comparing it with the one that the European "
        "Commission publishes for that country; or the List of the Lists and the certificate of its signer.",
    )


def _decoded(text: str | None) -> bytes:
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _fingerprints(shown: Iterable[bytes]) -> str:
    found = []
    for der in shown:
        try:
            found.append(x509.load_der_x509_certificate(der).fingerprint(SHA256()).hex())
        except ValueError:
            continue
    return f" (it names the certificate with SHA-256 {min(found)})" if found else ""


def _check_signer(place: Path, signer: x509.Certificate, now: datetime) -> None:
    if not signer.not_valid_before_utc <= now <= signer.not_valid_after_utc:
        raise refused(
            place,
            f"is signed with a certificate that was valid from {signer.not_valid_before_utc:%Y-%m-%d} to "
            f"{signer.not_valid_after_utc:%Y-%m-%d} only.",
        )
    key = signer.public_key()
    weak = not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) or key.key_size < (
        MINIMUM_RSA_BITS if isinstance(key, rsa.RSAPublicKey) else MINIMUM_EC_BITS
    )
    if weak:
        raise refused(place, "is signed with a key that can be forged today.")


def _covered(place: Path, root: etree._Element, signer: x509.Certificate, now: datetime) -> etree._Element:
    """What the signature covers, read anew from the very bytes whose digest was compared."""
    configuration = XAdESSignatureConfiguration(
        location="./",
        expect_references=True,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=now,
    )
    try:
        results = XAdESVerifier().verify(root, x509_cert=signer, expect_config=configuration)
    except Exception as error:  # a broken signature raises anything out of the libraries
        raise refused(
            place,
            "has a signature that does not hold: it was changed since, is no XAdES signature, or rests on an "
            "algorithm that can be forged (SHA-1). Somebody may have added authorities, so nothing in it is believed.",
        ) from error
    whole = [one.signed_xml for one in results if one.signed_xml is not None and one.signed_xml.tag == LIST_TAG]
    if len(whole) != 1 or next(whole[0].iter(_SIGNATURE), None) is not None:
        raise refused(place, "has a signature over something else than the list.")
    return whole[0]
