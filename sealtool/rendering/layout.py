"""Text to pages: one HTML document through the layout engine, with every complaint of the engine taken seriously."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, TypeVar

from sealtool.errors import RenderingError, SealtoolError, TemplateError
from sealtool.model import RECORD_ATTACHMENT_NAME, CertificateOrder
from sealtool.rendering.archive import PDF_VARIANT, CertificateMetadata, finish
from sealtool.rendering.engine import (
    CSS,
    HTML,
    LOGGER,
    Attachment,
    Document,
    FontConfiguration,
    has_fast_font_subsetting,
    srgb_profile,
)
from sealtool.rendering.fetching import BASE_URL, ResourceRefusedError, TemplateFetcher
from sealtool.rendering.folders import TemplateFolders
from sealtool.rendering.record import certificate_record
from sealtool.rendering.stencil import NotFillableError, Stencil, hold_alphabet
from sealtool.rendering.wording import WordedPage

T = TypeVar("T")

STYLE_SHEET = "certificate.css"
_OUTPUT_INTENT = "srgb-profile"
_SLOW_SUBSETTING = "Using fontTools instead of HarfBuzz-Subset"


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A finished file and the document it was painted from, whose fonts can be looked at."""

    content: bytes
    document: Document


class TooLongError(RenderingError):
    """The text does not fit on its pages."""


class _PaintedError(Exception):
    """A file is complete, and nobody needs it written; never leaves this room."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        self.file = file


class Layout:
    """The engine with the style sheet parsed and the fonts looked up, once for all certificates.

    Raises:
        TemplateError: the style sheet is missing, or the engine does not understand a part of it.
    """

    def __init__(self, folders: TemplateFolders) -> None:
        self._fetcher = TemplateFetcher(folders)
        self._fonts = FontConfiguration()
        self._profiles = {_OUTPUT_INTENT: srgb_profile()}
        folders.find(STYLE_SHEET)
        self._style = self._guarded(
            lambda: CSS(url=BASE_URL + STYLE_SHEET, url_fetcher=self._fetcher, font_config=self._fonts)
        )

    def lay_out(
        self,
        markup: str,
        order: CertificateOrder,
        pages: tuple[WordedPage, ...],
        *,
        whole_fonts: bool = False,
        before_writing: Callable[[Any], None] = lambda _: None,
    ) -> LaidOut:
        """Lay out and paint one certificate, its record attached.

        Args:
            markup: the HTML document of all pages.
            order: for the record and the metadata.
            pages: what ``markup`` was made of, one for each page.
            whole_fonts: embed fonts as they are, so that what they cover can be looked up; nothing is compressed
                then, as such a file is not kept.
            before_writing: told the finished objects of the file (``pydyf.PDF``), and may add to them.

        Raises:
            TemplateError: a template asks for what it must not have, or for what the engine does not know.
            TooLongError: the number of pages is not that of the languages.
            RenderingError: the engine failed.
        """

        def paint() -> LaidOut:
            document, _ = self._composed(markup, order, pages)
            content = self._written(document, order, pages, whole_fonts=whole_fonts, before_writing=before_writing)
            return LaidOut(content, document)

        return self._guarded(paint)

    def cut_stencil(self, markup: str, order: CertificateOrder, pages: tuple[WordedPage, ...]) -> Stencil | None:
        """A stencil of the order's kind; None where it cannot be filled in.

        Raises:
            As :meth:`lay_out`.
        """

        def cut() -> Stencil | None:
            document, alphabet = self._composed(markup, order, pages)

            def keep(file: Any) -> None:
                raise _PaintedError(file)

            try:
                self._written(document, order, pages, before_writing=keep)
            except _PaintedError as painted:
                with suppress(NotFillableError):
                    return Stencil(document, painted.file, pages, order.certificate_id, alphabet)
            return None

        return self._guarded(cut)

    def _composed(
        self, markup: str, order: CertificateOrder, pages: tuple[WordedPage, ...]
    ) -> tuple[Document, frozenset[bytes]]:
        """The pages before they are painted, with the glyphs that their fonts hold in any case."""
        html = HTML(string=markup, base_url=BASE_URL, url_fetcher=self._fetcher)
        document = html.render(
            font_config=self._fonts,
            color_profiles=dict(self._profiles),
            stylesheets=[self._style],
            pdf_variant=PDF_VARIANT,
            output_intent=_OUTPUT_INTENT,
        )
        if len(document.pages) != len(pages):
            raise TooLongError(
                f"Certificate {order.certificate_id} came out with {len(document.pages)} pages instead of "
                f"{len(pages)}, one for each language, so its text does not fit; it was not issued.",
                advice="If the templates are your own, leave more room in them; otherwise report it with the id.",
            )
        document.metadata = CertificateMetadata(order, pages)
        return document, hold_alphabet(document)

    def _written(
        self,
        document: Document,
        order: CertificateOrder,
        pages: tuple[WordedPage, ...],
        *,
        whole_fonts: bool = False,
        before_writing: Callable[[Any], None] = lambda _: None,
    ) -> bytes:
        def finisher(document: Document, file: Any) -> None:
            finish(file, document, pages)
            before_writing(file)

        content: bytes = document.write_pdf(
            finisher=finisher,
            attachments=[_record_attachment(order)],
            pdf_variant=PDF_VARIANT,
            output_intent=_OUTPUT_INTENT,
            full_fonts=whole_fonts,
            uncompressed_pdf=whole_fonts,
        )
        return content

    def _guarded(self, action: Callable[[], T]) -> T:
        self._fetcher.refusal = None
        try:
            with _complaints() as complaints:
                result = action()
        except ResourceRefusedError as error:
            raise self._fetcher.refusal or TemplateError(str(error)) from error
        except SealtoolError:
            raise
        except Exception as error:  # whatever the engine stumbles over must not cross the room as its own type
            raise RenderingError(
                f"The layout engine failed with {type(error).__name__}: {error}",
                advice="If the templates are your own, undo their last change; otherwise report it.",
                discreet=f"The layout engine failed with {type(error).__name__}.",
            ) from error
        if self._fetcher.refusal is not None:
            raise self._fetcher.refusal
        if complaints:
            raise TemplateError(
                f"The layout engine does not accept the templates as they are: {'; '.join(complaints)}",
                advice=f"Correct the templates or {STYLE_SHEET}; positions are given as line:column.",
                discreet="The layout engine does not accept the templates as they are; `sealtool preview` says why.",
            )
        return result


def _record_attachment(order: CertificateOrder) -> Attachment:
    midnight = datetime.combine(order.issued_on, time(), UTC)
    return Attachment(
        string=certificate_record(order),
        name=RECORD_ATTACHMENT_NAME,
        description="Record of this certificate",
        created=midnight,
        modified=midnight,
        relationship="Data",
    )


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What the engine would only have written to the log: unknown properties, missing images, missing glyphs."""
    complaints: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            if not message.startswith(_SLOW_SUBSETTING) or has_fast_font_subsetting():
                complaints.append(message)

    handler = Collector(logging.WARNING)
    LOGGER.addHandler(handler)
    try:
        yield complaints
    finally:
        LOGGER.removeHandler(handler)
