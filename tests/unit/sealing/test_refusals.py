"""A level that cannot be reached is an error, never a lower level."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore

from sealtool.errors import (
    ConfigurationError,
    ExitCode,
    RenderingError,
    SealKeyError,
    SelfCheckError,
    ServiceUnreachableError,
)
from sealtool.model import PadesLevel, UnsealedPdf
from sealtool.sealing import RevocationSources, Sealer, SealingProfile, load_trust_anchors

ALL = tuple(PadesLevel)


def demo_sealer(pki: Any, level: PadesLevel, now: datetime, **changed: Any) -> Sealer:
    given: dict[str, Any] = {
        "time_stamps": [pki.authority],
        "trust_anchors": pki.anchors,
        "revocation": pki.revocation,
        "clock": lambda: now,
        **changed,
    }
    return Sealer(given.pop("key", pki.seal), SealingProfile(level), **given)


def odd_sealer(odd: Any, pki: Any, key: Any, level: PadesLevel, revocation: RevocationSources) -> Sealer:
    # the odd seal and the demonstration's authority, each with its own root
    both = RevocationSources((*revocation.crl_files, *pki.revocation.crl_files))
    anchors = (odd.root.certificate, *pki.anchors)
    return demo_sealer(pki, level, pki.now, key=key, trust_anchors=anchors, revocation=both)


@pytest.mark.parametrize("level", ALL)
def test_sound_odd_seal_is_accepted(odd: Any, pki: Any, pdf: UnsealedPdf, level: PadesLevel, now: datetime) -> None:
    assert asyncio.run(odd_sealer(odd, pki, odd.seal(), level, odd.crl_file()).seal(pdf)).pages == 2


@pytest.mark.parametrize("level", ALL)
def test_revoked_seal_is_refused(odd: Any, pki: Any, pdf: UnsealedPdf, level: PadesLevel, now: datetime) -> None:
    key = odd.seal()

    with pytest.raises(SealKeyError, match="revoked") as caught:
        asyncio.run(odd_sealer(odd, pki, key, level, odd.crl_file(key)).seal(pdf))

    assert caught.value.exit_code is ExitCode.SEAL_KEY
    assert caught.value.advice


@pytest.mark.parametrize("level", ALL)
def test_seal_revoked_from_a_later_day_on_is_refused(
    odd: Any, pki: Any, pdf: UnsealedPdf, level: PadesLevel, now: datetime
) -> None:
    key = odd.seal()

    with pytest.raises(SealKeyError, match="revoked"):
        asyncio.run(odd_sealer(odd, pki, key, level, odd.crl_file(key, on=now + timedelta(hours=1))).seal(pdf))


def test_revoked_seal_is_refused_without_trust_anchors_too(odd: Any, pdf: UnsealedPdf, now: datetime) -> None:
    key = odd.seal()
    sealer = Sealer(key, SealingProfile(PadesLevel.B_B), revocation=odd.crl_file(key), clock=lambda: now)

    with pytest.raises(SealKeyError, match="revoked"):
        asyncio.run(sealer.seal(pdf))


def test_manifest_is_not_sealed_with_a_revoked_seal(odd: Any, now: datetime) -> None:
    key = odd.seal()
    sealer = Sealer(key, SealingProfile(PadesLevel.B_B), revocation=odd.crl_file(key), clock=lambda: now)

    with pytest.raises(SealKeyError, match="revoked"):
        asyncio.run(sealer.seal_detached(b"{}"))


def test_revocation_is_noticed_within_five_minutes(odd: Any, pdf: UnsealedPdf, now: datetime) -> None:
    key, moment = odd.seal(), [now]
    sealer = Sealer(key, SealingProfile(PadesLevel.B_B), revocation=odd.crl_file(), clock=lambda: moment[0])
    asyncio.run(sealer.seal(pdf))

    odd.crl_file(key)
    moment[0] = now + timedelta(minutes=5)

    with pytest.raises(SealKeyError, match="revoked"):
        asyncio.run(sealer.seal(pdf))


@pytest.mark.parametrize("level", ALL)
def test_expired_seal_is_refused(pki: Any, pdf: UnsealedPdf, level: PadesLevel) -> None:
    with pytest.raises(SealKeyError, match="expired"):
        asyncio.run(demo_sealer(pki, level, pki.seal.not_after + timedelta(seconds=1)).seal(pdf))


def test_seal_that_expires_between_two_documents_is_refused(pki: Any, pdf: UnsealedPdf) -> None:
    moment = [pki.seal.not_after]
    sealer = Sealer(pki.seal, SealingProfile(PadesLevel.B_B), clock=lambda: moment[0])
    asyncio.run(sealer.seal(pdf))
    moment[0] += timedelta(seconds=1)

    with pytest.raises(SealKeyError, match="expired"):
        asyncio.run(sealer.seal(pdf))


def test_certificate_not_for_seals_is_refused(odd: Any, pdf: UnsealedPdf, now: datetime) -> None:
    sealer = Sealer(odd.seal(signs=False), SealingProfile(PadesLevel.B_B), clock=lambda: now)

    with pytest.raises(SealKeyError, match="not meant for seals"):
        asyncio.run(sealer.seal(pdf))


@pytest.mark.parametrize("level", ALL)
def test_seal_of_an_unknown_root_is_refused(
    odd: Any, pki: Any, pdf: UnsealedPdf, level: PadesLevel, now: datetime
) -> None:
    with pytest.raises(SealKeyError, match="trust anchors"):
        asyncio.run(demo_sealer(pki, level, now, key=odd.seal()).seal(pdf))


@pytest.mark.parametrize("level", ALL)
@pytest.mark.parametrize("missing", ["root.crl", "issuing.crl"])
def test_missing_crl_is_an_error_and_no_downgrade(
    pki: Any, pdf: UnsealedPdf, level: PadesLevel, now: datetime, missing: str
) -> None:
    (other,) = {"root.crl", "issuing.crl"} - {missing}
    revocation = RevocationSources((str(pki.folder / "pki" / other),))

    with pytest.raises(ServiceUnreachableError, match="cannot be told") as caught:
        asyncio.run(demo_sealer(pki, level, now, revocation=revocation).seal(pdf))

    assert caught.value.exit_code is ExitCode.SERVICE_UNREACHABLE
    assert caught.value.advice


def test_pattern_without_any_crl_is_an_error_that_names_it(pki: Any, pdf: UnsealedPdf, now: datetime) -> None:
    revocation = RevocationSources((str(pki.folder / "nowhere" / "*.crl"),))

    with pytest.raises(ServiceUnreachableError, match="nowhere"):
        asyncio.run(demo_sealer(pki, PadesLevel.B_LT, now, revocation=revocation).seal(pdf))


def test_stale_crl_is_an_error(odd: Any, pki: Any, pdf: UnsealedPdf, now: datetime) -> None:
    late = now + timedelta(days=7, hours=1)
    key = odd.seal()
    sealer = Sealer(
        key,
        SealingProfile(PadesLevel.B_B),
        trust_anchors=[odd.root.certificate],
        revocation=odd.crl_file(),
        clock=lambda: late,
    )

    with pytest.raises(ServiceUnreachableError, match="cannot be told"):
        asyncio.run(sealer.seal(pdf))


def test_file_that_is_no_crl_is_a_matter_of_configuration(pki: Any, tmp_path: Path, now: datetime) -> None:
    (tmp_path / "broken.crl").write_bytes(b"\x30\x03abc")
    revocation = RevocationSources((str(tmp_path / "*.crl"),))

    with pytest.raises(ConfigurationError, match=r"broken\.crl"):
        asyncio.run(demo_sealer(pki, PadesLevel.B_B, now, revocation=revocation).prepare())


def test_crls_that_are_not_about_the_seal_stay_out_of_the_document(
    odd: Any, pki: Any, pdf: UnsealedPdf, now: datetime
) -> None:
    strange = odd.crl_file()
    revocation = RevocationSources((*pki.revocation.crl_files, *strange.crl_files))

    document = asyncio.run(demo_sealer(pki, PadesLevel.B_LT, now, revocation=revocation).seal(pdf))

    assert len(DocumentSecurityStore.read_dss(PdfFileReader(BytesIO(document.content))).crls) == 2


@pytest.mark.parametrize(
    ("level", "without", "named"),
    [
        (PadesLevel.B_T, "time_stamps", "time stamp authority"),
        (PadesLevel.B_LT, "trust_anchors", "trust anchors"),
        (PadesLevel.B_LTA, "revocation", "revocation data"),
    ],
)
def test_level_out_of_reach_is_a_matter_of_configuration(
    pki: Any, now: datetime, level: PadesLevel, without: str, named: str
) -> None:
    nothing: Any = RevocationSources() if without == "revocation" else ()

    with pytest.raises(ConfigurationError, match=named):
        demo_sealer(pki, level, now, **{without: nothing})


@pytest.mark.parametrize("content", [b"", b"no pdf", b"%PDF-1.7\n%%EOF"])
def test_what_is_no_pdf_is_no_traceback(pki: Any, now: datetime, content: bytes) -> None:
    with pytest.raises(RenderingError):
        asyncio.run(demo_sealer(pki, PadesLevel.B_B, now).seal(UnsealedPdf(content, pages=1)))


def test_sealed_document_is_not_sealed_again(pki: Any, pdf: UnsealedPdf, now: datetime) -> None:
    sealer = demo_sealer(pki, PadesLevel.B_B, now)
    sealed = asyncio.run(sealer.seal(pdf))

    with pytest.raises(RenderingError):
        asyncio.run(sealer.seal(UnsealedPdf(sealed.content, sealed.pages)))


@pytest.mark.parametrize(
    "levels",
    [(low, high) for i, low in enumerate(ALL) for high in ALL[i + 1 :]],
)
def test_document_of_a_lower_level_never_leaves(
    pki: Any, pdf: UnsealedPdf, now: datetime, monkeypatch: pytest.MonkeyPatch, levels: tuple[PadesLevel, PadesLevel]
) -> None:
    reached, demanded = levels
    lower = asyncio.run(demo_sealer(pki, reached, now).seal(pdf)).content
    sealer = demo_sealer(pki, demanded, now)

    async def downgraded(*_: object) -> bytes:
        return lower

    monkeypatch.setattr(sealer, "_sealed", downgraded)

    with pytest.raises(SelfCheckError, match="thrown away"):
        asyncio.run(sealer.seal(pdf))


def test_document_with_one_changed_byte_never_leaves(
    pki: Any, pdf: UnsealedPdf, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer = demo_sealer(pki, PadesLevel.B_B, now)
    content = bytearray(asyncio.run(sealer.seal(pdf)).content)
    content[len(pdf.content) // 2] ^= 1

    async def changed(*_: object) -> bytes:
        return bytes(content)

    monkeypatch.setattr(sealer, "_sealed", changed)

    with pytest.raises(SelfCheckError):
        asyncio.run(sealer.seal(pdf))


def test_trust_anchors_come_from_files_and_folders(pki: Any, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes((pki.folder / pki.files.trust_anchor).read_bytes())
    (tmp_path / "seal.cer").write_bytes((pki.folder / pki.files.seal_certificate).read_bytes())
    (tmp_path / "README").write_text("no certificate")

    assert load_trust_anchors([tmp_path]) == (*pki.anchors, pki.seal.certificate)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nx", b"\x30\x00"])
def test_broken_trust_anchor_is_a_matter_of_configuration(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "root.pem"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"root\.pem"):
        load_trust_anchors([path])


def test_missing_or_empty_place_of_trust_anchors_is_a_matter_of_configuration(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere.pem"):
        with pytest.raises(ConfigurationError):
            load_trust_anchors([place])


def test_a_folder_of_trust_anchors_that_may_not_be_read_is_a_matter_of_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
        load_trust_anchors([tmp_path])
