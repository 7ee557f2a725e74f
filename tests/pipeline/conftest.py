"""A working folder made once, copied for each test; registries written in a line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from sealtool.cli import main
from sealtool.cli.ending import ended_with
from sealtool.demo import create_demo_pki
from sealtool.founding import found_workspace
from sealtool.model import Level
from sealtool.planning import Scope
from sealtool.settings import load_settings
from sealtool.workspace import Workspace, utc_now
from tests.exports import write_plain_export
from tests.ledgers import Place, postgresql_place, sqlite_place

REPOSITORY = Path(__file__).parents[2]
SMALL_SAMPLE = REPOSITORY / "samples" / "registry-small"

_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def dni(number: int) -> str:
    """A well-formed, fictitious DNI."""
    return f"{number:08d}{_LETTERS[number % 23]}"


PEOPLE = tuple(dni(number) for number in range(10_000_000, 10_000_050))


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Folder:
    """A working folder, and the commands as a user would call them in it (in this process, for speed)."""

    path: Path

    @property
    def configuration(self) -> Path:
        return self.path / "sealtool.toml"

    @property
    def workspace(self) -> Workspace:
        return Workspace(load_settings(self.configuration), os.environ, configuration=self.configuration)

    @property
    def certificates(self) -> list[Path]:
        return sorted(self.path.glob("out/*/*/*.pdf"))

    @property
    def manifests(self) -> list[Path]:
        return sorted(self.path.glob("out/manifests/*.json"))

    def copied_to(self, place: Path) -> Folder:
        return Folder(Path(shutil.copytree(self.path, place)))

    def configure(self, old: str, new: str) -> None:
        text = self.configuration.read_text(encoding="utf-8")
        assert old in text
        self.configuration.write_text(text.replace(old, new), encoding="utf-8")

    def call(self, *arguments: object) -> Outcome:
        return call("--config", self.configuration, *arguments)


def call(*arguments: object) -> Outcome:
    """A command line, run in this process, with the exit code the process would have."""
    with CliRunner().isolation() as (out, err, _):
        code = ended_with(main, [str(argument) for argument in arguments])
        return Outcome(code, out.getvalue().decode(), err.getvalue().decode())


def as_somebody_who_may_not_read_everything() -> list[str]:
    """The superuser reads whatever it likes, unless it lets go of that."""
    if os.geteuid() != 0:
        return []
    prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if shutil.which("setpriv") is None or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("as superuser, and without setpriv to be less than that")
    return prefix


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seal has an RSA key, of 2048 bits: larger ones take longer to open, for each of some hundred commands."""
    folder = tmp_path_factory.mktemp("demo") / "work"
    make_pki = partial(create_demo_pki, key_bits=2048, time_stamp_key=_quick_key())
    found_workspace(folder, demo=True, now=utc_now(), make_pki=make_pki)
    configuration = folder / "sealtool.toml"
    text = configuration.read_text(encoding="utf-8").replace("workers = 0", "workers = 1")
    configuration.write_text(text, encoding="utf-8")
    return folder


def _quick_key() -> ec.EllipticCurvePrivateKey:
    """Opened in a tenth of the time of an RSA key."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def quick_demo_folder(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The same at B-B with an elliptic key of the seal, for tests that are about neither."""
    folder = Folder(tmp_path_factory.mktemp("quick") / "work")
    shutil.copytree(demo_folder, folder.path, ignore=shutil.ignore_patterns("pki"))
    create_demo_pki(folder.path, now=utc_now(), key_bits=2048, seal_key=_quick_key(), time_stamp_key=_quick_key())
    folder.configure('level = "B-LTA"', 'level = "B-B"')
    return folder


@pytest.fixture
def folder(demo_folder: Path, tmp_path: Path) -> Folder:
    """A working folder with a throw-away seal at B-LTA and an empty ledger."""
    return Folder(demo_folder).copied_to(tmp_path / "work")


@pytest.fixture
def quick_folder(quick_demo_folder: Folder, tmp_path: Path) -> Folder:
    """The same at B-B with an elliptic key, for tests that are about neither."""
    return quick_demo_folder.copied_to(tmp_path / "work")


@pytest.fixture(scope="session")
def issued_once(quick_demo_folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Certificates of B1 of the first two people, at B-B, in one manifest; not to be touched."""
    place = tmp_path_factory.mktemp("issued")
    folder = quick_demo_folder.copied_to(place / "work")
    registry = write_plain_export(place / "registry", PEOPLE[:2], map(b1_by_test, PEOPLE[:2]))
    folder.workspace.issue(registry, Scope((Level.B1,)))
    return folder


@pytest.fixture
def issued(issued_once: Folder, tmp_path: Path) -> Folder:
    """A working folder at B-B, where the first two people have their certificates of B1."""
    return issued_once.copied_to(tmp_path / "work")


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_place(request: pytest.FixtureRequest, quick_folder: Folder) -> Place:
    """Where the ledger of ``quick_folder`` is; it asks for that folder, and brings an empty ledger to it."""
    if request.param == "sqlite":
        return sqlite_place(quick_folder.path)
    cluster, template = request.getfixturevalue("cluster"), request.getfixturevalue("empty_ledger")
    place = postgresql_place(cluster, template)
    quick_folder.configure('url = "sqlite:///ledger.sqlite"', f'url = "{place.url}"')
    (quick_folder.path / "ledger.sqlite").unlink()
    return place


@pytest.fixture
def any_folder(quick_folder: Folder, ledger_place: Place) -> Folder:
    """A working folder at B-B, with its ledger in each kind of database."""
    return quick_folder


Grants = Iterable[Sequence[str]]
Write = Callable[..., Path]


@pytest.fixture
def write_registry(tmp_path: Path) -> Write:
    """Writes exports into the folder of the test: see write_plain_export."""

    def write(people: Sequence[str], grants: Grants, *, name: str = "registry", names: Sequence[str] = ()) -> Path:
        return write_plain_export(tmp_path / name, people, grants, names)

    return write


@pytest.fixture
def registry(write_registry: Write) -> Path:
    """B1 for the first two people."""
    return write_registry(PEOPLE[:2], map(b1_by_test, PEOPLE[:2]))


@pytest.fixture
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder to work in, with no configuration from outside."""
    monkeypatch.delenv("SEALTOOL_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def b1_by_test(person: str, day: str = "2025-03-12") -> tuple[str, ...]:
    """All six areas of B1 by a specific test."""
    return (person, "B1", "", "test", day, "REF-1")


def issue_b1(folder: Folder, registry: Path) -> int:
    """The exit code of a run."""
    return folder.call("issue", "--level", "B1", "--registry", registry).code
