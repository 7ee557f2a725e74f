"""Every kind of certificate, at every level of the seal and renewed, before veraPDF: PDF/A-3a and PDF/UA-1 at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sealtool.model import CertificateId, CertificateOrder, Language, PadesLevel, SealedPdf
from sealtool.rendering import CertificateRenderer, RenderingOptions
from sealtool.settings import load_settings
from sealtool.workspace import Workspace
from tests.golden_pages import orders
from tests.interop.conftest import SEAL_LEVELS, founded
from tests.interop.java_judges import ask_verapdf

pytestmark = pytest.mark.interop

NAMES = (
    ("Jo", "Ng", ""),
    ("Gal·la", "Puig-server i Sant-Joan", "d'Ocón"),
    ("Ünsal", "Çelik", "Ñíguez"),
    ("Łucja", "Wróbel-Kovač", "Straße"),
    ("Affi", "Ffloff", "Thomàs"),
)


def kinds() -> Iterator[tuple[str, CertificateOrder]]:
    """Every level, C2 area, procedure and layout, and names of every sort."""
    usual = dict(orders())
    for name, order in usual.items():
        yield f"{name}.both", order
        for language in Language:
            yield f"{name}.{language}", replace(order, languages=(language,))
    yield "replacing.both", replace(usual["B1"], replaces=CertificateId("8KQ2M-4TX9W-BD500-SPEC2"))
    for number, (given, first, second) in enumerate(NAMES):
        order = usual["B1"]
        person = replace(order.decision.person, given_name=given, first_surname=first, second_surname=second)
        yield f"name-{number}.both", replace(order, decision=replace(order.decision, person=person))


@dataclass(frozen=True)
class Matrix:
    folder: Path
    by_seal: dict[str, list[Path]]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    """Each kind sealed at each level; what was sealed at B-B is extended to B-LTA, and that once more."""
    folder = founded(tmp_path_factory.mktemp("matrix") / "work")
    text = folder.configuration.read_text(encoding="utf-8")
    renderer = CertificateRenderer(RenderingOptions())
    pages = {name: renderer.render(order) for name, order in kinds()}
    place = tmp_path_factory.mktemp("files")
    by_seal: dict[str, list[Path]] = {}

    def keep(seal: str, documents: dict[str, SealedPdf]) -> None:
        by_seal[seal] = [place / f"{seal}.{name}.pdf" for name in documents]
        for path, document in zip(by_seal[seal], documents.values(), strict=True):
            path.write_bytes(document.content)

    async def seal_all(workspace: Workspace) -> dict[str, SealedPdf]:
        async with workspace.sealer() as sealer:
            return {name: await sealer.seal(pdf) for name, pdf in pages.items()}

    async def extend_all(workspace: Workspace, documents: dict[str, SealedPdf]) -> dict[str, SealedPdf]:
        async with workspace.seal.extender() as extender:
            return {name: await extender.extend(document) for name, document in documents.items()}

    sealed: dict[str, dict[str, SealedPdf]] = {}
    for level in SEAL_LEVELS:
        folder.configuration.write_text(text.replace('level = "B-LTA"', f'level = "{level}"'), encoding="utf-8")
        workspace = Workspace(load_settings(folder.configuration), {})
        sealed[level] = asyncio.run(seal_all(workspace))
        keep(level, sealed[level])
    renewed = asyncio.run(extend_all(workspace, sealed["B-B"]))
    keep("B-B renewed", renewed)
    keep("B-B renewed twice", asyncio.run(extend_all(workspace, renewed)))
    return Matrix(place, by_seal)


@pytest.mark.parametrize("flavour", [pytest.param("3a", id="PDF/A-3a"), pytest.param("ua1", id="PDF/UA-1")])
def test_every_kind_of_certificate_complies_however_it_is_sealed(
    matrix: Matrix, tmp_path_factory: pytest.TempPathFactory, flavour: str
) -> None:
    files = [path for paths in matrix.by_seal.values() for path in paths]
    assert len(files) == (len(list(PadesLevel)) + 2) * len(list(kinds()))
    broken = ask_verapdf(flavour, files, tmp_path_factory.mktemp("verapdf"))
    assert set(broken) == set(files)
    assert {path.name: rules for path, rules in broken.items() if rules} == {}
