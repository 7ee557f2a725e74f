"""A precedent spares the library work, and changes no outcome."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sealtool.model import PadesLevel, Verdict, Verification
from sealtool.verification import Trust, chain, verify_certificate
from sealtool.verification.message import read_seal
from sealtool.verification.precedent import case_of_seal
from sealtool.verification.remembering import Precedents, key_of
from tests.pki.authorities import NOW, SEALED_AT, Pki
from tests.pki.sealed_files import record_attachment, seal, small_pdf
from tests.pki.tampering import contents_gap

Asked = list[str]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the library was asked to judge, with nothing remembered at first."""
    monkeypatch.setattr(chain, "_PRECEDENTS", Precedents())
    asked: Asked = []
    for name in ("ades_basic_validation", "ades_timestamp_validation"):
        original = getattr(chain, name)

        def noting(*arguments: object, name: str = name, original: object = original, **named: object) -> object:
            asked.append(name)
            return original(*arguments, **named)  # type: ignore[operator]

        monkeypatch.setattr(chain, name, noting)
    return asked


@pytest.fixture(scope="module")
def alike() -> dict[PadesLevel, tuple[bytes, bytes]]:
    """Two files with seals of one RSA key, of the same second."""
    return {level: (_sealed(b"one", level), _sealed(b"another", level)) for level in PadesLevel}


def _sealed(catalog: bytes, level: PadesLevel, moment: datetime = SEALED_AT) -> bytes:
    return seal(small_pdf(catalog=b"/Note (%s)" % catalog), level, who="rsa", moment=moment)


def _judged(content: bytes, trust: Trust, now: datetime = NOW) -> Verification:
    return verify_certificate(content, trust, now=now)


@pytest.mark.parametrize("level", list(PadesLevel))
def test_a_second_seal_of_the_same_key_and_moment_is_passed_without_the_library(
    asked: Asked, alike: dict[PadesLevel, tuple[bytes, bytes]], trust_with_lists: Trust, level: PadesLevel
) -> None:
    one, another = alike[level]
    assert one != another
    first = _judged(one, trust_with_lists)
    assert asked
    asked.clear()
    second = _judged(another, trust_with_lists)
    assert not asked
    assert (first.verdict, second.verdict) == (Verdict.PASSED, Verdict.PASSED)
    assert (first.pades_level, first.seal, first.sealed_at, first.provable_until) == (
        second.pades_level,
        second.seal,
        second.sealed_at,
        second.provable_until,
    )


def test_a_moment_with_something_in_between_is_judged_by_the_library(
    asked: Asked, alike: dict[PadesLevel, tuple[bytes, bytes]], trust_with_lists: Trust
) -> None:
    one, _ = alike[PadesLevel.B_B]
    assert _judged(one, trust_with_lists).verdict is Verdict.PASSED
    assert _judged(one, trust_with_lists, NOW + timedelta(days=6)).verdict is Verdict.PASSED
    assert asked == ["ades_basic_validation"]
    no_longer = _judged(one, trust_with_lists, NOW + timedelta(days=7))  # the next lists would be there
    assert no_longer.sub_indication == "TRY_LATER"
    assert len(asked) > 1


def test_other_trust_is_judged_by_the_library(
    asked: Asked, alike: dict[PadesLevel, tuple[bytes, bytes]], trust_with_lists: Trust, trust: Trust, hierarchy: Pki
) -> None:
    one, another = alike[PadesLevel.B_B]
    assert _judged(one, trust_with_lists).verdict is Verdict.PASSED
    assert _judged(another, trust).sub_indication == "TRY_LATER"  # no revocation lists
    nobody = Trust((hierarchy.issuing.der, hierarchy.root.der), (), ())
    assert _judged(another, nobody).verdict is Verdict.INDETERMINATE
    assert len(asked) > 2


def test_what_was_not_passed_is_no_precedent(
    asked: Asked, alike: dict[PadesLevel, tuple[bytes, bytes]], trust: Trust
) -> None:
    for content in alike[PadesLevel.B_B]:
        asked.clear()
        assert _judged(content, trust).verdict is Verdict.INDETERMINATE
        assert asked


@pytest.mark.parametrize("level", list(PadesLevel))
def test_a_changed_document_is_told_as_ever(
    asked: Asked, alike: dict[PadesLevel, tuple[bytes, bytes]], trust_with_lists: Trust, level: PadesLevel
) -> None:
    one, another = alike[level]
    changed = another.replace(b"/Note (another)", b"/Note (anothes)")
    alone = _judged(changed, trust_with_lists)
    assert _judged(one, trust_with_lists).verdict is Verdict.PASSED
    after = _judged(changed, trust_with_lists)
    assert (after.verdict, after.reasons, after.sub_indication) == (Verdict.FAILED, alone.reasons, alone.sub_indication)
    assert asked.count("ades_basic_validation") >= 2


@pytest.mark.parametrize("part", ["digest", "signature"])
def test_a_changed_digest_or_signature_is_told_as_ever(
    asked: Asked, alike: dict[PadesLevel, tuple[bytes, bytes]], trust_with_lists: Trust, part: str
) -> None:
    one, another = alike[PadesLevel.B_B]
    start, end = contents_gap(another)
    message = read_seal(bytes.fromhex(another[start + 1 : end - 1].decode()))
    named = next(
        one["values"][0] for one in message.signer_info["signed_attrs"] if one["type"].native == "message_digest"
    )
    value = named.native if part == "digest" else message.signature
    changed = another.replace(
        value.hex().upper().encode(), (value[:-1] + bytes([value[-1] ^ 1])).hex().upper().encode()
    )
    assert changed != another
    assert _judged(one, trust_with_lists).verdict is Verdict.PASSED
    refused = _judged(changed, trust_with_lists)
    assert refused.verdict is Verdict.FAILED
    assert [reason.code for reason in refused.reasons] == [
        "DIGEST_MISMATCH" if part == "digest" else "SIGNATURE_INVALID"
    ]
    assert asked.count("ades_basic_validation") == 2


def test_a_value_that_stands_in_a_message_twice_makes_it_like_no_other() -> None:
    content = seal(small_pdf((record_attachment(),)), PadesLevel.B_B, who="rsa")
    start, end = contents_gap(content)
    encoded = bytes.fromhex(content[start + 1 : end - 1].decode())
    message = read_seal(encoded)
    assert case_of_seal(message, b"").likeness
    doubled = type(message)(
        message.encoded + message.signature,
        message.signed_data,
        message.signer_info,
        message.signer,
        message.certificates,
    )
    assert not case_of_seal(doubled, b"").likeness


def test_the_oldest_precedent_gives_way_to_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealtool.verification.remembering._KEPT", 2)
    kept: Precedents[str] = Precedents()
    for key in (b"a", b"b"):
        kept.keep(key, "passed")
    assert kept.find(b"a")  # now b is the oldest
    kept.keep(b"c", "passed")
    assert [kept.find(key) for key in (b"a", b"b", b"c")] == ["passed", None, "passed"]


def test_keys_differ_where_anything_differs_in_bytes_number_or_order() -> None:
    groups: list[tuple[list[bytes], ...]] = [
        ([b"ab"], [b"c"]),
        ([b"a", b"b"], [b"c"]),
        ([b"a"], [b"bc"]),
        ([b"ab", b"c"], []),
        ([], [b"ab", b"c"]),
        ([b"ab"], [b"c"], []),
        ([b"c"], [b"ab"]),
    ]
    assert len({key_of(*each) for each in groups}) == len(groups)
