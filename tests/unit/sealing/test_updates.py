"""Updates from a mould are those of the library, to the byte; whatever is not alike is the library's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import pytest
from asn1crypto import tsp
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.validation import DocumentSecurityStore

from sealtool.identifiers import CertificateId
from sealtool.model import PadesLevel, UnsealedPdf
from sealtool.rendering import CertificateRenderer, RenderingOptions
from sealtool.rendering.facts import specimen, specimens_like
from sealtool.sealing import LocalTimeStampAuthority, Sealer, SealingProfile, archiving, sealer
from sealtool.sealing.archiving import ready_to_be_stamped
from sealtool.sealing.cades import room_for_document_stamp
from sealtool.sealing.updates import Ground, Prepared, UpdateMoulds, ground_of, prepared_by_library
from tests.unit.sealing.conftest import NOW, Pki

Alike = tuple[UnsealedPdf, UnsealedPdf]
MakeSealer = Callable[[PadesLevel], Sealer]


@pytest.fixture(scope="module")
def renderer() -> CertificateRenderer:
    return CertificateRenderer(RenderingOptions())


@pytest.fixture(scope="module")
def alike(renderer: CertificateRenderer) -> Alike:
    """Certificates of one kind for two people."""
    one, another = (renderer.render(order) for order in specimens_like(specimen()))
    return one, another


@pytest.fixture(scope="module")
def of_another_kind(renderer: CertificateRenderer) -> UnsealedPdf:
    return renderer.render(replace(specimen(), replaces=CertificateId("former")))


@pytest.fixture
def make_sealer(pki: Pki) -> Iterator[MakeSealer]:
    """Sealers without a memory, with an authority that numbers all tokens alike."""
    authority = LocalTimeStampAuthority(pki.authority._key, clock=lambda: NOW, serial_numbers=lambda: 7)
    made: list[Sealer] = []

    def make(level: PadesLevel) -> Sealer:
        made.append(
            Sealer(
                pki.seal,
                SealingProfile(level, reason="a reason"),
                time_stamps=[authority],
                trust_anchors=pki.anchors,
                revocation=pki.revocation,
                clock=lambda: NOW,
            )
        )
        return made[-1]

    yield make
    for each in made:
        asyncio.run(each.aclose())


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The updates that the library wrote; with it, and without it, what is drawn at random is the same."""
    written: list[str] = []

    class Noting(sealer.SealWriter):
        def __init__(self, *arguments: object) -> None:
            written.append("by the library")
            super().__init__(*arguments)

    monkeypatch.setattr(sealer, "SealWriter", Noting)
    monkeypatch.setattr("sealtool.sealing.archiving.SealWriter", Noting)
    monkeypatch.setattr("pyhanko.pdf_utils.incremental_writer.os.urandom", lambda count: bytes([0x5A]) * count)
    monkeypatch.setattr("sealtool.sealing.updates.secrets.token_hex", lambda count: "5a" * count)
    monkeypatch.setattr("sealtool.sealing.time_stamps.get_nonce", lambda: 11)
    return written


def sealed(by: Sealer, *documents: UnsealedPdf) -> list[bytes]:
    async def work() -> list[bytes]:
        return [(await by.seal(each)).content for each in documents]

    return asyncio.run(work())


@pytest.mark.parametrize("level", list(PadesLevel))
def test_the_second_file_of_a_kind_has_the_bytes_of_the_library(
    alike: Alike, make_sealer: MakeSealer, written: list[str], level: PadesLevel
) -> None:
    _, second = sealed(make_sealer(level), *alike)
    assert len(written) == (2 if level is PadesLevel.B_LTA else 1)
    assert second == sealed(make_sealer(level), alike[1])[0]


def test_files_in_flight_together_have_one_update_of_each_sort_by_the_library(
    alike: Alike, make_sealer: MakeSealer, written: list[str]
) -> None:
    by = make_sealer(PadesLevel.B_LTA)

    async def in_flight() -> list[bytes]:
        material = await by._supply.material()
        assert material.stamper is not None
        transport = material.stamper._transport

        async def slow(question: tsp.TimeStampReq) -> tsp.TimeStampResp:
            await asyncio.sleep(0)
            return await transport(question)

        material.stamper._transport = slow
        return [each.content for each in await asyncio.gather(*(by.seal(document) for document in alike))]

    contents = asyncio.run(in_flight())
    assert len(written) == 2
    assert contents == [sealed(make_sealer(PadesLevel.B_LTA), document)[0] for document in alike]


def test_the_first_archive_time_stamp_of_a_kind_has_the_bytes_of_the_library(
    alike: Alike, make_sealer: MakeSealer, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    by = make_sealer(PadesLevel.B_LTA)
    before: list[bytes] = []

    async def noting(content: bytes, *arguments: Any) -> Prepared:
        before.append(content)
        return await ready_to_be_stamped(content, *arguments)

    monkeypatch.setattr(sealer, "ready_to_be_stamped", noting)
    (content,) = sealed(by, alike[0])

    async def by_library() -> bytes:
        material = await by._supply.material()
        assert material.validation is not None
        assert material.stamper is not None
        output = BytesIO(before[0])
        writer = archiving.SealWriter(output)
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None,
            paths=material.validation.validation_paths,
            ocsps=material.validation.ocsps_to_embed,
            crls=material.validation.crls_to_embed,
        )
        stamping = PdfTimeStamper(
            material.stamper,
            field_name=archiving.TIME_STAMP_FIELD_NAME,
            readable_field_name=archiving.TIME_STAMP_FIELD_DESCRIPTION,
        )
        room = await room_for_document_stamp(by._profile, material.stamper)
        await stamping.async_timestamp_pdf(writer, "sha256", bytes_reserved=room, in_place=True)
        return output.getvalue()

    assert content == asyncio.run(by_library())


def test_an_update_without_room_for_a_message_is_none_of_the_library(alike: Alike) -> None:
    with pytest.raises(SigningError, match="no room"):
        prepared_by_library(alike[0].content + b"1 0 obj\n<<>>\nendobj\n", len(alike[0].content))


@pytest.mark.parametrize("level", [PadesLevel.B_B, PadesLevel.B_LTA])
def test_a_file_of_another_kind_is_the_library_s(
    alike: Alike, of_another_kind: UnsealedPdf, make_sealer: MakeSealer, written: list[str], level: PadesLevel
) -> None:
    other = sealed(make_sealer(level), alike[0], of_another_kind)[1]
    assert len(written) == (4 if level is PadesLevel.B_LTA else 2)
    assert other == sealed(make_sealer(level), of_another_kind)[0]


def test_a_file_that_is_not_of_the_layout_engine_is_the_library_s(
    pdf: UnsealedPdf, make_sealer: MakeSealer, written: list[str]
) -> None:
    plain = UnsealedPdf(pdf.content + b"\n", pages=2)
    assert ground_of(plain.content) is None
    sealed(make_sealer(PadesLevel.B_B), plain, plain)
    assert len(written) == 2


def test_a_broken_table_has_no_ground(alike: Alike) -> None:
    content = alike[0].content
    ground = ground_of(content)
    assert ground is not None
    start = content.index(b"stream\n", ground.table) + len(b"stream\n")
    for damaged in (
        content[:start] + b"\0\0\0\0" + content[start + 4 :],
        content.replace(b"/Type /XRef", b"/Type /Xref"),
        content.replace(b"%%EOF", b"%%E0F"),
        b"",
    ):
        assert ground_of(damaged) is None


@pytest.mark.parametrize("place", ["catalogue", "reference"])
def test_files_whose_packed_objects_differ_have_another_ground(alike: Alike, place: str) -> None:
    content = alike[0].content
    ground = ground_of(content)
    assert ground is not None
    if place == "catalogue":  # compressed: any byte of the object stream stands for any of its objects
        at = content.rindex(b"/Type /ObjStm")
        changed = content[:at] + b"/Type /ObjStn" + content[at + 13 :]
    else:
        changed = content.replace(b"/Info ", b"/Info 1", 1) if content.count(b"/Info ") == 1 else content
        changed = changed.replace(b"/Root 2 ", b"/Root 3 ")
    found = ground_of(changed)
    assert found is None or found.key != ground.key


def test_both_of_a_kind_have_one_ground(alike: Alike) -> None:
    one, another = (ground_of(each.content) for each in alike)
    assert one is not None
    assert another is not None
    assert (one.key, one.known, one.size) == (another.key, another.known, another.size)
    assert one.identifier != another.identifier


# --- what is kept ------------------------------------------------------------------------------------


@pytest.fixture
def learnt(alike: Alike, make_sealer: MakeSealer) -> tuple[UpdateMoulds, object, Ground]:
    by = make_sealer(PadesLevel.B_B)
    sealed(by, alike[0])
    ground = ground_of(alike[1].content)
    assert ground is not None
    return by._moulds, by._moulds._material, ground


def test_with_other_material_the_library_is_needed(alike: Alike, learnt: tuple[UpdateMoulds, object, Ground]) -> None:
    moulds, material, ground = learnt
    assert moulds.poured(alike[1].content, ground, material, moment=NOW) is not None
    assert moulds.poured(alike[1].content, ground, object(), moment=NOW) is None
    assert moulds.poured(alike[1].content, ground, material, moment=NOW, room=12) is None
    assert moulds.poured(alike[1].content, None, material, moment=NOW) is None


def test_a_date_of_another_length_is_the_library_s(alike: Alike, learnt: tuple[UpdateMoulds, object, Ground]) -> None:
    moulds, material, ground = learnt
    later = moulds.poured(alike[1].content, ground, material, moment=NOW + timedelta(seconds=61))
    assert later is not None
    assert b"/M (D\\07220251103120101Z)" in later.content
    elsewhere = datetime(2025, 11, 3, 13, tzinfo=timezone(timedelta(hours=1)))
    assert moulds.poured(alike[1].content, ground, material, moment=elsewhere) is None
    assert moulds.poured(alike[1].content, ground, material, moment=elsewhere.astimezone(UTC)) is not None


def test_an_update_with_two_dates_is_the_library_s(alike: Alike, learnt: tuple[UpdateMoulds, object, Ground]) -> None:
    moulds, material, ground = learnt
    prepared = moulds.poured(alike[1].content, ground, material, moment=NOW)
    assert prepared is not None
    assert moulds.learn(alike[1].content, bytes(prepared.content), ground, material) is not None
    twice = (
        bytes(prepared.content).replace(b"\n/Type /Sig\n", b"\n/M (a)     \n").replace(b"/M (a)     ", b"/M (abcde)")
    )
    assert len(twice) == len(prepared.content)
    assert moulds.learn(alike[1].content, twice, ground, material) is None


def test_moulds_are_bounded(
    alike: Alike, learnt: tuple[UpdateMoulds, object, Ground], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealtool.sealing.updates._KEPT", 1)
    moulds, material, ground = learnt
    prepared = moulds.poured(alike[1].content, ground, material, moment=NOW)
    assert prepared is not None
    for number in range(3):
        moulds.learn(alike[1].content, bytes(prepared.content), replace(ground, key=bytes([number])), material)
    assert len(moulds._kept) == 1


def test_a_message_without_room_is_an_error_and_one_with_room_is_put_in() -> None:
    prepared = Prepared(bytearray(b"ab<000000>cd"), (2, 10), None)
    with pytest.raises(SigningError, match="needs 8 characters, and there is room for 6"):
        prepared.fill(b"\1\2\3\4")
    digest = prepared.digest("sha256")
    prepared.fill(b"\1\xab")
    assert prepared.content == b"ab<01AB00>cd"
    assert prepared.digest("sha256") == digest
