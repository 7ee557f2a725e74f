from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from sealtool.model import Area, CertificateOrder, Language, Level, Procedure

OrderFactory = Callable[..., CertificateOrder]
TextOf = Callable[..., str]

CATALAN = {
    Procedure.TRAINING: "formació",
    Procedure.TEST: "prova específica",
    Procedure.DEGREE: "titulació",
    Procedure.OBSERVATION: "observació de l'acompliment",
    Procedure.EVIDENCE: "anàlisi i validació d'evidències",
    Procedure.EXTERNAL: "reconeixement de l'acreditació d'una altra administració educativa",
}
SPANISH = {
    Procedure.TRAINING: "formación",
    Procedure.TEST: "prueba específica",
    Procedure.DEGREE: "titulación",
    Procedure.OBSERVATION: "observación del desempeño",
    Procedure.EVIDENCE: "análisis y validación de evidencias",
    Procedure.EXTERNAL: "reconocimiento de la acreditación de otra administración educativa",
}
AREAS = {
    1: ("Compromís professional", "Compromiso profesional"),
    2: ("Continguts digitals", "Contenidos digitales"),
    3: ("Ensenyament i aprenentatge", "Enseñanza y aprendizaje"),
    4: ("Avaluació i retroacció", "Evaluación y retroalimentación"),
    5: ("Empoderament de l'alumnat", "Empoderamiento del alumnado"),
    6: (
        "Desenvolupament de la competència digital de l'alumnat",
        "Desarrollo de la competencia digital del alumnado",
    ),
}


def test_the_catalan_page_says_the_sentence_of_annex_4(make_order: OrderFactory, text_of: TextOf) -> None:
    assert (
        "El secretari autonòmic de Desenvolupament Educatiu atorga l'ACREDITACIÓ DEL NIVELL B1 DE COMPETÈNCIA DIGITAL "
        "DOCENT, d'acord amb el Marc de Referència de la Competència Digital Docent vigent, a Maria del Mar Ferrer i "
        "Pons, amb DNI núm. 10000000P, per haver superat el procediment d'acreditació establert en la Resolució de 27 "
        "d'octubre de 2025, mitjançant formació i prova específica. Palma, 27 d'octubre de 2025 El secretari autonòmic "
        "de Desenvolupament Educatiu Data d'acreditació: 12 de març de 2025 "
    ) in text_of(make_order())


def test_the_spanish_page_says_the_sentence_of_annex_4(make_order: OrderFactory, text_of: TextOf) -> None:
    assert (
        "El secretario autonómico de Desarrollo Educativo otorga la ACREDITACIÓN DEL NIVEL B1 DE COMPETENCIA DIGITAL "
        "DOCENTE, de acuerdo con el Marco de Referencia de la Competencia Digital Docente vigente, a Maria del Mar "
        "Ferrer i Pons, con DNI núm. 10000000P, por haber superado el procedimiento de acreditación establecido en la "
        "Resolución de 27 de octubre de 2025, mediante formación y prueba específica. Palma, 27 de octubre de 2025 El "
        "secretario autonómico de Desarrollo Educativo Fecha de acreditación: 12 de marzo de 2025 "
    ) in text_of(make_order(), page=1)


def test_each_page_ends_with_the_notice_of_automated_action(make_order: OrderFactory, text_of: TextOf) -> None:
    order = make_order()
    assert (
        "Expedit mitjançant actuació administrativa automatitzada i segell electrònic de la Secretaria Autonòmica de "
        "Desenvolupament Educatiu"
    ) in text_of(order)
    assert (
        "Expedido mediante actuación administrativa automatizada y sello electrónico de la Secretaría Autonómica de "
        "Desarrollo Educativo"
    ) in text_of(order, page=1)


@pytest.mark.parametrize("page", [0, 1])
def test_each_page_says_where_to_validate_and_which_certificate_it_is(
    make_order: OrderFactory, text_of: TextOf, page: int
) -> None:
    text = text_of(make_order(), page=page)
    assert "https://valide.redsara.es/valide/" in text
    assert "7KQ2-M4TX-9WBD-5" in text


@pytest.mark.parametrize(
    ("month", "catalan", "spanish"),
    [
        (1, "1 de gener", "1 de enero"),
        (2, "1 de febrer", "1 de febrero"),
        (3, "1 de març", "1 de marzo"),
        (4, "1 d'abril", "1 de abril"),
        (5, "1 de maig", "1 de mayo"),
        (6, "1 de juny", "1 de junio"),
        (7, "1 de juliol", "1 de julio"),
        (8, "1 d'agost", "1 de agosto"),
        (9, "1 de setembre", "1 de septiembre"),
        (10, "1 d'octubre", "1 de octubre"),
        (11, "1 de novembre", "1 de noviembre"),
        (12, "1 de desembre", "1 de diciembre"),
    ],
)
def test_the_day_of_issue_is_written_as_each_language_does(
    make_order: OrderFactory, text_of: TextOf, month: int, catalan: str, spanish: str
) -> None:
    order = make_order(issued_on=date(2026, month, 1))
    assert f"Palma, {catalan} de 2026 El secretari " in text_of(order)
    assert f"Palma, {spanish} de 2026 El secretario " in text_of(order, page=1)


def test_accreditation_and_issue_are_two_dates(make_order: OrderFactory, text_of: TextOf) -> None:
    text = text_of(make_order(accredited_on=date(2024, 8, 31), issued_on=date(2026, 5, 1)))
    assert "Palma, 1 de maig de 2026" in text
    assert "Data d'acreditació: 31 d'agost de 2024" in text


@pytest.mark.parametrize("level", [level for level in Level if level is not Level.C2])
def test_every_level_is_named_and_marked_without_an_area(
    make_order: OrderFactory, text_of: TextOf, level: Level
) -> None:
    order = make_order(level=level)
    catalan, spanish = text_of(order), text_of(order, page=1)
    assert f"DEL NIVELL {level} DE COMPETÈNCIA DIGITAL DOCENT, d'acord" in catalan
    assert f"DEL NIVEL {level} DE COMPETENCIA DIGITAL DOCENTE, de acuerdo" in spanish
    assert catalan.count(level) == spanish.count(level) == 2
    assert "Àrea" not in catalan
    assert "Área" not in spanish


@pytest.mark.parametrize("area", list(Area))
def test_c2_names_its_area_with_number_and_title(make_order: OrderFactory, text_of: TextOf, area: Area) -> None:
    order = make_order(level=Level.C2, area=area, procedures=(Procedure.EVIDENCE,))
    catalan, spanish = AREAS[int(area)]
    assert f"DEL NIVELL C2 DE COMPETÈNCIA DIGITAL DOCENT DE L'ÀREA {area} — {catalan}, d'acord" in text_of(order)
    assert f"DEL NIVEL C2 DE COMPETENCIA DIGITAL DOCENTE DEL ÁREA {area} — {spanish}, de acuerdo" in text_of(
        order, page=1
    )


@pytest.mark.parametrize("procedure", list(Procedure))
def test_a_single_procedure_stands_alone(make_order: OrderFactory, text_of: TextOf, procedure: Procedure) -> None:
    order = make_order(procedures=(procedure,))
    assert f"mitjançant {CATALAN[procedure]}. Palma" in text_of(order)
    assert f"mediante {SPANISH[procedure]}. Palma" in text_of(order, page=1)


def test_procedures_are_joined_in_order_of_print_whatever_their_order(
    make_order: OrderFactory, text_of: TextOf
) -> None:
    order = make_order(procedures=tuple(reversed(Procedure)))
    catalan, spanish = list(CATALAN.values()), list(SPANISH.values())
    assert f"mitjançant {', '.join(catalan[:-1])} i {catalan[-1]}. Palma" in text_of(order)
    assert f"mediante {', '.join(spanish[:-1])} y {spanish[-1]}. Palma" in text_of(order, page=1)


@pytest.mark.parametrize(
    ("person_id", "label"),
    [("10000000P", "DNI"), ("X0000000T", "NIE"), ("Y0000000Z", "NIE"), ("Z0000000M", "NIE")],
)
def test_the_identity_document_is_called_by_its_name(
    make_order: OrderFactory, text_of: TextOf, person_id: str, label: str
) -> None:
    order = make_order(person_id=person_id)
    assert f"amb {label} núm. {person_id}, per" in text_of(order)
    assert f"con {label} núm. {person_id}, por" in text_of(order, page=1)


@pytest.mark.parametrize(
    "name",
    [
        ("Aina", "Vidal", ""),
        ("JOAN", "de la Torre", "i d'Olesa"),
        ("Marcel·lí", "Ñúñez-Güell", "Àvila"),
        ("maria", "O'Neill", "McÇa"),
        ("Thọ", "Nguyễn", "Şahin"),
        ("Fiona  Maria", "Afflick", "Thomas"),
    ],
)
def test_names_are_printed_as_the_registry_writes_them(
    make_order: OrderFactory, text_of: TextOf, name: tuple[str, str, str]
) -> None:
    order = make_order(name)
    printed = " ".join(order.decision.person.full_name.split())
    assert f"vigent, a {printed}, amb DNI" in text_of(order)
    assert f"vigente, a {printed}, con DNI" in text_of(order, page=1)


def test_a_certificate_in_one_language_is_one_page_of_it(make_order: OrderFactory, text_of: TextOf) -> None:
    text = text_of(make_order(languages=(Language.SPANISH,)))
    assert "otorga la ACREDITACIÓN" in text


def test_both_language_files_have_the_same_names() -> None:
    from importlib.resources import files  # noqa: PLC0415

    templates = files("sealtool") / "templates"
    names = [sorted(entry.name for entry in (templates / language.value).iterdir()) for language in Language]
    assert names[0] == names[1] == ["certificate.html"]
