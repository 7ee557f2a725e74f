"""What the pages of reports have in common: templates beside this file, everything escaped, nothing left undefined."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def page_environment(finalize: Callable[[object], object] | None = None) -> Environment:
    """For one kind of page; ``finalize`` sees every value before it is written."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
