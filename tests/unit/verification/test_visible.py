"""What the pages show is what the record says."""

from dataclasses import replace
from datetime import date

import pytest

from sealtool.model import (
    Area,
    CertificateId,
    CertificateOrder,
    CertifiedFacts,
    CoveredArea,
    Decision,
    Language,
    Level,
    PadesLevel,
    Person,
    PersonId,
    Procedure,
    Verdict,
)
from sealtool.rendering import CertificateRenderer, RenderingOptions
from sealtool.verification import Trust, verify_certificate
from sealtool.verification.visible import check_pages
from tests.pki.authorities import NOW
from tests.pki.sealed_files import record_attachment, seal, small_pdf

NAMES = [
    ("Aina", "Mas", ""),
    ("Maria del Mar", "Puig-server", "i Sant-Joan"),
    ("Gal·la", "d'Ocón", "Ünsal"),
    ("Maria Immaculada Concepció dels Dolors", "Fernández de Córdoba-Asturias y Álvarez", "Bohórquez-Montcada Oms"),
    ("Affi", "Ffloff", "Tità"),
]


@pytest.fixture(scope="module")
def renderer() -> CertificateRenderer:
    return CertificateRenderer(RenderingOptions())


def order(level: Level, area: Area | None, name: tuple[str, str, str], month: int) -> CertificateOrder:
    day = date(2025, month, 1 + month)
    covered = tuple(CoveredArea(each, day, Procedure.TRAINING) for each in (Area if area is None else (area,)))
    person = Person(PersonId("X1234567L"), *name)
    decision = Decision(person, level, area, day, (Procedure.TRAINING,), covered, "2025-10-27")
    return CertificateOrder(
        CertificateId("0DEAK-324YG-6E12V-14DGD"), decision, date(2026, 13 - month, 28), tuple(Language)
    )


def facts_of(one: CertificateOrder) -> CertifiedFacts:
    return CertifiedFacts(
        certificate_id=one.certificate_id,
        level=str(one.decision.level),
        area=None if one.decision.area is None else int(one.decision.area),
        person_id=one.decision.person.person_id,
        full_name=one.decision.person.full_name,
        accredited_on=one.decision.accredited_on.isoformat(),
        issued_on=one.issued_on.isoformat(),
        procedures=("training",),
        areas=(),
        rules_version="2025-10-27",
    )


# half a year has every level and every name
@pytest.mark.parametrize(
    "month", [*range(1, 7), *(pytest.param(each, marks=pytest.mark.long) for each in range(7, 13))]
)
def test_our_own_pages_show_their_record(renderer: CertificateRenderer, month: int) -> None:
    level = list(Level)[month % 6]
    area = list(Area)[month % 6] if level is Level.C2 else None
    one = order(level, area, NAMES[month % len(NAMES)], month)
    assert list(check_pages(renderer.render(one).content, facts_of(one), 2)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"full_name": "Aina Mes"}, "the name"),
        ({"person_id": "X1234568L"}, "the identity number"),
        ({"certificate_id": "0DEAK-324YG-6E12V-14DGE"}, "the certificate's identifier"),
        ({"accredited_on": "2025-02-13"}, "the day of accreditation"),
        ({"accredited_on": "2025-02-23"}, "the day of accreditation"),
        ({"issued_on": "2026-11-08"}, "the day of issue"),
        ({"level": "C1"}, "the level"),
        ({"area": 3}, "the area"),
    ],
)
def test_every_difference_is_named_for_every_page(
    renderer: CertificateRenderer, change: dict[str, object], told: str
) -> None:
    one = order(Level.B1, None, NAMES[0], 2)
    found = [each.detail for each in check_pages(renderer.render(one).content, replace(facts_of(one), **change), 2)]  # type: ignore[arg-type]
    assert found == [f"On page {page}: {told}." for page in (1, 2)]


def test_a_day_is_not_found_inside_another_one(renderer: CertificateRenderer) -> None:
    one = order(Level.B1, None, NAMES[0], 11)  # accredited on the 12th
    shown = replace(facts_of(one), accredited_on="2025-11-02")
    assert len(list(check_pages(renderer.render(one).content, shown, 2))) == 2


def test_an_area_too_many_or_too_few_is_noticed(renderer: CertificateRenderer) -> None:
    one = order(Level.C2, Area.DIGITAL_CONTENT, NAMES[0], 4)
    content = renderer.render(one).content
    for area in (None, 5):
        assert [each.detail for each in check_pages(content, replace(facts_of(one), area=area), 2)] == [
            "On page 1: the area.",
            "On page 2: the area.",
        ]


@pytest.mark.parametrize("level", PadesLevel)
def test_a_soundly_sealed_file_whose_record_says_another_level_does_not_pass(
    trust_with_lists: Trust, level: PadesLevel
) -> None:
    content = seal(small_pdf((record_attachment(level="C1"),)), level)
    verification = verify_certificate(content, trust_with_lists, now=NOW)
    assert verification.verdict is Verdict.INDETERMINATE
    assert [reason.code for reason in verification.reasons] == ["RECORD_NOT_SHOWN"]
    assert verification.certificate is None
    assert verification.pades_level is level
