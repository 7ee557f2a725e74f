"""Reads the dated parameter files of the law, strictly: a key too many is as wrong as one too few."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TypeVar

from sealtool.accreditation.rules import Clause, Rules
from sealtool.errors import RulesError
from sealtool.model import Area, Framework, Language, Level, Modality, Origin, Procedure, Role

Member = TypeVar("Member", bound=Enum)
Value = TypeVar("Value")


def available_rules() -> tuple[Rules, ...]:
    """Every version of the law this installation knows, the oldest first.

    Raises:
        RulesError: a parameter file is malformed.
    """
    return _installed_rules()


@cache  # the files are part of the installed package: they cannot change while the process lives
def _installed_rules() -> tuple[Rules, ...]:
    folder = files("sealtool.accreditation") / "parameters"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    every = [parse_rules((folder / name).read_bytes(), file_name=name) for name in names]
    return tuple(sorted(every, key=lambda rules: rules.effective_from))


def load_rules(version: str | None = None, *, on: date) -> Rules:
    """The rules of that version, or, where none is named, those in force on that day.

    Args:
        version: the name of a version, or None for the law in force.
        on: the day on which it decides.

    Raises:
        RulesError: no such version, none in force on that day, the named one is not in force yet, or a
            parameter file is malformed.
    """
    return choose_rules(available_rules(), version, on=on)


def choose_rules(every: Iterable[Rules], version: str | None, *, on: date) -> Rules:
    """As :func:`load_rules`, from the versions given.

    Raises:
        RulesError: none of them fits.
    """
    known = sorted(every, key=lambda rules: rules.effective_from)
    listed = ", ".join(f"{rules.version} (from {rules.effective_from})" for rules in known) or "none"
    advice = f"The versions installed are: {listed}."
    if version is not None:
        named = [rules for rules in known if rules.version == version]
        if not named:
            raise RulesError(f"There is no version {version!r} of the rules, so nothing can be decided.", advice=advice)
        if named[0].effective_from > on:
            raise RulesError(f"Version {version} of the rules is not in force on {on} yet.", advice=advice)
        return named[0]
    in_force = [rules for rules in known if rules.effective_from <= on]
    if not in_force:
        raise RulesError(f"No version of the rules is in force on {on}, so nothing can be decided.", advice=advice)
    return in_force[-1]


def parse_rules(content: bytes, *, file_name: str) -> Rules:
    """Read one parameter file.

    Args:
        content: the bytes of the file, UTF-8 TOML.
        file_name: its name; its stem must be the version it states.

    Raises:
        RulesError: naming the file and the key that is missing, unknown or malformed.
    """
    try:
        text = content.decode("utf-8")
        top = _Table(tomllib.loads(text, parse_float=Decimal), file_name)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _error(file_name, "the file", f"is not UTF-8 TOML: {error}") from error
    version = top.text("version")
    if f"{version}.toml" != file_name:
        raise _error(file_name, "version", f"must be the name of the file without .toml, not {version!r}")
    framework_table = top.table("framework")
    titles = framework_table.table("titles")
    accreditation, training = top.table("accreditation"), top.table("training")
    competences = framework_table.every_member("competences", Area, _count)
    rules = Rules(
        version=version,
        effective_from=top.take("effective_from", _day),
        title=top.text("title"),
        source=top.text("source"),
        sha256=hashlib.sha256(content).hexdigest(),
        framework=Framework(
            competences=competences,
            direct_procedures=accreditation.every_member("direct_procedures", Level, _list_of(_direct_procedure)),
            levels_by_area=accreditation.take("levels_by_area", _list_of(Level)),
        ),
        area_titles={language: titles.every_member(language.value, Area, _text) for language in Language},
        hours=training.members("hours", Level, _hours_row),
        origin_floors=training.every_member("origin_floors", Origin, _day),
        excluded_modalities=training.take("excluded_modalities", _list_of(Modality)),
        excluded_competences=training.take("excluded_competences", _list_of(_competence_of(competences))),
        counted_roles=training.take("counted_roles", _list_of(Role)),
        clauses=top.every_member("clauses", Clause, _text),
    )
    if not rules.framework.levels_by_area.isdisjoint(rules.hours):
        # Only C2 goes by area, and only by grants: a law that says otherwise needs code, not a parameter.
        raise _error(file_name, "training.hours", "names a level of accreditation.levels_by_area")
    for table in (titles, framework_table, accreditation, training, top):
        table.refuse_unknown_keys()
    return rules


def _error(file_name: str, key: str, what: str) -> RulesError:
    return RulesError(
        f"Rules file {file_name}: {key} {what}. Without it the law cannot be applied, so nothing is decided.",
        advice="Restore the file from the release it came with; a change of the law is a new file.",
    )


class _Table:
    """A TOML table that knows where it stands and remembers which of its keys were asked for."""

    def __init__(self, values: Mapping[str, object], file_name: str, prefix: str = "") -> None:
        self.values = values
        self._file_name = file_name
        self._prefix = prefix
        self._taken: set[str] = set()

    def take(self, key: str, convert: Callable[[object], Value]) -> Value:
        """The value of a key, which must be there, converted; a ValueError becomes a RulesError."""
        self._taken.add(key)
        if key not in self.values:
            raise self.wrong(key, "is missing")
        try:
            return convert(self.values[key])
        except ValueError as error:
            raise self.wrong(key, f"is malformed: {error}") from error

    def text(self, key: str) -> str:
        return self.take(key, _text)

    def table(self, key: str) -> _Table:
        return _Table(self.take(key, _mapping), self._file_name, f"{self._prefix}{key}.")

    def members(self, key: str, kind: type[Member], convert: Callable[[object], Value]) -> dict[Member, Value]:
        """A table whose keys are values of an enumeration, in the order of its definition."""
        table = self.table(key)
        known = {str(member.value): member for member in kind}
        for name in table.values:
            if name not in known:
                raise table.wrong(name, "is unknown")
        return {member: table.take(name, convert) for name, member in known.items() if name in table.values}

    def every_member(self, key: str, kind: type[Member], convert: Callable[[object], Value]) -> dict[Member, Value]:
        """As :meth:`members`, where none may be missing."""
        found = self.members(key, kind, convert)
        for member in kind:
            if member not in found:
                raise self.wrong(f"{key}.{member.value}", "is missing")
        return found

    def refuse_unknown_keys(self) -> None:
        for key in self.values:
            if key not in self._taken:
                raise self.wrong(key, "is unknown")

    def wrong(self, key: str, what: str) -> RulesError:
        """The error that names this key in full."""
        return _error(self._file_name, f"{self._prefix}{key}", what)


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError("it must be a table")  # noqa: TRY004  # _Table.take turns ValueError into RulesError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it must be a text that is not empty")
    return value


def _day(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("it must be a day, such as 2025-10-27")  # noqa: TRY004
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("it must be a whole number above zero")
    return value


def _list_of(convert: Callable[[str], Value]) -> Callable[[object], frozenset[Value]]:
    def convert_list(value: object) -> frozenset[Value]:
        if not isinstance(value, list):
            raise ValueError("it must be a list")  # noqa: TRY004
        converted = frozenset(convert(_text(item)) for item in value)
        if len(converted) != len(value):
            raise ValueError("it names something twice")
        return converted

    return convert_list


def _direct_procedure(name: str) -> Procedure:
    procedure = Procedure(name)
    if procedure is Procedure.TRAINING:
        raise ValueError("training is not granted directly")
    return procedure


def _competence_of(competences: Mapping[Area, int]) -> Callable[[str], tuple[Area, int]]:
    def competence(code: str) -> tuple[Area, int]:
        for area, count in competences.items():
            for number in range(1, count + 1):
                if code == f"{area.value}.{number}":
                    return area, number
        raise ValueError(f"there is no competence {code}")

    return competence


def _hours_row(value: object) -> tuple[Decimal, ...]:
    if not isinstance(value, list) or len(value) != len(Area):
        raise ValueError(f"it must be a list of {len(Area)} numbers of hours")
    if any(isinstance(hours, bool) or not isinstance(hours, int | Decimal) for hours in value):
        raise ValueError("it must hold numbers only")
    row = tuple(Decimal(hours) for hours in value)
    if not all(hours.is_finite() for hours in row):
        raise ValueError("it must hold finite numbers only")
    if row[0] <= 0 or any(fewer >= more for fewer, more in pairwise(row)):
        raise ValueError("each number must be larger than the one before, and the first larger than zero")
    return row
