"""The files of an export, their columns, and the header names by which each column may be called."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

SUMS_FILE: Final = "SHA256SUMS"
FREE_TEXTS: Final = frozenset({"title", "reference"})
"""Columns that decide nothing and are not certified."""

_PERSON_ID = (
    *("DNI", "NIE", "NIF", "DNI/NIE", "NIF/NIE", "DNI o NIE", "document d'identitat", "document identitat"),
    *("número de document", "documento de identidad", "documento identidad", "número de documento"),
)

_PEOPLE: Mapping[str, Sequence[str]] = {
    "person_id": _PERSON_ID,
    "given_name": ("nom", "nom de pila", "nombre", "nombre de pila"),
    "first_surname": (
        *("primer llinatge", "llinatge 1", "1r llinatge", "primer cognom", "cognom 1", "1r cognom"),
        *("primer apellido", "apellido 1", "1er apellido", "1º apellido"),
    ),
    "second_surname": (
        *("segon llinatge", "llinatge 2", "2n llinatge", "segon cognom", "cognom 2", "2n cognom"),
        *("segundo apellido", "apellido 2", "2do apellido", "2º apellido"),
    ),
}

_TRAINING: Mapping[str, Sequence[str]] = {
    "person_id": _PERSON_ID,
    "activity_id": (
        *("codi activitat", "codi d'activitat", "codi de l'activitat", "id activitat", "identificador activitat"),
        *("identificador d'activitat", "identificador de l'activitat"),
        *("código actividad", "código de actividad", "código de la actividad", "id actividad"),
        *("identificador actividad", "identificador de actividad", "identificador de la actividad"),
    ),
    "title": (
        *("títol", "títol activitat", "títol de l'activitat", "nom activitat", "nom de l'activitat", "denominació"),
        *("título", "título actividad", "título de la actividad", "nombre actividad", "nombre de la actividad"),
        *("denominación",),
    ),
    "modality": (
        "modalitat",
        "tipus activitat",
        "tipus d'activitat",
        "modalidad",
        "tipo actividad",
        "tipo de actividad",
    ),
    "hours": (
        *("hores", "nombre d'hores", "total hores", "total d'hores", "hores totals", "durada en hores"),
        *("horas", "número de horas", "total horas", "total de horas", "horas totales", "duración en horas"),
    ),
    "start_date": ("data inici", "data d'inici", "fecha inicio", "fecha de inicio"),
    "end_date": (
        *("data fi", "data de fi", "data final", "data finalització", "data de finalització"),
        *("fecha fin", "fecha de fin", "fecha final", "fecha finalización", "fecha de finalización"),
    ),
    "completed_on": (
        *("data certificació", "data de certificació", "data superació", "data de superació"),
        *("fecha certificación", "fecha de certificación", "fecha superación", "fecha de superación"),
    ),
    "role": (
        *("rol", "paper", "tipus participació", "tipus de participació"),
        *("papel", "tipo participación", "tipo de participación"),
    ),
    "origin": ("origen", "origen activitat", "origen de l'activitat", "origen actividad", "origen de la actividad"),
    "indicators": ("indicadors", "indicadors d'assoliment", "indicadores", "indicadores de logro"),
}

_ACCREDITATIONS: Mapping[str, Sequence[str]] = {
    "person_id": _PERSON_ID,
    "level": ("nivell", "nivell acreditat", "nivel", "nivel acreditado"),
    "area": ("àrea", "número d'àrea", "área", "número de área"),
    "procedure": (*("procediment", "procediment d'acreditació", "procedimiento", "procedimiento de acreditación"),),
    "granted_on": (
        *("data concessió", "data de concessió", "data acreditació", "data d'acreditació", "data d'atorgament"),
        *("fecha concesión", "fecha de concesión", "fecha acreditación", "fecha de acreditación"),
        *("fecha de otorgamiento",),
    ),
    "reference": ("referència", "referencia"),
}


def header_key(header: str) -> str:
    """What is left of a header when case, accents, spaces and punctuation are taken away."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", header).casefold() if mark.isalnum())


@dataclass(frozen=True)
class Layout:
    """One file of the export.

    Attributes:
        file: its name.
        headers: its columns by canonical name, each with the other names it may have. Every one has to be
            there, even where cells may be empty: an export that lost a column must not look like one in which
            nobody has a second surname.
    """

    file: str
    headers: Mapping[str, Sequence[str]]

    @property
    def columns(self) -> tuple[str, ...]:
        """Canonical names of the columns, in the order of the documentation."""
        return tuple(self.headers)

    @cached_property
    def _column_of(self) -> Mapping[str, str]:
        return {header_key(header): column for column, others in self.headers.items() for header in (column, *others)}

    def meanings(self, headers: Sequence[str], aliases: Mapping[str, str]) -> list[str | None]:
        """The canonical column each header stands for, None for a column that is ignored.

        Args:
            headers: the cells of the header line.
            aliases: the deployment's own header names; they go before the built-in ones.
        """
        own = {header_key(header): column for header, column in aliases.items() if column in self.headers}
        keys = [header_key(header) for header in headers]
        return [own.get(key) or self._column_of.get(key) for key in keys]


PEOPLE: Final = Layout("people.csv", _PEOPLE)
TRAINING: Final = Layout("training.csv", _TRAINING)
ACCREDITATIONS: Final = Layout("accreditations.csv", _ACCREDITATIONS)
LAYOUTS: Final = (PEOPLE, TRAINING, ACCREDITATIONS)
CANONICAL_COLUMNS: Final = frozenset(column for layout in LAYOUTS for column in layout.columns)
