"""Whether the pages show what the record says: a reader believes the page, a program the record.

The pages are read with PDFium, the engine behind a widely used reader. What is compared is the text that it finds on a
page, which is not all that the eye sees: it may be white, or lie under something. So this finds a mistake of the office
that sealed the page, not a deceit: it is asked only about files whose seal already holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

import pypdfium2

from sealtool.model import CertifiedFacts, Level
from sealtool.verification.reasons import Objection, ReasonCode

_LEVELS = re.compile(rf"(?<![^\W_])(?:{'|'.join(Level)})(?![^\W_])")
_AREAS = re.compile(r"[àá]rea\s+([0-9]+)", re.IGNORECASE)
_CATALAN = (
    *("de gener", "de febrer", "de març", "d'abril", "de maig", "de juny", "de juliol", "d'agost", "de setembre"),
    *("d'octubre", "de novembre", "de desembre"),
)
_SPANISH = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre"),
    *("noviembre", "diciembre"),
)


def check_pages(content: bytes, facts: CertifiedFacts, pages: int) -> Iterator[Objection]:
    """Objections where a page does not show, or contradicts, what the record says.

    Every page must name the person, the identity number, the certificate and both dates, and no other level or area
    than the record's.

    Args:
        content: a PDF whose seal holds.
        facts: what its record says.
        pages: how many there are by the reader that everything else was read with.
    """
    texts = list(_page_texts(content))
    if len(texts) != pages:
        yield Objection(ReasonCode.UNREADABLE, f"One program finds {pages} pages in it, another {len(texts)}.")
    for number, text in enumerate(texts, start=1):
        if missing := list(_differences(text, facts)):
            yield Objection(ReasonCode.RECORD_NOT_SHOWN, f"On page {number}: {', '.join(missing)}.")


def _page_texts(content: bytes) -> Iterator[str]:
    document = pypdfium2.PdfDocument(content)
    try:
        for page in document:
            yield page.get_textpage().get_text_bounded()
    finally:
        document.close()


def _differences(text: str, facts: CertifiedFacts) -> Iterator[str]:
    shown, in_one_line = _letters_and_digits(text), " ".join(text.split())
    for what, value in (
        ("the name", facts.full_name),
        ("the identity number", facts.person_id),
        ("the certificate's identifier", facts.certificate_id),
    ):
        if _letters_and_digits(value) not in shown:
            yield what
    for what, day in (("the day of accreditation", facts.accredited_on), ("the day of issue", facts.issued_on)):
        if not any(_stands_in(in_one_line, form) for form in _forms(date.fromisoformat(day))):
            yield what
    if set(_LEVELS.findall(text)) != {str(facts.level)}:
        yield "the level"
    if set(_AREAS.findall(text)) != ({str(int(facts.area))} if facts.area else set()):
        yield "the area"


def _stands_in(text: str, form: str) -> bool:
    """Whether a day stands in a text, and not as the end of a longer number."""
    return any(not before[-1:].isdecimal() for before in text.split(form)[:-1])


def _letters_and_digits(text: str) -> str:
    """Without white space and punctuation: where lines break, readers make something of their own of a hyphen."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFC", text)))


def _forms(day: date) -> Iterator[str]:
    """How certificates write a day."""
    yield f"{day.day} {_CATALAN[day.month - 1]} de {day.year}"
    yield f"{day.day} de {_SPANISH[day.month - 1]} de {day.year}"
    yield f"{day:%d/%m/%Y}"
    yield day.isoformat()
