"""What one cell may say. Each parser takes the raw text and returns a value or raises :class:`CellFault`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Final, TypeVar

from sealtool.model import Area, Framework, Indicator, Level, Modality, Origin, Procedure, Role
from sealtool.registry.findings import shown
from sealtool.registry.placeholders import is_placeholder, may_be_placeholder

_Word = TypeVar("_Word", bound=StrEnum)

MONTHS: Final = range(1, 13)
_EARLIEST_YEAR: Final = 1950
"""No activity, degree or test in an export is older; a year before it is a slip such as 0205 or 1025."""

_ISO_DATE: Final = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
_SLASH_DATE: Final = re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})")
_HOURS: Final = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,2})?")
_INDICATOR: Final = re.compile(r"(?P<area>[1-6])\.(?P<competence>[1-9])\.(?P<level>[ABC][12])\.(?P<number>[1-9][0-9]?)")

# Whatever of these categories stands in a text can steer a terminal, hide or reorder what is printed, or has
# no agreed shape: controls, formats (all bidirectional controls), surrogates, private and unassigned
# characters, line and paragraph separators.
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Shapes of letters, some of several at once, which Unicode has for the sake of older encodings only: whatever reads the
# text of a page puts the letters themselves in their place (PDFium and Poppler do), so no page would ever be found to
# show the name that the record has.
_PRESENTATION_FORMS: Final = re.compile("[\ufb00-\ufdff\ufe70-\ufefe]")
# Those that share shapes of letters: the first one of Russian looks like a Latin A.
_ALPHABETS: Final = frozenset({"LATIN", "GREEK", "CYRILLIC"})
# Accents that are characters of their own, apostrophes and the dot between two l do not end a word.
_WORD: Final = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f'\u2019\u00b7])+")
_UNUSUAL_SPACE: Final = re.compile(r"\s\s|[^\S ]")
_MINUS: Final = "\u2212"
_NAME_LENGTH: Final = 200
_REPLACEMENT: Final = "\ufffd"
# What stands in names besides letters and dashes, with what is often typed in place of an apostrophe or a middle dot.
_MARKS_IN_NAMES: Final = frozenset("'`.,/&·•\u00b4\u2018\u2019\u2032")
# Other forms of letters by their compatibility mapping, and nothing unusual: Mª, and l·l in one character.
_USUAL_FORMS: Final = frozenset("ªº\u013f\u0140")


class CellFault(Exception):  # noqa: N818 - a fault of the registry, not of the program
    """A cell that cannot be accepted.

    Args:
        reason: the predicate of a sentence about the cell: "is empty".
        parsed: the value, where the cell could be read all the same (a day in the future).
    """

    def __init__(self, reason: str, *parsed: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.parsed = parsed


def required(text: str) -> str:
    """The text without outer white space.

    Raises:
        CellFault: nothing is left.
    """
    bare = text.strip()
    if not bare:
        raise CellFault("is empty")
    return bare


def parse_code(text: str) -> str:
    """An identifier given by the registry, as it is.

    Raises:
        CellFault: it is empty or holds characters that cannot be printed.
    """
    return _printable(required(text))


def comparable_code(code: str) -> str:
    """What two spellings of one identifier have in common.

    Case, kind of space or dash and form of accents do not count, nor zeros before a number, which spreadsheets take
    away.
    """
    plain = unicodedata.normalize("NFKC", code).casefold()
    dashed = "".join("-" if unicodedata.category(mark) == "Pd" or mark == _MINUS else mark for mark in plain)
    words = " ".join(dashed.split())
    return words.lstrip("0") if words.isdecimal() else words


def parse_reference(text: str) -> str:
    """A free reference, which may be empty.

    Raises:
        CellFault: it holds characters that cannot be printed.
    """
    return _printable(text.strip())


def parse_title(text: str) -> str:
    """A title, whatever it is: nothing depends on it."""
    return text.strip()


def _printable(text: str) -> str:
    for mark in text:
        if unicodedata.category(mark) in _UNPRINTABLE:
            raise CellFault(f"holds a character that cannot be printed (U+{ord(mark):04X})")
    return text


# --- names ------------------------------------------------------------------------------------


def parse_name(text: str) -> str:
    """A part of a name that has to be there; exactly as it stands but for outer white space.

    Raises:
        CellFault: it is empty, too long, or would not be printed as it was meant.
    """
    required(text)
    return parse_optional_name(text)


def parse_optional_name(text: str) -> str:
    """A part of a name that may be missing; otherwise as :func:`parse_name`."""
    if _REPLACEMENT in text or _is_mangled(text):
        raise CellFault("holds letters that were mangled on the way: the file went through a wrong encoding")
    if mark := next(filter(_stands_for_a_letter, text), ""):
        raise CellFault(f"holds {mark!r}, which stands where a letter was lost: the file went through a wrong encoding")
    name = _printable(_trim_spaces(text))
    if form := _PRESENTATION_FORMS.search(name):
        raise CellFault(
            f"holds {form[0]!r} (U+{ord(form[0]):04X}), one sign for {_plain(form[0])!r}, and readers of the page take "
            "the one for the other: write the letters themselves"
        )
    if mixed := _mixed_word(name):
        raise CellFault(
            f"holds {mixed!r}, which has letters of several alphabets that look alike: nobody would find the name again"
        )
    if len(name) > _NAME_LENGTH:
        raise CellFault(f"has {len(name)} characters, and no part of a name has more than {_NAME_LENGTH}")
    if name and not any(character.isalpha() for character in name):
        raise CellFault("has no letter, so it is no name")
    if is_placeholder(name):
        raise CellFault("is a word or a remark in the place of a name; where there is no name, leave the cell empty")
    return name


def _mixed_word(name: str) -> str:
    """The first word with letters of several alphabets; empty where there is none."""
    if name.isascii():
        return ""
    return next((word for word in _WORD.findall(name) if len(_ALPHABETS.intersection(map(_alphabet, word))) > 1), "")


def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def name_oddity(name: str) -> str:
    """What is unusual in a sound name; empty where nothing is."""
    odd = "".join(dict.fromkeys(mark for mark in name if not _is_usual(mark) or _is_other_form(mark)))
    found = {
        "is written with separate accents (not in Unicode form NFC)": not unicodedata.is_normalized("NFC", name),
        f"holds {odd!r}, unusual in a name,": bool(odd),
        "has several spaces in a row, or an unusual one": _UNUSUAL_SPACE.search(name) is not None,
        "may stand for a name that is missing": may_be_placeholder(name),
    }
    told = " and ".join(words for words, is_so in found.items() if is_so)
    return told and f"{told.removesuffix(',')}; it is printed as it stands"


def _is_other_form(mark: str) -> bool:
    """Whether it looks like a letter, or several, and is another character: ʰ, ĳ, the micro sign."""
    return not mark.isascii() and mark.isalpha() and mark not in _USUAL_FORMS and _plain(mark) != mark


def _plain(mark: str) -> str:
    return unicodedata.normalize("NFKC", mark)


def _is_usual(mark: str) -> bool:
    category = unicodedata.category(mark)
    return mark in _MARKS_IN_NAMES or category[0] in "LMZ" or category == "Pd"


def _stands_for_a_letter(mark: str) -> bool:
    """Whether that is what a letter becomes that the encoding lacks, or that was read in another one.

    ñ of code page 850 is ¤ in Windows-1252, and í is ¡.
    """
    return mark == "?" or not (mark.isascii() or _is_usual(mark) or unicodedata.category(mark) in _UNPRINTABLE)


def _trim_spaces(text: str) -> str:
    # str.strip() would also swallow separators that have to be reported
    start, end = 0, len(text)
    while start < end and _is_space(text[start]):
        start += 1
    while end > start and _is_space(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_space(mark: str) -> bool:
    return mark == "\t" or unicodedata.category(mark) == "Zs"


def _is_mangled(text: str) -> bool:
    """Whether it reads as UTF-8 that was once taken for Windows-1252 ("MartÃ­")."""
    if text.isascii():
        return False
    try:
        text.encode("windows-1252").decode("utf-8")
    except UnicodeError:
        return False
    return True


# --- numbers and dates ------------------------------------------------------------------------


def date_parser(today: date, month_first: str = "") -> Callable[[str], date]:
    """A parser of days up to and including ``today``.

    Args:
        today: the last day that is not in the future.
        month_first: a date of the same export that has the month first; dates that may have it first are refused then.
    """

    def parse(text: str) -> date:
        bare = required(text)
        match = _ISO_DATE.fullmatch(bare) or _SLASH_DATE.fullmatch(bare)
        if match is None:
            raise CellFault("is not a date of the form 2025-10-27 or 27/10/2025")
        year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
        if year < _EARLIEST_YEAR:
            raise CellFault(f"is before {_EARLIEST_YEAR}, so the year must be wrong")
        try:
            parsed = date(year, month, day)
        except ValueError:
            raise CellFault("is no day of the calendar") from None
        if parsed > today:
            raise CellFault(f"is in the future (today is {today})", parsed)
        if month_first and match.re is _SLASH_DATE and day in MONTHS and day != month:
            raise CellFault(f"may have the month first, as {shown(month_first)!r} has: write it as 2025-10-27", parsed)
        return parsed

    return parse


def slashed_numbers(text: str) -> tuple[int, int] | None:
    """The first two numbers of a date with slashes, None where it is none."""
    match = _SLASH_DATE.fullmatch(text.strip())
    return match and (int(match["day"]), int(match["month"]))


def parse_hours(text: str) -> Decimal:
    """Hours, in one notation for one amount.

    Raises:
        CellFault: no positive number of at most four digits and two decimals.
    """
    bare = required(text)
    if not _HOURS.fullmatch(bare):
        raise CellFault("is no number of hours such as 30, 7.5 or 7,5")
    whole, _, decimals = bare.replace(",", ".").partition(".")
    decimals = decimals.rstrip("0")
    hours = Decimal(f"{whole}.{decimals}" if decimals else whole)
    if hours <= 0:
        raise CellFault("is not more than zero hours")
    return hours


def parse_area(text: str) -> Area | None:
    """An area by its number, None where the cell is empty.

    Raises:
        CellFault: no number from 1 to 6.
    """
    bare = text.strip()
    if not bare:
        return None
    if bare not in {"1", "2", "3", "4", "5", "6"}:
        raise CellFault("is no area: write 1 to 6, or nothing for all six")
    return Area(int(bare))


def indicators_parser(framework: Framework) -> Callable[[str], frozenset[Indicator]]:
    """A parser of indicator codes within the grid of the framework."""

    @cache
    def parse_one(code: str) -> Indicator:
        match = _INDICATOR.fullmatch(code)
        if match is None:
            raise CellFault(
                f"holds {shown(code)}, which is no indicator: area.competence.LEVEL.number such as 2.1.B1.2, separated "
                "by spaces"
            )
        area = Area(int(match["area"]))
        competences = framework.competences.get(area, 0)
        if int(match["competence"]) > competences:
            raise CellFault(f"holds {code}, but area {area} has only {competences} competences")
        return Indicator(area, int(match["competence"]), Level(match["level"]), int(match["number"]))

    return lambda text: frozenset(parse_one(code) for code in text.split())


# --- words ------------------------------------------------------------------------------------

_MODALITIES: Final[Mapping[Modality, tuple[str, ...]]] = {
    Modality.COURSE: ("curs", "curso"),
    Modality.SEMINAR: ("seminari", "seminario"),
    Modality.WORKSHOP: ("taller",),
    Modality.WORKING_GROUP: ("grup de treball", "grupo de trabajo"),
    Modality.PROJECT: ("projecte", "proyecto"),
    Modality.CONGRESS: ("congrés", "congreso"),
    Modality.CONFERENCE_DAY: ("jornada",),
    Modality.ONE_OFF: ("puntual",),
}
_ROLES: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.PARTICIPANT: ("participant", "participante"),
    Role.COORDINATOR: ("coordinador", "coordinadora"),
    Role.TRAINER: ("formador", "formadora", "ponent", "ponente"),
}
_ORIGINS: Final[Mapping[Origin, tuple[str, ...]]] = {
    Origin.ORGANISED: ("organitzada", "organizada"),
    Origin.HOMOLOGATED: ("homologada",),
    Origin.RECOGNISED: ("reconeguda", "reconocida"),
}
_PROCEDURES: Final[Mapping[Procedure, tuple[str, ...]]] = {
    # training is a procedure too, but never one that is granted in this file
    Procedure.TEST: ("prova", "prueba"),
    Procedure.DEGREE: ("titulació", "titulación"),
    Procedure.OBSERVATION: ("observació", "observación"),
    Procedure.EVIDENCE: ("evidències", "evidencias"),
    Procedure.EXTERNAL: ("externa",),
}
_LEVELS: Final[Mapping[Level, tuple[str, ...]]] = dict.fromkeys(Level, ())


def _word_parser(words: Mapping[_Word, tuple[str, ...]]) -> Callable[[str], _Word]:
    lookup = {_folded(name): word for word, others in words.items() for name in (word.value, *others)}
    expected = ", ".join(words)

    def parse(text: str) -> _Word:
        word = lookup.get(_folded(required(text)))
        if word is None:
            raise CellFault(f"is none of {expected}")
        return word

    return parse


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


parse_modality: Final = _word_parser(_MODALITIES)
parse_role: Final = _word_parser(_ROLES)
parse_origin: Final = _word_parser(_ORIGINS)
parse_procedure: Final = _word_parser(_PROCEDURES)
parse_level: Final = _word_parser(_LEVELS)
