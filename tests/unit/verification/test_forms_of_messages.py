"""Two different files must not be the same certificate: what no signature protects in a message has one form only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from asn1crypto import cms
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.sign import timestamps
from pyhanko_certvalidator.registry import SimpleCertificateStore

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, message, verify_certificate
from sealtool.verification.message import Message, read_seal, read_time_stamp, signature_time_stamp
from sealtool.verification.reasons import Objection
from sealtool.verification.remembering import Precedents
from tests.fuzz import structures
from tests.fuzz.structures import message_of, with_message
from tests.pki import tampering
from tests.pki.authorities import NOW, SEALED_AT, YEAR, Pki, Profile, issue, pki
from tests.pki.sealed_files import seal, small_pdf

Sealed = dict[PadesLevel, bytes]
Change = Callable[[bytes], bytes]
_OBJECT_IDENTIFIER, _INTEGER, _OCTET_STRING, _NULL = 0x06, 0x02, 0x04, structures.Node(0x05)


def _codes(content: bytes, trust: Trust) -> list[str]:
    return [str(reason.code) for reason in verify_certificate(content, trust, now=NOW).reasons]


def _stranger() -> bytes:
    """A certificate that anybody can make, with whatever text in it."""
    profile = Profile("LEVEL C2", SEALED_AT - YEAR, SEALED_AT + YEAR, ("digital_signature",))
    return issue(profile, ec.generate_private_key(ec.SECP256R1()), None, 99).der


def _with_another(certificate: Callable[[], bytes]) -> Change:
    return lambda der: tampering.with_certificates(der, [*tampering.certificates_of(der), certificate()])


def _with_certificate_changed(change: Change) -> Change:
    def changed(der: bytes) -> bytes:
        certificate = tampering.certificates_of(der)[0]
        return structures.with_other_bytes(der, certificate, change(certificate))

    return changed


# --- what is remembered of forms --------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "level", "which"),
    [(read_seal, PadesLevel.B_B, 0), (read_seal, PadesLevel.B_T, 0), (read_time_stamp, PadesLevel.B_LTA, -1)],
)
def test_a_message_is_read_alike_whether_a_like_one_was_read_before_or_not(
    monkeypatch: pytest.MonkeyPatch,
    sealed: Sealed,
    read: Callable[[bytes], Message],
    level: PadesLevel,
    which: int,
) -> None:
    """Each seventh byte is changed, in turn."""
    sound = message_of(sealed[level], which)

    def refused(encoded: bytes, kept: Precedents[str]) -> str | None:
        monkeypatch.setattr(message, "_SOUND", kept)
        try:
            read(encoded)
        except Objection as objection:
            return str(objection)
        return None

    warm: Precedents[str] = Precedents()
    assert refused(sound, warm) is None
    outcomes = set()
    for at in range(0, len(sound), 7):
        changed = tampering.flip(sound, at)
        outcome = refused(changed, warm)
        assert outcome == refused(changed, Precedents()), at
        outcomes.add(outcome)
    assert len(outcomes) > 1


def test_of_like_messages_the_form_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    check = message._check_form
    monkeypatch.setattr(message, "_SOUND", Precedents())
    monkeypatch.setattr(message, "_check_form", lambda one, kind: (looked_at.append(kind), check(one, kind)))
    for pages in (1, 2):  # RSA: a signature of the same length
        content = seal(small_pdf(pages=pages), PadesLevel.B_T, who="rsa")
        own = signature_time_stamp(read_seal(message_of(content)))
        assert own is not None
        assert own.stamped_at == SEALED_AT
    assert looked_at == ["data", "tst_info"]


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


# --- certificates ---------------------------------------------------------------------------

STRANGE_CERTIFICATES: dict[str, Change] = {
    "one that vouches for itself": _with_another(_stranger),
    "one of another holder below the same authority": _with_another(lambda: pki().seals["person"].der),
    "in another order": tampering.with_certificates_turned_round,
    "one twice": _with_certificate_changed(lambda certificate: certificate + certificate),
}


@pytest.mark.parametrize("change", STRANGE_CERTIFICATES.values(), ids=STRANGE_CERTIFICATES)
def test_a_seal_carries_the_certificates_above_its_own_and_no_others(
    sealed: Sealed, trust_with_lists: Trust, change: Change
) -> None:
    content = sealed[PadesLevel.B_B]
    changed = with_message(content, change(message_of(content)))
    assert _codes(changed, trust_with_lists) == ["SIGNATURE_MALFORMED"]


def test_a_seal_may_bring_its_root(sealed: Sealed, trust_with_lists: Trust, hierarchy: Pki) -> None:
    content = sealed[PadesLevel.B_B]
    complete = with_message(content, _with_another(lambda: hierarchy.root.der)(message_of(content)))
    below = Trust((hierarchy.issuing.der,), (), hierarchy.lists)
    for trust in (trust_with_lists, below):
        assert verify_certificate(complete, trust, now=NOW).verdict is Verdict.PASSED


def test_a_seal_whose_issuers_are_handed_in_need_not_bring_them(
    sealed: Sealed, trust_with_lists: Trust, hierarchy: Pki
) -> None:
    content = sealed[PadesLevel.B_B]
    alone = with_message(content, tampering.with_certificates(message_of(content), [hierarchy.seals["seal"].der]))
    trust = Trust(trust_with_lists.anchors, (hierarchy.issuing.der,), trust_with_lists.revocation_lists)
    assert verify_certificate(alone, trust, now=NOW).verdict is Verdict.PASSED


def test_a_certificate_that_anybody_can_make_is_refused_in_the_last_time_stamp(
    sealed: Sealed, trust_with_lists: Trust
) -> None:
    content = sealed[PadesLevel.B_LTA]
    changed = with_message(content, _with_another(_stranger)(message_of(content, -1)), -1)
    assert _codes(changed, trust_with_lists) == ["SIGNATURE_MALFORMED"]


@pytest.mark.parametrize("anchor", ["root", "issuing"])
def test_a_time_stamp_may_bring_all_above_its_own_certificate_in_any_order(hierarchy: Pki, anchor: str) -> None:
    stamper = timestamps.DummyTimeStamper(
        tsa_cert=asn1_x509.Certificate.load(hierarchy.authority.der),
        tsa_key=asn1_keys.PrivateKeyInfo.load(hierarchy.authority.key_der),
        certs_to_embed=SimpleCertificateStore.from_certs(
            [asn1_x509.Certificate.load(one.der) for one in (hierarchy.issuing, hierarchy.root)]
        ),
        fixed_dt=SEALED_AT + timedelta(minutes=1),
    )
    content = tampering.stamped(seal(small_pdf(), PadesLevel.B_LT), stamper)
    turned = with_message(content, tampering.with_certificates_turned_round(message_of(content, -1)), -1)
    trust = Trust(({"root": hierarchy.root, "issuing": hierarchy.issuing}[anchor].der,), (), hierarchy.lists)
    for one in (content, turned):
        assert verify_certificate(one, trust, now=NOW).verdict is Verdict.PASSED


# --- algorithms -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sealed_pss() -> bytes:
    return seal(small_pdf(), PadesLevel.B_B, who="rsa", prefer_pss=True)


def _signature_algorithm(content: bytes) -> bytes:
    signer = cms.ContentInfo.load(message_of(content))["content"]["signer_infos"][0]
    return bytes(signer["signature_algorithm"].dump())


def _node(tag: int, *children: structures.Node) -> structures.Node:
    return structures.Node(tag, children)


_PAYLOAD = structures.Node(_OCTET_STRING, content=b"LEVEL C2")


def _tagged(tag: int, number: int) -> structures.Node:
    return _node(tag, structures.Node(_INTEGER, content=bytes((number,))))


def _with_digest(parts: tuple[structures.Node, ...], *parameters: structures.Node) -> tuple[structures.Node, ...]:
    identifier = parts[0].children[0].children[0]
    return (_node(0xA0, _node(0x30, identifier, *parameters)), *parts[1:])


PARAMETERS: dict[str, Callable[[tuple[structures.Node, ...]], tuple[structures.Node, ...]]] = {
    "trailer field 1, the default": lambda parts: (*parts, _tagged(0xA3, 1)),
    "trailer field 2": lambda parts: (*parts, _tagged(0xA3, 2)),
    "a fifth part": lambda parts: (*parts, _tagged(0xA4, 1)),
    "something behind the digest": lambda parts: (_node(0xA0, *parts[0].children, _PAYLOAD), *parts[1:]),
    "something as parameters of the digest": lambda parts: _with_digest(parts, _PAYLOAD),
    "something behind the parameters of the digest": lambda parts: _with_digest(parts, _NULL, _PAYLOAD),
    "no parameters of the digest": _with_digest,
    "a zero before the salt's length": lambda parts: (
        *parts[:2],
        _node(0xA2, structures.Node(_INTEGER, content=b"\0" + parts[2].children[0].content)),
    ),
}


def test_a_seal_with_pss_passes(sealed_pss: bytes, trust_with_lists: Trust) -> None:
    assert verify_certificate(sealed_pss, trust_with_lists, now=NOW).verdict is Verdict.PASSED


@pytest.mark.parametrize("change", PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_of_pss_have_one_form(
    sealed_pss: bytes,
    trust_with_lists: Trust,
    change: Callable[[tuple[structures.Node, ...]], tuple[structures.Node, ...]],
) -> None:
    algorithm = _signature_algorithm(sealed_pss)
    identifier, parameters = structures.parsed(algorithm).children
    changed = _node(0x30, identifier, _node(0x30, *change(parameters.children))).encoded()
    assert changed != algorithm
    message = structures.with_other_bytes(message_of(sealed_pss), algorithm, changed)
    assert _codes(with_message(sealed_pss, message), trust_with_lists) == ["SIGNATURE_MALFORMED"]


def test_the_algorithm_of_a_seal_names_its_digest(trust_with_lists: Trust) -> None:
    """Where ``rsaEncryption`` stands in its place, the same signature is as good, and one byte differs."""
    content = seal(small_pdf(), PadesLevel.B_B, who="rsa")
    algorithm = _signature_algorithm(content)
    start = message_of(content).rindex(algorithm)
    last_of_identifier = start + algorithm.index(b"\x05\x00") - 1
    changed = tampering.flip(message_of(content), last_of_identifier, 0x0B ^ 0x01)
    assert cms.ContentInfo.load(changed)["content"]["signer_infos"][0]["signature_algorithm"]["algorithm"].native == (
        "rsassa_pkcs1v15"
    )
    assert _codes(with_message(content, changed), trust_with_lists) == ["SIGNATURE_MALFORMED"]


# Where NULL stands for the parameters: twice for a digest, which is named twice.
LEFT_OUT: dict[str, tuple[tuple[int, ...], ...]] = {
    "digest": ((1, 0, 1, 0, 1), (1, 0, 4, 0, 2, 1)),
    "signature": ((1, 0, 4, 0, 4, 1),),
}


def _without(message: bytes, places: tuple[tuple[int, ...], ...]) -> bytes:
    for place in places:
        message = structures.repeated(message, place, 0)
    return message


@pytest.mark.parametrize("places", LEFT_OUT.values(), ids=LEFT_OUT)
def test_the_parameters_of_an_algorithm_cannot_be_left_out_of_a_seal(
    trust_with_lists: Trust, places: tuple[tuple[int, ...], ...]
) -> None:
    """NULL and none mean the same (RFC 5754, 2), and sealing writes NULL."""
    content = seal(small_pdf(), PadesLevel.B_B, who="rsa")
    changed = with_message(content, _without(message_of(content), places))
    assert _codes(changed, trust_with_lists) == ["SIGNATURE_MALFORMED"]


@pytest.mark.parametrize("places", LEFT_OUT.values(), ids=LEFT_OUT)
def test_an_authority_may_leave_them_out_of_its_time_stamps(
    sealed: Sealed, trust_with_lists: Trust, places: tuple[tuple[int, ...], ...]
) -> None:
    content = sealed[PadesLevel.B_LTA]
    changed = with_message(content, _without(message_of(content, -1), places), -1)
    assert changed != content
    assert verify_certificate(changed, trust_with_lists, now=NOW).verdict is Verdict.PASSED
