"""Two different files must not be the same certificate: what no signature protects in a message has one form only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asn1crypto import cms

from sealtool.model import PadesLevel
from sealtool.verification import Trust, verify_certificate
from tests.fuzz import structures
from tests.fuzz.structures import message_of, with_message
from tests.pki import tampering
from tests.pki.authorities import NOW

Sealed = dict[PadesLevel, bytes]
Change = Callable[[bytes], bytes]
_OBJECT_IDENTIFIER, _INTEGER, _OCTET_STRING, _NULL = 0x06, 0x02, 0x04, structures.Node(0x05)


def _codes(content: bytes, trust: Trust) -> list[str]:
    return [str(reason.code) for reason in verify_certificate(content, trust, now=NOW).reasons]


def _with_certificate_changed(change: Change) -> Change:
    def changed(der: bytes) -> bytes:
        certificate = tampering.certificates_of(der)[0]
        return structures.with_other_bytes(der, certificate, change(certificate))

    return changed


# --- encoding -------------------------------------------------------------------------------

NOT_DER: dict[str, Change] = {
    "long length": structures.with_long_length,
    "indefinite length": structures.with_indefinite_length,
    "long length of a certificate": _with_certificate_changed(structures.with_long_length),
    "version of two bytes": lambda der: structures.with_other_bytes(der, b"\x02\x01\x01", b"\x02\x02\x00\x01"),
    "content type with a zero in front": lambda der: structures.with_other_bytes(
        der, cms.ContentType("signed_data").dump(), b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x80\x07\x02"
    ),
}


@pytest.mark.parametrize("change", NOT_DER.values(), ids=NOT_DER)
@pytest.mark.parametrize("level", [PadesLevel.B_B, PadesLevel.B_LTA])
def test_a_seal_or_last_time_stamp_that_is_not_in_der_is_refused(
    sealed: Sealed, trust_with_lists: Trust, level: PadesLevel, change: Change
) -> None:
    content = sealed[level]
    changed = with_message(content, change(message_of(content, -1)), -1)
    assert changed != content
    assert _codes(changed, trust_with_lists) == ["SIGNATURE_MALFORMED"]
