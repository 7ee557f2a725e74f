"""From an order to an unsealed certificate."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from sealtool.errors import ConfigurationError, RenderingError, TemplateError
from sealtool.model import CertificateOrder, UnsealedPdf
from sealtool.rendering.engine import pango_version
from sealtool.rendering.facts import form_of, kind_of, name_sizes, page_facts, specimen, specimens, specimens_like
from sealtool.rendering.folders import TemplateFolders
from sealtool.rendering.fonts import check_families, coverage, font_digests, substituted_families
from sealtool.rendering.layout import LaidOut, Layout, TooLongError
from sealtool.rendering.options import RenderingOptions
from sealtool.rendering.qr import qr_code
from sealtool.rendering.record import certificate_record
from sealtool.rendering.stencil import NotFillableError, Stencil
from sealtool.rendering.watermark import stamp
from sealtool.rendering.wording import WordedPage, Wording

_STENCILS_KEPT = 64
"""About half a megabyte each."""


class CertificateRenderer:
    """Lays certificates out; one for each process, as it holds templates, style sheet and fonts ready.

    Templates and fonts are proved on specimens right here, so that what is wrong with them shows before the
    first certificate, not at the first teacher who was accredited in August.

    Args:
        options: the deployment's choices.

    Attributes:
        coverage: the characters that names can be printed with.

    Raises:
        TemplateError: a template, style sheet or resource cannot be used; the message names file and line, where
            there is one.
        ConfigurationError: a font is not installed; the advice names the package. Or the marking cannot be printed.
    """

    def __init__(self, options: RenderingOptions) -> None:
        self._options = options
        self._qr = qr_code(options.validation_url)
        self._folders = TemplateFolders(options.templates)
        self._wording = Wording(self._folders)
        self._layout = Layout(self._folders)
        for order in specimens():
            self._pages(order)
        proof = self._proof()
        self.coverage = coverage(proof.document, options.font_families[0])
        self._stencils: dict[tuple[object, ...], Stencil | None] = {}
        self._proved: dict[tuple[object, ...], bool] = {}

    def _proof(self) -> LaidOut:
        """A certificate of nobody, which got its pages and its fonts.

        Raises:
            As the constructor.
        """
        try:
            proof = self._lay_out(specimen(), whole_fonts=True)
            check_families(proof.document, self._options.font_families)
        except ConfigurationError as error:
            if not self._options.marking:
                raise
            CertificateRenderer(replace(self._options, marking=""))  # says what is wrong without it
            raise ConfigurationError(
                "rendering.marking cannot be printed at the top of a page: it has characters that "
                f"{' and '.join(self._options.font_families)} have no glyphs for.",
                advice="Write it with letters that these fonts have.",
            ) from error
        except RenderingError as error:
            raise TemplateError(
                f"A certificate of nobody cannot be laid out with these templates. {error.message}",
                advice="Undo the last change of the templates.",
                discreet=error.discreet,
            ) from error
        return proof

    def render(self, order: CertificateOrder) -> UnsealedPdf:
        """Lay out one certificate: one A4 page for each language of the order, its record attached.

        The bytes follow from order, options, templates, fonts and library versions alone.

        Raises:
            TemplateError: a template cannot be filled in.
            RenderingError: the text does not fit its page, or has characters no font of the page can show
                (ask :meth:`unprintable` before).
        """
        if unprintable := self.unprintable(order.decision.person.full_name):
            raise _not_printable(order, unprintable)
        if (content := self._filled_in(order)) is not None:
            return UnsealedPdf(content, pages=len(order.languages))
        return self.render_plainly(order)

    def render_plainly(self, order: CertificateOrder) -> UnsealedPdf:
        """The same bytes as :meth:`render`, laid out by the engine from beginning to end: the reference for it."""
        result = self._lay_out(order)
        if strangers := substituted_families(result.document, self._options.font_families):
            raise RenderingError(
                f"Certificate {order.certificate_id} would be set partly in {', '.join(strangers)}, a font its "
                "style sheet does not name; it was not issued.",
                advice="Compare the installed fonts with those of the style sheet.",
            )
        return UnsealedPdf(result.content, pages=len(order.languages))

    def get_ready_for(self, order: CertificateOrder) -> None:
        """Does what takes time with the first certificate of a kind only.

        Raises:
            As :meth:`render`.
        """
        self._stencil_of(order)

    def markup(self, order: CertificateOrder) -> str:
        """The HTML document that the engine is given, for whoever wants to lay it out with something else.

        Raises:
            TemplateError: a template cannot be filled in.
        """
        return self._wording.document(self._pages(order))

    def render_preview(self, order: CertificateOrder, watermark: str) -> UnsealedPdf:
        """As :meth:`render`, with words in outline across every page, which no template can leave out.

        Raises:
            As :meth:`render`.
        """
        result = self._lay_out(order, before_writing=partial(stamp, words=watermark))
        return UnsealedPdf(result.content, pages=len(order.languages))

    def unprintable(self, text: str) -> tuple[str, ...]:
        """The characters of a name for which the certificate's fonts have no glyph, or that cannot be seen.

        Each once, in order of appearance; empty when the name can be printed. Whoever has such a name is held
        before anything is rendered.
        """
        return self.coverage.unprintable(text)

    def likeness(self) -> dict[str, str]:
        """What certificates are laid out with here, by name: two renderers that agree in it make the same bytes."""
        proof = self._lay_out(specimen())
        return {
            "Pango": pango_version(),
            "templates": self._folders.digest(),
            **font_digests(proof.document),
            "trial page": hashlib.sha256(proof.content).hexdigest()[:16],
        }

    def _filled_in(self, order: CertificateOrder) -> bytes | None:
        """The certificate from the stencil of its kind, None where the engine has to do it."""
        stencil = self._stencil_of(order)
        return None if stencil is None else self._fill_in(stencil, order)

    def _stencil_of(self, order: CertificateOrder) -> Stencil | None:
        """The stencil of the order's kind, where it has one."""
        kind = kind_of(order)
        if kind not in self._stencils:
            if len(self._stencils) >= _STENCILS_KEPT:
                self._stencils.clear()
            self._stencils[kind] = self._cut_stencil(order)
        return self._stencils[kind]

    def _cut_stencil(self, order: CertificateOrder) -> Stencil | None:
        form = form_of(order)
        if not self._proved.get(form, True):
            return None
        specimen, other = specimens_like(order)
        pages = self._pages(specimen)
        try:
            stencil = self._layout.cut_stencil(self._wording.document(pages), specimen, pages)
        except TooLongError:  # in this size of the name: the engine tries smaller ones, or tells of it
            return None
        if stencil is not None and substituted_families(stencil.document, self._options.font_families):
            return None  # the engine refuses it with the reason
        if form not in self._proved:
            self._proved[form] = stencil is not None and self._fill_in(stencil, other) == self._lay_out(other).content
        return stencil if self._proved[form] else None

    def _fill_in(self, stencil: Stencil, order: CertificateOrder) -> bytes | None:
        try:
            return stencil.fill_in(order.certificate_id, self._pages(order), certificate_record(order))
        except NotFillableError:
            return None

    def _pages(self, order: CertificateOrder, steps_smaller: int = 0) -> tuple[WordedPage, ...]:
        facts = page_facts(order, self._options, self._qr, steps_smaller=steps_smaller)
        return tuple(self._wording.page(language, facts) for language in order.languages)

    def _lay_out(self, order: CertificateOrder, **how: Any) -> LaidOut:
        """Lays a certificate out with the name in its size, or in the largest smaller one in which it fits.

        Args:
            order: the certificate.
            how: as :meth:`Layout.lay_out` takes it.
        """
        last = len(name_sizes(order.decision.person.full_name)) - 1
        for step in range(last):
            with suppress(TooLongError):
                return self._lay_out_smaller(order, step, how)
        return self._lay_out_smaller(order, last, how)

    def _lay_out_smaller(self, order: CertificateOrder, steps: int, how: Mapping[str, Any]) -> LaidOut:
        pages = self._pages(order, steps)
        return self._layout.lay_out(self._wording.document(pages), order, pages, **how)


def _not_printable(order: CertificateOrder, characters: tuple[str, ...]) -> RenderingError:
    # Code points only: the certificate's id may be logged, the name may not.
    points = ", ".join(f"U+{ord(character):04X}" for character in characters)
    return RenderingError(
        f"Certificate {order.certificate_id} names a person with characters that cannot be printed ({points}); "
        "it was not issued.",
        advice="Correct the name in the registry, or install a font that has these characters and name it.",
    )
