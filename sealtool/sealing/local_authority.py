"""A time stamp authority inside this process, for demonstrations and tests.

Its stamps prove nothing to others: whoever holds its key can stamp any time. It needs no network.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509

from sealtool.sealing.asn1 import CONTEXT_0, OCTET_STRING, SEQUENCE, SET, der, parts_of
from sealtool.sealing.keys import SealKey, as_asn1
from sealtool.sealing.pkcs12 import load_pkcs12
from sealtool.sealing.signatures import digest_of
from sealtool.sealing.time_stamps import CheckedTimeStamper, TimeStampAuthority

POLICY = "2.999.1.1"
"""Time stamp policy; the arc 2.999 is reserved for examples (ITU-T X.660)."""


def _random_serial_number() -> int:
    return secrets.randbits(63)


class LocalTimeStampAuthority(TimeStampAuthority):
    """Stamps with a key from a PKCS#12 file; demonstration only."""

    def __init__(
        self,
        key: SealKey,
        *,
        clock: Callable[[], datetime],
        serial_numbers: Callable[[], int] = _random_serial_number,
    ) -> None:
        self._key = key
        self._clock = clock
        self._serial_numbers = serial_numbers
        self._moulds: dict[str, _Mould | None] = {}

    @classmethod
    def from_pkcs12(cls, path: Path, passphrase: bytes, *, clock: Callable[[], datetime]) -> LocalTimeStampAuthority:
        """The authority whose key and certificate are in a PKCS#12 file.

        Raises:
            SealKeyError: see :func:`sealtool.sealing.pkcs12.load_pkcs12`.
        """
        return cls(load_pkcs12(path, passphrase), clock=clock)

    @property
    def name(self) -> str:
        """Common name of its certificate."""
        return self._key.common_name

    def stamper(self, clock: Callable[[], datetime]) -> CheckedTimeStamper:
        """A new client; no connection is made."""
        return CheckedTimeStamper(self.name, self._answer, clock)

    async def aclose(self) -> None:
        """There is nothing to let go of."""

    async def _answer(self, request: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """RFC 3161, 2.4.2."""
        algorithm = request["message_imprint"]["hash_algorithm"]["algorithm"].native
        token = await self._token(self._stamped(request).dump(), algorithm)
        return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token})

    async def _token(self, stamped: bytes, algorithm: str) -> cms.ContentInfo:
        """The library builds the first token; the others are put together of its parts, as seals are (ADR 0018)."""
        mould = self._moulds.get(algorithm)
        if mould is not None:
            attributes = mould.signed_attributes(digest_of(stamped, algorithm))
            signature = await self._key.signer.async_sign_raw(der(SET, attributes), algorithm)
            return cms.ContentInfo.load(mould.filled(stamped, attributes, signature))
        token = await self._key.signer.async_sign_general_data(
            cms.EncapsulatedContentInfo({"content_type": "tst_info", "content": core.ParsableOctetString(stamped)}),
            algorithm,
            detached=False,
        )
        self._moulds[algorithm] = _Mould.of(token, digest_of(stamped, algorithm))
        return token

    def _stamped(self, request: tsp.TimeStampReq) -> tsp.TSTInfo:
        fields = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": request["message_imprint"],
            "serial_number": self._serial_numbers(),
            "gen_time": self._clock(),
            "accuracy": {"seconds": 1},
            "tsa": asn1_x509.GeneralName(name="directory_name", value=as_asn1(self._key.certificate).subject),
        }
        if request["nonce"].native is not None:
            fields["nonce"] = request["nonce"]
        return tsp.TSTInfo(fields)


@dataclass(frozen=True, slots=True)
class _Mould:
    """The encoded parts that all tokens of one digest algorithm have in common (RFC 5652, 5.1 to 5.3; RFC 3161, 2.4.2).

    Attributes:
        content_type: of the message: signed data.
        before_content: version and digest algorithms.
        stamped_type: of the content: what a time stamp says.
        certificates: of the message.
        before_attributes: version, signer identifier and digest algorithm of the only signer.
        before_digest, behind_digest: the signed attributes around the digest of the content.
        signature_algorithm: of the signer.
    """

    content_type: bytes
    before_content: bytes
    stamped_type: bytes
    certificates: bytes
    before_attributes: bytes
    before_digest: bytes
    behind_digest: bytes
    signature_algorithm: bytes

    @classmethod
    def of(cls, token: cms.ContentInfo, digest: bytes) -> _Mould | None:
        """The mould of a token; None where another one could not be made of its parts."""
        encoded = token.dump()
        parsed = cms.ContentInfo.load(encoded)
        data = parsed["content"]
        (signer,) = data["signer_infos"]
        content = data["encap_content_info"]
        attributes = signer["signed_attrs"].contents
        if attributes.count(digest) != 1:
            return None
        before_digest, behind_digest = attributes.split(digest)
        mould = cls(
            content_type=parsed["content_type"].dump(),
            before_content=parts_of(data, "version", "digest_algorithms"),
            stamped_type=content["content_type"].dump(),
            certificates=data["certificates"].dump(),
            before_attributes=parts_of(signer, "version", "sid", "digest_algorithm"),
            before_digest=before_digest,
            behind_digest=behind_digest,
            signature_algorithm=signer["signature_algorithm"].dump(),
        )
        again = mould.filled(bytes(content["content"]), mould.signed_attributes(digest), signer["signature"].native)
        return mould if again == encoded else None

    def signed_attributes(self, digest: bytes) -> bytes:
        """The signed attributes of another token, without tag and length."""
        return self.before_digest + digest + self.behind_digest

    def filled(self, stamped: bytes, signed_attributes: bytes, signature: bytes) -> bytes:
        """A whole token."""
        content = der(SEQUENCE, self.stamped_type, der(CONTEXT_0, der(OCTET_STRING, stamped)))
        signer = der(
            SEQUENCE,
            self.before_attributes,
            der(CONTEXT_0, signed_attributes),
            self.signature_algorithm,
            der(OCTET_STRING, signature),
        )
        data = der(SEQUENCE, self.before_content, content, self.certificates, der(SET, signer))
        return der(SEQUENCE, self.content_type, der(CONTEXT_0, data))
