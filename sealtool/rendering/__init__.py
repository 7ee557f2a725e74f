"""Rendering: an order to issue becomes an unsealed PDF. The only user of WeasyPrint and Jinja."""

from sealtool.rendering.engine import has_fast_font_subsetting
from sealtool.rendering.options import RenderingOptions
from sealtool.rendering.record import RECORD_SCHEMA, certificate_record
from sealtool.rendering.renderer import CertificateRenderer

__all__ = [
    "RECORD_SCHEMA",
    "CertificateRenderer",
    "RenderingOptions",
    "certificate_record",
    "has_fast_font_subsetting",
]
