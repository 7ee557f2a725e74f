"""Seals that bring OCSP responses or whose time stamps bring revocation data, made with plain pyHanko and certomancer.

No server runs: the responders are asked in process. Nothing of the project's own sealing runs here.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from asn1crypto import cms, ocsp, tsp
from asn1crypto import crl as asn1_crl
from certomancer.registry import CertLabel, KeyLabel, ServiceLabel
from certomancer.services import SimpleOCSPResponder
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder
from pyhanko.sign import signers, timestamps
from pyhanko.sign.ades.api import CAdESSignedAttrSpec

from sealtool.verification import Trust
from tests.pki.authorities import SEALED_AT, Pki
from tests.pki.sealed_files import stamper_of
from tests.pki.services import OCSP_ONLY, PASSPHRASE, Services, make_keys

ISSUERS = {"seal": "issuing", "seal-revoked": "issuing", "tsa": "issuing", "issuing": "root"}


@dataclass(frozen=True)
class AnsweredPki:
    """The hierarchy of certomancer.yml at SEALED_AT, where all certificates name OCSP responders and nothing else."""

    services: Services

    @property
    def trust(self) -> Trust:
        return Trust((self.services.certificate("root").public_bytes(Encoding.DER),))

    def response(self, of: str, *, by: str = "") -> bytes:
        """An OCSP response about a certificate; ``by`` names the holder who signs instead of the right responder."""
        issuer = ISSUERS[of]
        responder = self.services.responder(issuer)
        if by:
            pki = self.services.architecture(OCSP_ONLY)
            responder = SimpleOCSPResponder(
                responder_cert=pki.get_cert(CertLabel(by)),
                responder_key=pki.key_set.get_private_key(KeyLabel(by)),
                signature_algo=responder.signature_algo,
                at_time=SEALED_AT,
                revinfo_interface=responder.revinfo_interface,
            )
        request = OCSPRequestBuilder().add_certificate(
            self.services.certificate(of), self.services.certificate(issuer), hashes.SHA256()
        )
        asked = ocsp.OCSPRequest.load(request.build().public_bytes(Encoding.DER))
        return bytes(responder.build_ocsp_response(asked).dump())

    def responses(self, seal: str = "seal") -> tuple[bytes, ...]:
        """All that it takes to judge a seal and its time stamp."""
        return tuple(self.response(of) for of in (seal, "tsa", "issuing"))

    def detached_seal(self, content: bytes, *, who: str = "seal") -> bytes:
        """A CAdES detached seal over ``content``, with a time stamp, in DER."""
        pki = self.services.architecture(OCSP_ONLY)
        signer = signers.SimpleSigner.load_pkcs12(str(self.services.pkcs12(who)), passphrase=PASSPHRASE)
        assert signer is not None
        stamper = _InProcess(pki.service_registry.summon_timestamper(ServiceLabel("first"), SEALED_AT))
        attributes = signers.pdf_cms.PdfCMSSignedAttributes(
            signing_time=SEALED_AT, cades_signed_attrs=CAdESSignedAttrSpec()
        )
        message = asyncio.run(
            signer.async_sign_general_data(
                content,
                "sha256",
                detached=True,
                use_cades=True,
                timestamper=stamper,
                signed_attr_settings=attributes,
            )
        )
        return bytes(message.dump())


@cache
def answered_pki() -> AnsweredPki:
    """One a process; its folder goes with it."""
    folder = tempfile.TemporaryDirectory()
    make_keys(Path(folder.name))
    services = Services("http://responders.test.invalid", Path(folder.name), SEALED_AT)
    services.keep = folder  # type: ignore[attr-defined] - the files live as long as this
    return AnsweredPki(services)


def with_responses(detached: bytes, responses: Iterable[bytes], *, version: str = "v5", kind: str = "") -> bytes:
    """The same detached seal with OCSP responses beside its certificates (RFC 5940)."""
    message = cms.ContentInfo.load(detached)
    message["content"]["crls"] = [
        cms.RevocationInfoChoice(
            name="other",
            value={
                "other_rev_info_format": kind or "ocsp_response",
                "other_rev_info": ocsp.OCSPResponse.load(each),
            },
        )
        for each in responses
    ]
    message["content"]["version"] = version
    return bytes(message.dump())


class _InProcess(timestamps.TimeStamper):
    """An authority of certomancer; the library's own one has RSA keys only."""

    def __init__(self, authority: Any) -> None:
        super().__init__()
        self._authority = authority

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> Any:
        return self._authority.request_tsa_response(req)


class ListingTimeStamper(timestamps.TimeStamper):
    """An authority that puts revocation lists into its time stamps."""

    def __init__(self, hierarchy: Pki, lists: Iterable[bytes], *, unsigned: bool = False) -> None:
        super().__init__()
        self._honest = stamper_of(hierarchy, SEALED_AT)
        self._lists = tuple(lists)
        self._unsigned = unsigned

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> Any:
        response = await self._honest.async_request_tsa_response(req)
        signed = response["time_stamp_token"]["content"]
        signed["crls"] = [
            cms.RevocationInfoChoice(name="crl", value=asn1_crl.CertificateList.load(each)) for each in self._lists
        ]
        if self._unsigned:
            signed["signer_infos"][0]["unsigned_attrs"] = [{"type": "1.2.3.4", "values": []}]
        return response
