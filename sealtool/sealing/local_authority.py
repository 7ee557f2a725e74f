"""A time stamp authority inside this process, for demonstrations and tests.

Its stamps prove nothing to others: whoever holds its key can stamp any time. It needs no network.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509

from sealtool.sealing.keys import SealKey, as_asn1
from sealtool.sealing.moulds import MessageMould
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
        self._moulds: dict[str, MessageMould | None] = {}

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
            digest = digest_of(stamped, algorithm)
            signature = await self._key.signer.async_sign_raw(mould.to_be_signed(digest), algorithm)
            return cms.ContentInfo.load(mould.filled(digest, signature, content=stamped))
        token = await self._key.signer.async_sign_general_data(
            cms.EncapsulatedContentInfo({"content_type": "tst_info", "content": core.ParsableOctetString(stamped)}),
            algorithm,
            detached=False,
        )
        self._moulds[algorithm] = MessageMould.of(token, digest_of(stamped, algorithm))
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
