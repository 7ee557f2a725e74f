"""How columns are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sealtool.registry.layout import LAYOUTS, Layout, header_key

if TYPE_CHECKING:
    from tests.unit.registry.conftest import Export

CATALAN = (
    "DNI/NIE;Codi activitat;Títol;Modalitat;Hores;Data d'inici;Data de fi;Data de certificació;Rol;Origen;Indicadors"
)
SPANISH = (
    "NIF;Código de la actividad;Título;Modalidad;Horas;Fecha de inicio;Fecha de fin;Fecha de certificación;Papel;"
    "Origen;Indicadores"
)


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_the_delimiter_is_found_out(empty: Export, delimiter: str) -> None:
    empty.delimiter = delimiter
    assert len(empty.person().participation().grant().read().records["10000000Z"].grants) == 1


def test_each_file_may_have_its_own_delimiter(export: Export) -> None:
    content = (export.folder / "people.csv").read_text().replace(";", "\t")
    assert len(export.write("people.csv", content).read().records) == 2


@pytest.mark.parametrize("header", [CATALAN, SPANISH, CATALAN.upper(), SPANISH.replace(" ", "_").lower()])
def test_headers_may_be_catalan_or_spanish(export: Export, header: str) -> None:
    rows = export.text("training.csv").split("\n", 1)[1]
    assert len(export.write("training.csv", f"{header}\n{rows}").read().records["10000000Z"].participations) == 1


@pytest.mark.parametrize(
    "header",
    [
        "DNI;Nom;Primer llinatge;Segon llinatge",
        "nie;nombre;PRIMER APELLIDO;Apellido-2",
        "D.N.I.;NOM;Llinatge1;llinatge_2",
    ],
)
def test_headers_of_people_may_be_catalan_or_spanish(export: Export, header: str) -> None:
    rows = export.text("people.csv").split("\n", 1)[1]
    assert (
        export.write("people.csv", f"{header}\n{rows}").read().records["10000000Z"].person.full_name == "Ana Pons Vila"
    )


@pytest.mark.parametrize(
    "header",
    [
        "DNI;Nivell;Àrea;Procediment;Data de concessió;Referència",
        "DNI;NIVEL;Area;Procedimiento;Fecha concesión;Referencia",
    ],
)
def test_headers_of_accreditations_may_be_catalan_or_spanish(export: Export, header: str) -> None:
    rows = export.text("accreditations.csv").split("\n", 1)[1]
    assert len(export.write("accreditations.csv", f"{header}\n{rows}").read().records["10000000Z"].grants) == 1


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.file)
def test_no_header_has_two_meanings_in_one_file(layout: Layout) -> None:
    meanings: dict[str, set[str]] = {}
    for column, others in layout.headers.items():
        for header in (column, *others):
            meanings.setdefault(header_key(header), set()).add(column)
    assert all(len(columns) == 1 for columns in meanings.values())


def test_a_header_may_be_mapped_in_the_configuration(export: Export) -> None:
    export.change("training.csv", "hours", "Càrrega (h)")
    assert export.read(aliases={"carrega h": "hours"}).problems == ()


def test_the_configuration_goes_before_the_built_in_meaning(export: Export) -> None:
    export.change("training.csv", "start_date;end_date", "end_date;start_date")
    aliases = {"end_date": "start_date", "start_date": "end_date"}
    assert export.read(aliases=aliases).problems == ()


def test_columns_that_are_not_listed_are_ignored(export: Export) -> None:
    text = "".join(f"whatever;{line}\n" for line in export.text("people.csv").splitlines())
    assert len(export.write("people.csv", text.replace("whatever", "centre", 1)).read().records) == 2


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.file)
def test_every_column_is_required(export: Export, layout: Layout) -> None:
    for column in layout.columns:
        text = export.text(layout.file).replace(column, "zzz", 1)
        assert f"{layout.file}: missing column {column};" in export.write(layout.file, text).refusal()


def test_all_missing_columns_are_named_at_once(export: Export) -> None:
    export.change("training.csv", "hours", "x").change("training.csv", "origin", "y")
    assert "missing columns hours, origin;" in export.refusal()


def test_two_headers_of_one_meaning_are_refused(export: Export) -> None:
    text = "".join(f"{line};x\n" for line in export.text("people.csv").splitlines())
    message = export.write("people.csv", text.replace(";x", ";DNI", 1)).refusal()
    assert "the headers 'person_id' and 'DNI' both mean person_id" in message


def test_lines_without_any_value_are_skipped_and_still_counted(export: Export) -> None:
    export.append("people.csv", "", ";;;", "  ; ;;", ";", "10000002Q;;Vila;")
    problem = export.problem()
    assert (problem.line, problem.column) == (8, "given_name")
    assert export.read().sources[0].rows == 3
