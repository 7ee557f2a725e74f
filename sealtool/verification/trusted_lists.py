"""EU trusted lists (ETSI TS 119 612), read from files: which services were granted qualified status, and when.

No network: the lists are handed in, and so is whoever may sign them. Steps of TS 119 615, 4.1 to 4.3, each closed:

1. the List of the Lists, if there is one: signed by a certificate that was handed in, in force today; it names who
   signs the list of which country;
2. each national list: signed by a certificate that was handed in, or one that step 1 names for its country; in force
   today;
3. its services that issue qualified certificates (CA/QC) or qualified time stamps (QTST), with the times at which they
   had the status *granted*. Nothing else on a list becomes an anchor: only this part of it is constitutive (eIDAS,
   art. 22).
"""

from __future__ import annotations

import copy
import logging
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from pyhanko.sign.validation.qualified.eutl_parse import parse_lotl_unsafe, read_qualified_service_definitions
from pyhanko.sign.validation.qualified.tsp import QcCertType, QualifiedServiceInformation

from sealtool.errors import ConfigurationError
from sealtool.verification.qualified import Grant, QualifiedServices, comparable_name, pack_services
from sealtool.verification.signed_xml import LIST_NAMESPACE, SignedList, open_list, refused, verified

_TSL = f"{{{LIST_NAMESPACE}}}"
_HEAD = f"{_TSL}SchemeInformation"
_TYPES = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/"
_LIST_OF_LISTS, _NATIONAL = f"{_TYPES}EUlistofthelists", f"{_TYPES}EUgeneric"
_IDENTITY = f"{_TSL}ServiceDigitalIdentity"
_OBJECT_IDENTIFIER = "{http://uri.etsi.org/01903/v1.3.2#}Identifier"
_URN = re.compile(r"^\s*urn:oid:", re.IGNORECASE)
_CURRENT = "Fetch the current list from whoever publishes it."
_LOG = logging.getLogger(__name__)

Signers = Sequence[x509.Certificate]


def read_trusted_lists(
    lists: Mapping[Path, bytes], signers: Iterable[x509.Certificate], now: datetime
) -> QualifiedServices:
    """Reads lists and checks that they may be believed.

    Args:
        lists: what the files hold, by where they were found.
        signers: whose signature counts on any of them.
        now: when they have to be in force, aware.

    Raises:
        ConfigurationError: one of them cannot be believed; the others count for nothing then either.
    """
    handed_in = tuple(signers)
    opened = {place: open_list(place, content) for place, content in lists.items()}
    of_lists = {place: root for place, root in opened.items() if _kind(root) == _LIST_OF_LISTS}
    named: dict[str, list[x509.Certificate]] = defaultdict(list)
    for place, root in of_lists.items():
        for territory, certificates in _named_signers(_believed(place, root, handed_in, now)):
            named[territory] += certificates
    national = {place: root for place, root in opened.items() if place not in of_lists}
    if of_lists and not national:
        raise ConfigurationError(
            f"{next(iter(of_lists))} is the List of the Lists: it names who signs the lists of the countries, and no "
            "authority itself.",
            advice="Hand in the list of the country as well.",
        )
    grants: list[Grant] = []
    for place, root in national.items():
        if _kind(root) != _NATIONAL:
            raise refused(place, "is not the list of a member state of the EU, nor the List of the Lists.")
        # The country is read from what is not verified yet. That can only lead to the wrong signers, or to the right
        # ones: the signature covers it.
        accepted = (*handed_in, *named[_text(root, "SchemeTerritory")])
        grants += _grants(_believed(place, root, accepted, now))
    return pack_services(grants)


def _believed(place: Path, root: etree._Element, accepted: Signers, now: datetime) -> SignedList:
    found = verified(place, root, accepted, now)
    _check_window(found, now)
    return found


def _check_window(found: SignedList, now: datetime) -> None:
    """TS 119 612, 5.3.14 and 5.3.15. The library does not look at them."""
    issued = _moment(found.place, _text(found.root, "ListIssueDateTime"))
    if issued > now:
        raise refused(
            found.place,
            f"was issued on {issued:%Y-%m-%d %H:%M} UTC, which is still to come.",
            "Check your clock first.",
        )
    ending = _text(found.root, f"NextUpdate/{_TSL}dateTime")
    if not ending:
        raise refused(found.place, "is closed: no other will follow it, and it is not kept up to date.", _CURRENT)
    if (update := _moment(found.place, ending)) <= now:
        raise refused(
            found.place,
            f"was to be replaced by {update:%Y-%m-%d %H:%M} UTC. Since then an authority may have lost its status.",
            _CURRENT,
        )


def _kind(root: etree._Element) -> str:
    return _text(root, "TSLType")


def _text(root: etree._Element, name: str) -> str:
    return (root.findtext(f"{_HEAD}/{_TSL}{name}") or "").strip()


def _moment(place: Path, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _malformed(place) from error
    if moment.tzinfo is None:
        raise _malformed(place)
    return moment


def _malformed(place: Path) -> ConfigurationError:
    return refused(place, "is signed as it should be, but not of the form that this version knows (ETSI TS 119 612).")


def _named_signers(list_of_lists: SignedList) -> Iterator[tuple[str, list[x509.Certificate]]]:
    """Who may sign the list of which country (TS 119 612, 5.3.13)."""
    try:
        parsed = parse_lotl_unsafe(_serialised(list_of_lists.root))
    except Exception as error:  # what does not fit raises anything out of the libraries
        raise _malformed(list_of_lists.place) from error
    for reference in parsed.references:
        loaded = (_certificate(one.dump()) for one in reference.tlso_certs)
        yield reference.territory.strip(), [one for one in loaded if one is not None]


def _grants(national: SignedList) -> Iterator[Grant]:
    root = copy.deepcopy(national.root)
    _identify_history(root)
    _shorten_identifiers(root)
    try:
        for definition in _definitions(national.place, _serialised(root)):
            yield _grant(definition)
    except Exception as error:  # what does not fit raises anything out of the libraries
        raise _malformed(national.place) from error


def _identify_history(root: etree._Element) -> None:
    """TS 119 612, 5.6.3: past states name the key only. The library needs the certificate, and loses them otherwise."""
    for service in root.iter(f"{_TSL}TSPService"):
        now = service.findall(f"{_TSL}ServiceInformation/{_IDENTITY}/{_TSL}DigitalId")
        certificates = [one for one in now if one.find(f"{_TSL}X509Certificate") is not None]
        for past in service.iterfind(f"{_TSL}ServiceHistory/{_TSL}ServiceHistoryInstance/{_IDENTITY}"):
            if past.find(f"{_TSL}DigitalId/{_TSL}X509Certificate") is None:
                past.extend(copy.deepcopy(certificates))


def _shorten_identifiers(root: etree._Element) -> None:
    """Policies in criteria are often written as URN (XAdES, 7.1.2: OIDAsURN), which the library matches with none."""
    for identifier in root.iter(_OBJECT_IDENTIFIER):
        identifier.text = _URN.sub("", identifier.text or "").strip()


def _definitions(place: Path, text: str) -> Iterator[QualifiedServiceInformation]:
    reading = read_qualified_service_definitions(text)
    while True:
        try:
            yield next(reading)
        except StopIteration as end:
            if end.value:
                _LOG.warning("%s: %d states of services are not understood and do not count", place, len(end.value))
            return


def _grant(definition: QualifiedServiceInformation) -> Grant:
    base = definition.base_info
    if any(moment is not None and moment.tzinfo is None for moment in (base.valid_from, base.valid_until)):
        raise ValueError(base.valid_from)
    return Grant(
        service_type=base.service_type,
        name=base.service_name,
        certificates=tuple(_identities(base.provider_certs)),
        since=base.valid_from,
        until=base.valid_until,
        for_seals=QcCertType.QC_ESEAL in base.additional_info_certificate_type,
        qualifications=definition.qualifications,
    )


def _identities(certificates: Iterable[asn1_x509.Certificate]) -> Iterator[tuple[str, bytes]]:
    for certificate in certificates:
        der = certificate.dump()
        if _certificate(der) is not None:
            yield comparable_name(certificate.subject), der


def _certificate(der: bytes) -> x509.Certificate | None:
    """Lists hold certificates of twenty years, some of them odd: an odd one counts for nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            certificate = x509.load_der_x509_certificate(der)
            return certificate if certificate.public_bytes(Encoding.DER) == der else None
        except ValueError:
            return None


def _serialised(root: etree._Element) -> str:
    return str(etree.tostring(root, encoding="unicode"))
