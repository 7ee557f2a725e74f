"""Well-formed changes to messages and objects (`make fuzz`): none may pass, none may raise."""

from __future__ import annotations

import io
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, verify_certificate, verify_detached
from tests.fuzz import structures
from tests.pki.authorities import NOW, SEALED_AT, pki
from tests.pki.sealed_files import detached_seal, seal, small_pdf, stamper_of
from tests.pki.tampering import stamped

pytestmark = pytest.mark.fuzz

_BOUNDED = settings(
    max_examples=200, deadline=None, database=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
LEVELS = (PadesLevel.B_B, PadesLevel.B_T, PadesLevel.B_LTA)
MANIFEST = b'{"schema":"sealtool.manifest/1"}'


@cache
def _sealed(level: PadesLevel) -> bytes:
    return seal(small_pdf(), level)


@cache
def _trust() -> Trust:
    hierarchy = pki()
    return Trust((hierarchy.root.der,), (), hierarchy.lists)


@cache
def _detached() -> bytes:
    return detached_seal(MANIFEST)


@cache
def _sealed_numbers() -> frozenset[int]:
    """Objects that no archiving may touch: all but catalogue, form, fields and the page of the fields."""
    content = _sealed(PadesLevel.B_LT)
    reader = PdfFileReader(io.BytesIO(content))
    form, page = reader.root.raw_get("/AcroForm"), reader.root["/Pages"]["/Kids"].raw_get(0)
    may_change = {reader.root_ref.idnum, getattr(form, "idnum", -1), page.idnum}
    may_change |= {one.idnum for one in reader.root["/AcroForm"]["/Fields"]}
    return frozenset(number for number, _ in structures.objects_of(small_pdf())) - may_change


def _does_not_pass(content: bytes, original: bytes) -> None:
    assume(content != original)
    assert verify_certificate(content, _trust(), now=NOW).verdict is not Verdict.PASSED


@pytest.mark.parametrize("level", LEVELS)
def test_the_unchanged_file_passes_after_taking_it_apart(level: PadesLevel) -> None:
    content = _sealed(level)
    again = structures.with_message(content, structures.message_of(content))
    assert again == content
    assert verify_certificate(again, _trust(), now=NOW).verdict is Verdict.PASSED


@given(data=st.data(), level=st.sampled_from(LEVELS))
@_BOUNDED
def test_no_changed_message_of_a_seal_passes(data: st.DataObject, level: PadesLevel) -> None:
    content = _sealed(level)
    der = data.draw(structures.changed_der(structures.message_of(content)))
    assume(not structures.means_the_same(structures.message_of(content), der))
    _does_not_pass(structures.with_message(content, der), content)


@given(data=st.data())
@_BOUNDED
def test_no_changed_message_of_an_archive_time_stamp_passes(data: st.DataObject) -> None:
    content = _sealed(PadesLevel.B_LTA)
    der = data.draw(structures.changed_der(structures.message_of(content, 1)))
    assume(not structures.means_the_same(structures.message_of(content, 1), der))
    _does_not_pass(structures.with_message(content, der, 1), content)


@given(data=st.data())
@_BOUNDED
def test_no_changed_detached_seal_passes(data: st.DataObject) -> None:
    der = data.draw(structures.changed_der(_detached()))
    assume(not structures.means_the_same(_detached(), der))
    assert verify_detached(MANIFEST, der, _trust(), now=NOW).verdict is not Verdict.PASSED


@given(data=st.data(), level=st.sampled_from(LEVELS))
@_BOUNDED
def test_no_file_with_changed_objects_passes(data: st.DataObject, level: PadesLevel) -> None:
    content = _sealed(level)
    _does_not_pass(data.draw(structures.changed_in_place(content)), content)


@given(data=st.data())
@_BOUNDED
def test_no_update_of_sealed_objects_passes_even_with_a_time_stamp_over_it(data: st.DataObject) -> None:
    content = _sealed(PadesLevel.B_LT)
    changed = data.draw(structures.changed_by_update(content, _sealed_numbers()))
    _does_not_pass(changed, content)
    try:
        forged = stamped(changed, stamper_of(pki(), SEALED_AT))
    except (PdfError, KeyError, TypeError, AttributeError, ValueError, IndexError, AssertionError):
        return  # so broken that no time stamp goes on it
    _does_not_pass(forged, content)


@given(data=st.data())
@_BOUNDED
def test_no_file_sealed_over_a_broken_structure_raises(data: st.DataObject) -> None:
    """What is sealed may be anything: here the seal is sound, and what it seals need not be."""
    broken = data.draw(
        structures.changed_by_update(small_pdf(), frozenset(n for n, _ in structures.objects_of(small_pdf())))
    )
    try:
        content = seal(broken, PadesLevel.B_B)
    except Exception:  # noqa: BLE001 - it is not the sealing that is on trial
        return
    verify_certificate(content, _trust(), now=NOW)
