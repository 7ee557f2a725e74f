"""Rendering: an order to issue becomes an unsealed PDF. The only user of WeasyPrint and Jinja.

They take half a second to load, and the process that seals has its pages laid out by others: so only what lays out
loads them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sealtool.rendering.options import RenderingOptions

if TYPE_CHECKING:
    from sealtool.rendering.engine import has_fast_font_subsetting
    from sealtool.rendering.record import RECORD_SCHEMA, certificate_record
    from sealtool.rendering.renderer import CertificateRenderer

__all__ = [
    "RECORD_SCHEMA",
    "CertificateRenderer",
    "RenderingOptions",
    "certificate_record",
    "has_fast_font_subsetting",
]

_WHERE = {
    "RECORD_SCHEMA": "record",
    "CertificateRenderer": "renderer",
    "certificate_record": "record",
    "has_fast_font_subsetting": "engine",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
