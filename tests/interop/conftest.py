"""Certificates as the tool issues them: every level of the seal, both ways to print, every level of competence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sealtool.demo import DemoPki, create_demo_pki
from sealtool.founding import found_workspace
from sealtool.workspace import utc_now
from tests.exports import write_export
from tests.pipeline.conftest import PEOPLE, Folder

SEAL_LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
_EVERY_GRANT = ("A1;;degree", "A2;;test", "B1;;test", "B2;;observation", "C1;;evidence", "C2;4;observation")
_TWO_GRANTS = ("B1;;test", "C2;4;observation")


@dataclass(frozen=True)
class Certificate:
    """A sealed file, and what its manifest claims of it."""

    path: Path
    seal_level: str
    level: str
    area: int | None
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """A manifest and its detached seal; ``seal_level`` is that of the certificates it lists."""

    path: Path
    seal: Path
    seal_level: str


@dataclass(frozen=True)
class Issued:
    """A working folder after one run for each level of the seal and way to print."""

    folder: Folder
    certificates: tuple[Certificate, ...]
    manifests: tuple[Manifest, ...]

    @property
    def anchor(self) -> Path:
        return self.folder.path / "pki" / "root.pem"

    @property
    def lists(self) -> tuple[Path, ...]:
        return tuple(sorted(self.folder.path.glob("pki/*.crl")))

    def sealed_at(self, seal_level: str) -> list[Certificate]:
        return [one for one in self.certificates if one.seal_level == seal_level]


def founded(path: Path, make_pki: Callable[..., DemoPki] = create_demo_pki) -> Folder:
    """A demonstration folder with a test PKI of its own."""
    found_workspace(path, demo=True, now=utc_now(), make_pki=make_pki)
    folder = Folder(path)
    folder.configure("workers = 0", "workers = 1")
    return folder


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    place = tmp_path_factory.mktemp("interop")
    folder = founded(place / "work")
    runs = [(seal_level, apart) for apart in ("false", "true") for seal_level in SEAL_LEVELS]
    registry = _registry(place / "registry", [seal_level for seal_level, _ in runs])
    text = folder.configuration.read_text(encoding="utf-8")
    for (seal_level, apart), person in zip(runs, PEOPLE, strict=False):
        changed = text.replace('level = "B-LTA"', f'level = "{seal_level}"')
        changed = changed.replace("one_file_per_language = false", f"one_file_per_language = {apart}")
        folder.configuration.write_text(changed, encoding="utf-8")
        outcome = folder.call("issue", "--registry", registry, "--all", "--person", person)
        assert outcome.code == 0, outcome.err
    certificates, manifests = [], []
    for path in folder.manifests:
        documents = json.loads(path.read_bytes())["documents"]
        certificates += [
            Certificate(
                folder.path / "out" / one["path"],
                one["seal"]["pades_level"],
                one["level"],
                one["area"],
                tuple(one["languages"]),
            )
            for one in documents
        ]
        manifests.append(Manifest(path, path.with_name(f"{path.name}.p7s"), documents[0]["seal"]["pades_level"]))
    return Issued(folder, tuple(certificates), tuple(manifests))


def _registry(folder: Path, seal_levels: list[str]) -> Path:
    """A person for each run: at B-LTA with every level, otherwise with two."""
    seals = dict(zip(PEOPLE, seal_levels, strict=False))
    grants = [
        (person, *grant.split(";"), "2025-03-12", "REF-1")
        for person, seal_level in seals.items()
        for grant in (_EVERY_GRANT if seal_level == "B-LTA" else _TWO_GRANTS)
    ]
    return write_export(folder, [(person, "Gal·la", "Puigserver i Sant-Joan", "d'Ocón") for person in seals], grants)
