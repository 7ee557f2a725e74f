"""A time stamp authority inside this process, for demonstrations and tests.

Its stamps prove nothing to others: whoever holds its key can stamp any time. It needs no network.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509

from sealtool.sealing.der import SEQUENCE, element
from sealtool.sealing.keys import SealKey, as_asn1
from sealtool.sealing.moulds import MessageMould
from sealtool.sealing.pkcs12 import load_pkcs12
from sealtool.sealing.signatures import digest_of
from sealtool.sealing.time_stamps import CheckedTimeStamper, TimeStampAuthority

POLICY = "2.999.1.1"
"""Time stamp policy; the arc 2.999 is reserved for examples (ITU-T X.660)."""

_GRANTED: Final = tsp.PKIStatusInfo({"status": "granted"}).dump()


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
        always = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": POLICY,
                "accuracy": {"seconds": 1},
                "tsa": asn1_x509.GeneralName(name="directory_name", value=as_asn1(key.certificate).subject),
            }
        )
        self._version, self._policy, self._accuracy, self._name_within = (
            always[field].dump() for field in ("version", "policy", "accuracy", "tsa")
        )

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
        token = await self._token(self._stamped(request), algorithm)
        return tsp.TimeStampResp.load(element(SEQUENCE, _GRANTED, token))

    async def _token(self, stamped: bytes, algorithm: str) -> bytes:
        """The library builds the first token; the others are put together of its parts, as seals are (ADR 0018)."""
        mould = self._moulds.get(algorithm)
        if mould is not None:
            digest = digest_of(stamped, algorithm)
            signature = await self._key.signer.async_sign_raw(mould.to_be_signed(digest), algorithm)
            return mould.filled(digest, signature, content=stamped)
        token = await self._key.signer.async_sign_general_data(
            cms.EncapsulatedContentInfo({"content_type": "tst_info", "content": core.ParsableOctetString(stamped)}),
            algorithm,
            detached=False,
        )
        self._moulds[algorithm] = MessageMould.of(token, digest_of(stamped, algorithm))
        return bytes(token.dump())

    def _stamped(self, request: tsp.TimeStampReq) -> bytes:
        """What is said of the stamp (TSTInfo)."""
        return element(
            SEQUENCE,
            self._version,
            self._policy,
            request["message_imprint"].dump(),
            core.Integer(self._serial_numbers()).dump(),
            core.GeneralizedTime(self._clock()).dump(),
            self._accuracy,
            request["nonce"].dump(),  # nothing, where there is none
            self._name_within,
        )
