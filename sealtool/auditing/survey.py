"""What there is to judge: found once, before anything is judged."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from sealtool.auditing.certificates import is_pdf_name
from sealtool.auditing.files import LINK, SPECIAL, Listing, list_folders
from sealtool.auditing.manifests import output_folder, seal_of
from sealtool.auditing.reasons import FileReason
from sealtool.publishing import MANIFESTS

_YEAR = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Survey:
    """What the user asked for, and what lies beside it.

    Attributes:
        certificates: files to be judged, listed or not: those named, and every PDF of a folder that was named.
        manifests: manifests asked for.
        siblings: those beside them, which are needed to know what was issued and what became of it.
        strays: files in the output folders that are no part of any manifest; they are extra unless one lists them.
        findings: what is no regular file, and folders that could not be looked into.
    """

    certificates: frozenset[Path]
    manifests: frozenset[Path]
    siblings: frozenset[Path]
    strays: frozenset[Path]
    findings: dict[Path, tuple[FileReason, str]]


def survey(paths: Iterable[Path]) -> Survey:
    """Looks for all there is to judge. A link that the user names is followed; below, none is."""
    real = {Path(path): Path(os.path.realpath(path)) for path in paths}
    # What is there, but nowhere among files: a pipe that another program writes to, as /dev/stdin may be.
    # (pathlib's own questions raise where nobody may look)
    nowhere = {one for one, place in real.items() if os.path.exists(one) and not os.path.lexists(place)}  # noqa: PTH110
    named = {place for path, place in real.items() if path not in nowhere}
    folders = {path for path in named if os.path.isdir(path)}  # noqa: PTH112
    manifests = {path for path in named - folders if path.suffix == ".json"}
    asked = list_folders(folders)
    homes = {path.parent for path in manifests} | _homes(asked)
    around = list_folders(
        folder for folder in map(output_folder, homes) if folder not in folders and not _within(folder, folders)
    )
    present = asked | around
    homes |= _homes(present)
    places = _Places(frozenset(homes), frozenset(present.files))
    in_homes = {path for path in present.files if places.is_manifest(path)}
    manifests |= {path for path in in_homes & asked.files if path.parent.name == MANIFESTS}
    return Survey(
        certificates=frozenset(named - folders - manifests) | {path for path in asked.files if is_pdf_name(path)},
        manifests=frozenset(manifests),
        siblings=frozenset(in_homes - manifests),
        strays=frozenset(filter(places.is_stray, present.files)),
        findings={
            **_findings(present, asked, places),
            **dict.fromkeys(map(Path.absolute, nowhere), (FileReason.NOT_A_REGULAR_FILE, SPECIAL)),
        },
    )


def _homes(listing: Listing) -> set[Path]:
    """The folders that hold manifests, or seals of manifests that were taken away."""
    return {
        path.parent
        for path in listing.files
        if path.parent.name == MANIFESTS and path.name.endswith((".json", ".json.p7s"))
    }


def _findings(present: Listing, asked: Listing, places: _Places) -> dict[Path, tuple[FileReason, str]]:
    """What speaks for itself. Outside output folders, a pipe that does not pose as a certificate is nobody's matter."""
    links = {path for path in present.links if path in asked.links or places.is_output(path)}
    specials = {
        path for path in present.specials if places.is_output(path) or (path in asked.specials and is_pdf_name(path))
    }
    unreadable = {path for path in present.unreadable if path in asked.unreadable or places.is_output(path)}
    return {
        **dict.fromkeys(links, (FileReason.NOT_A_REGULAR_FILE, LINK)),
        **dict.fromkeys(specials, (FileReason.NOT_A_REGULAR_FILE, SPECIAL)),
        **{path: (FileReason.UNREADABLE, present.unreadable[path]) for path in unreadable},
    }


def _within(path: Path, folders: Collection[Path]) -> bool:
    return any(parent in folders for parent in path.parents)


class _Places:
    """Which file is whose.

    Everything in an output folder that ``issue`` laid out belongs to it. Beside a manifest that was handed over by
    itself other things may lie, so there only PDFs and the folders of years do.
    """

    def __init__(self, homes: frozenset[Path], files: frozenset[Path]) -> None:
        self._homes = homes
        self._files = files
        self._outputs = {home.parent for home in homes if home.name == MANIFESTS}
        self._loose = {home for home in homes if home.name != MANIFESTS}

    def is_manifest(self, path: Path) -> bool:
        if path.parent not in self._homes or not path.name.endswith(".json"):
            return False
        return path.parent.name == MANIFESTS or seal_of(path) in self._files

    def is_stray(self, path: Path) -> bool:
        """Whether it belongs to an output folder, and is neither a manifest nor the twin of one that is there."""
        if not self.is_output(path):
            return False
        if path.parent not in self._homes:
            return True
        for ending in (".json", ".json.p7s", ".csv"):
            if path.name.endswith(ending):
                manifest = path.with_name(f"{path.name.removesuffix(ending)}.json")
                return manifest not in self._files or not self.is_manifest(manifest)
        return True

    def is_output(self, path: Path) -> bool:
        if path in self._outputs or path in self._loose:
            return True
        for parent in path.parents:
            if parent in self._outputs:
                return True
            if parent in self._loose:
                return is_pdf_name(path) or _YEAR.fullmatch(path.relative_to(parent).parts[0]) is not None
        return False
