"""What certificates are decided and laid out with: the law, the calendar, libraries, fonts, templates."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sealtool.checkup.findings import Finding, ok, warning
from sealtool.checkup.installation import Installation
from sealtool.errors import ConfigurationError, SealtoolError
from sealtool.model import Language

RULES: Final = "rules"
TIME_ZONE: Final = "time-zone"
LAYOUT_ENGINE: Final = "layout-engine"
FONT_SUBSETTING: Final = "font-subsetting"
FONTS: Final = "fonts"
TEMPLATES: Final = "templates"
TRIAL_PAGE: Final = "trial-page"

_INSTALL = "Install the Debian package"


def rules(installation: Installation) -> Finding:
    """Whether there is a law to decide by."""
    found = installation.rules()
    chosen = "chosen in rules.version" if installation.settings.rules.version else "in force today"
    return ok(RULES, f"The rules of {found.version} decide ({chosen}).")


def time_zone(installation: Installation) -> Finding:
    """Which day it is where the organisation is, and whether the clock has gone back."""
    name = installation.settings.run.timezone
    now = installation.now()
    said = f"It is {now.astimezone(ZoneInfo(name)):%Y-%m-%d %H:%M} in {name}."
    written = _last_written(installation)
    if written is None:
        return ok(TIME_ZONE, said)
    if written - now > timedelta(minutes=5):
        return warning(
            TIME_ZONE,
            f"{said} But the ledger was last written at {written:%Y-%m-%d %H:%M} UTC, which is later: the clock of "
            "this machine is wrong, or was.",
            "Set the clock (NTP): the day of issue and every validity depend on it.",
        )
    return ok(TIME_ZONE, said)


def _last_written(installation: Installation) -> datetime | None:
    """When the ledger was last written, by the clock of that moment; None where that cannot be told."""
    try:
        if installation.settings.ledger_file is not None:
            return datetime.fromtimestamp(installation.settings.ledger_file.stat().st_mtime, UTC)
        with installation.open_ledger() as opened:
            return opened.last_event_at()
    except (OSError, SealtoolError):
        return None


def layout_engine() -> Finding:
    """Whether the layout engine finds its libraries (Pango)."""
    from sealtool.rendering.installed import engine_version  # noqa: PLC0415 - see checks.py

    return ok(LAYOUT_ENGINE, f"{engine_version()} and its libraries (Pango) are there.")


def font_subsetting() -> Finding:
    """Whether fonts are cut down to the letters used in the fast way."""
    from sealtool.rendering import has_fast_font_subsetting  # noqa: PLC0415 - see checks.py

    if has_fast_font_subsetting():
        return ok(FONT_SUBSETTING, "HarfBuzz cuts the fonts down to the letters used.")
    return warning(
        FONT_SUBSETTING,
        "The library libharfbuzz-subset is not there: a certificate takes about five times as long.",
        f"{_INSTALL} libharfbuzz-subset0.",
    )


def fonts(installation: Installation) -> Finding:
    """Whether fontconfig finds every family that certificates are set in."""
    from sealtool.rendering.installed import missing_families  # noqa: PLC0415 - see checks.py

    families = installation.rendering().font_families
    if missing := missing_families(families):
        raise ConfigurationError(
            f"Not found by fontconfig: {', '.join(missing)}. Certificates would be set in another font, with other "
            "letters, so none would be made.",
            advice=f"{_INSTALL}s fonts-ebgaramond and fonts-lato, or the fonts of your own style sheet; then run "
            "`fc-cache`.",
        )
    return ok(FONTS, f"Found: {', '.join(families)}.")


def templates(installation: Installation) -> Finding:
    """Whether all templates are there and can be read."""
    from sealtool.rendering.folders import TemplateFolders  # noqa: PLC0415 - see checks.py
    from sealtool.rendering.layout import STYLE_SHEET  # noqa: PLC0415
    from sealtool.rendering.wording import Wording  # noqa: PLC0415

    own = installation.rendering().templates
    folders = TemplateFolders(own)
    Wording(folders)
    names = ("document.html", STYLE_SHEET, *(f"{language.value}/certificate.html" for language in Language))
    found = [folders.find(name) for name in names]
    if own is None:
        return ok(TEMPLATES, "The templates that come with sealtool.")
    count = sum(path.is_relative_to(own.resolve()) for path in found)
    return ok(TEMPLATES, f"{count} of {len(found)} from {own}, the others from sealtool.")


def trial_page(installation: Installation) -> Finding:
    """Whether a certificate of nobody can be laid out, in memory; tries every word of the templates."""
    from sealtool.rendering import CertificateRenderer  # noqa: PLC0415 - see checks.py
    from sealtool.rendering.facts import specimen  # noqa: PLC0415

    renderer = CertificateRenderer(installation.rendering())
    renderer.render(specimen())  # the first one warms the fonts up
    began = time.perf_counter()
    pages = renderer.render(specimen())
    took = 1000 * (time.perf_counter() - began)
    return ok(
        TRIAL_PAGE, f"A certificate of nobody: {pages.pages} pages, {len(pages.content) // 1024} kB, {took:.0f} ms."
    )
