"""The one place that loads WeasyPrint, so that a missing system library has one clear message."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import util
from importlib.resources import files
from io import BytesIO
from typing import Any

from pydyf import Array as PdfArray
from pydyf import Dictionary, Object
from pydyf import Stream as PdfStream
from pydyf import String as PdfString

from sealtool.errors import ConfigurationError


@contextmanager
def _libraries_by_their_names() -> Iterator[None]:
    """Has libraries looked up by the names under which Linux loads them, which WeasyPrint tries among others.

    For each other name Python would call ldconfig, gcc and ld: fifty processes before the first page.
    """

    def nowhere(name: str) -> str | None:
        del name
        return None

    look_up = util.find_library
    if sys.platform == "linux":
        util.find_library = nowhere
    try:
        yield
    finally:
        util.find_library = look_up


try:
    with _libraries_by_their_names():
        from weasyprint import CSS, HTML, Attachment, Document
        from weasyprint.css import ColorProfile
        from weasyprint.document import DocumentMetadata
        from weasyprint.draw.text import draw_first_line
        from weasyprint.formatting_structure.boxes import LineBox, TextBox
        from weasyprint.logger import LOGGER
        from weasyprint.matrix import Matrix
        from weasyprint.pdf.stream import Stream as PageStream
        from weasyprint.text.ffi import FROM_UNITS, harfbuzz_subset, pango
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.text.line_break import create_layout, line_size
        from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse
except OSError as error:  # cffi's answer to a shared library that is not there
    raise ConfigurationError(
        f"The layout engine cannot load a system library, so no certificate can be laid out: {error}.",
        advice="Install the Debian packages libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0.",
    ) from error

__all__ = [
    "CSS",
    "HTML",
    "LOGGER",
    "Attachment",
    "ColorProfile",
    "Dictionary",
    "Document",
    "DocumentMetadata",
    "FatalURLFetchingError",
    "FontConfiguration",
    "LineBox",
    "Matrix",
    "Object",
    "PageStream",
    "PdfArray",
    "PdfStream",
    "PdfString",
    "TextBox",
    "URLFetcher",
    "URLFetcherResponse",
    "baseline_of",
    "create_layout",
    "draw_first_line",
    "has_fast_font_subsetting",
    "line_size",
    "pango_version",
    "srgb_profile",
]


def has_fast_font_subsetting() -> bool:
    """Whether HarfBuzz's subsetter is there (Debian: libharfbuzz-subset0).

    Without it fonts are subset in pure Python and a certificate takes about five times as long.
    """
    return bool(harfbuzz_subset)


def pango_version() -> str:
    """Of the system's library that sets text."""
    number = int(pango.pango_version())
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"


def srgb_profile() -> ColorProfile:
    """The sRGB profile that comes with the engine, which PDF/A needs as output intent (ISO 19005-3, 6.2.3).

    Left to itself the engine opens the file anew for every document and never closes it.
    """
    content = (files("weasyprint") / "pdf" / "sRGB2014.icc").read_bytes()
    return ColorProfile(BytesIO(content), "sRGB2014.icc", "relative-colorimetric", (["r"], ["g"], ["b"]))


def baseline_of(layout: Any) -> float:
    """Where the baseline of a shaped text lies, in CSS pixels from its top."""
    return float(pango.pango_layout_get_baseline(layout.layout) * FROM_UNITS)
