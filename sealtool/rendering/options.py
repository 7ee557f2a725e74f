"""What a deployment may decide about its certificates, beyond the templates themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RenderingOptions:
    """Narrow, picklable settings: a worker process builds its own renderer from them.

    Attributes:
        templates: a deployment's own folder; a file in it takes the place of the packaged file of the same
            name, and whatever it lacks comes from the package. None for the packaged templates alone.
        validation_url: where a holder or a third party validates the seal; printed as text, link and QR code.
        marking: a text across the top of each page, such as that it is a demonstration; empty for none.
        font_families: the only families a page may use, the one that names are printed in first. Any other
            family found on a page is a silent substitution and refused. A deployment whose style sheet uses
            other fonts names them here.
    """

    templates: Path | None = None
    validation_url: str = "https://valide.redsara.es/valide/"
    marking: str = ""
    font_families: tuple[str, ...] = ("EB Garamond", "Lato")
