"""Which fonts a page was really set in. Pango substitutes a missing font or glyph without a word; we do not."""

from __future__ import annotations

import hashlib
import logging
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from fontTools.ttLib import TTFont

from sealtool.errors import ConfigurationError
from sealtool.rendering.engine import Document
from sealtool.rendering.stencil import ALPHABET

# EB Garamond's creation date lies before 1970, of which fontTools warns at every opening: no concern of a user.
logging.getLogger("fontTools.ttLib.tables._h_e_a_d").setLevel(logging.ERROR)

_DEBIAN_PACKAGES = {"EB Garamond": "fonts-ebgaramond", "Lato": "fonts-lato"}

# Controls, formats (direction overrides, zero-width joiners, soft hyphens), surrogates, private use, unassigned,
# line and paragraph separators: none of them shows, and some change how the rest of the name is read.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_ALPHABET = frozenset(ALPHABET)
_ROOM = 72
"""Characters of a whole name for which every page has room."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The characters that the font of names has a glyph for, and that can be seen."""

    characters: frozenset[str]

    def unprintable(self, text: str) -> tuple[str, ...]:
        """The characters of a text that cannot be shown, each once, in order of appearance.

        The text is looked at in composed form (NFC), as the shaper sets it: a letter followed by a combining
        accent prints when the font has the accented letter.
        """
        composed = unicodedata.normalize("NFC", text)
        if self.characters.issuperset(composed):
            return ()
        return tuple(dict.fromkeys(character for character in composed if character not in self.characters))

    def unusual_letters(self, name: str) -> frozenset[str]:
        """What of a name is perhaps not read back from a page as it was written: letters that not every font holds.

        Of them a page has to be made to know: readers mistake the letter below an accent that the font has not joined
        to it, and two letters that have one shape in the font.

        Returns:
            Each with the combining marks behind it; none where the name is certainly read back.
        """
        return frozenset() if _ALPHABET.issuperset(name) else frozenset(_letters(name)) - _ALPHABET

    def has_room(self, name: str) -> bool:
        """Whether a whole name certainly fits on every page."""
        return len(name) <= _ROOM


def substituted_families(document: Document, families: Iterable[str]) -> tuple[str, ...]:
    """Families a painted document was set in that are not among those asked for."""
    allowed = tuple(families)
    return tuple(sorted({font.family for font in document.fonts.values() if not _family_of(font, allowed)}))


def check_families(document: Document, families: tuple[str, ...]) -> None:
    """Make sure that a painted specimen got the fonts that its style sheet names.

    Raises:
        ConfigurationError: a font was substituted, so one is not installed; says which package has it.
    """
    strangers = substituted_families(document, families)
    used = {_family_of(font, families) for font in document.fonts.values()}
    # A missing family may also have given way to the other one, which is no stranger: then it is simply not used.
    missing = [family for family in families if family not in used]
    if not strangers and not missing:
        return
    missing = missing or list(families)
    instead = ", ".join(strangers or sorted(used - {""}))
    packages = [_DEBIAN_PACKAGES[family] for family in missing if family in _DEBIAN_PACKAGES]
    raise ConfigurationError(
        f"The font {' and the font '.join(missing)} cannot be found: the certificate would be set in "
        f"{instead} instead, with other metrics and perhaps missing letters.",
        advice=(
            f"Install the Debian package {' and '.join(packages)}, then run `fc-cache`."
            if packages
            else "Install it, or name in rendering.fonts the families that the style sheet uses."
        ),
    )


def coverage(document: Document, family: str) -> Coverage:
    """What every face of a family that a specimen uses can show.

    Args:
        document: a specimen painted with whole fonts, not subsets.
        family: the family names are printed in.
    """
    faces = [font for font in document.fonts.values() if _family_of(font, (family,))]
    tables = [_character_map(font) for font in faces]
    shared = map(chr, frozenset.intersection(*tables) if tables else ())
    return Coverage(frozenset(character for character in shared if unicodedata.category(character) not in _INVISIBLE))


def font_digests(document: Document) -> dict[str, str]:
    """The font files that a painted document was set in: for each family, one digest of all."""
    files: dict[str, set[bytes]] = {}
    for font in document.fonts.values():
        files.setdefault(f"font {font.family}", set()).add(hashlib.sha256(font.file_content).digest())
    return {family: hashlib.sha256(b"".join(sorted(found))).hexdigest()[:16] for family, found in files.items()}


def _letters(text: str) -> Iterator[str]:
    """The characters of a text, each with the combining marks behind it."""
    letter = ""
    for character in text:
        if letter and not unicodedata.category(character).startswith("M"):
            yield letter
            letter = ""
        letter += character
    if letter:
        yield letter


def _character_map(font: Any) -> frozenset[int]:
    with TTFont(BytesIO(font.file_content), fontNumber=font.index, lazy=True) as face:
        return frozenset(face.getBestCmap() or ())


def _family_of(font: Any, families: tuple[str, ...]) -> str:
    # Families with optical sizes are called by name and size: «EB Garamond 12» belongs to «EB Garamond».
    return next(
        (name for name in families if font.family == name or font.family.startswith(name + " ")),
        "",
    )
