"""What the benchmarks work on: throw-away seals with RSA-2048, fictitious registries, and certificates as HTML."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from sealtool.accreditation import decide
from sealtool.demo import create_demo_pki
from sealtool.demo.authorities import PrivateKey
from sealtool.founding import found_workspace
from sealtool.identifiers import new_certificate_id
from sealtool.ledger import create_ledger
from sealtool.model import CertificateOrder, Language, Level
from sealtool.rendering import CertificateRenderer, RenderingOptions, certificate_record
from sealtool.settings import load_settings
from sealtool.workspace import Workspace

REPOSITORY = Path(__file__).parents[1]
_DEMO_KEY = 'pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }'
_DEMO_AUTHORITY = 'demo_pkcs12 = "pki/tsa.p12"\ndemo_passphrase = { file = "pki/tsa.passphrase" }'


@dataclass(frozen=True)
class Folder:
    """A working folder whose seal has RSA-2048, the size that the stock tools are measured with."""

    path: Path

    @property
    def configuration(self) -> Path:
        return self.path / "sealtool.toml"

    @property
    def output(self) -> Path:
        return self.path / "out"

    def configure(self, changes: Mapping[str, str]) -> None:
        text = self.configuration.read_text(encoding="utf-8")
        for before, after in changes.items():
            if before not in text:
                raise AssertionError(f"the configuration does not hold {before!r}")
            text = text.replace(before, after)
        self.configuration.write_text(text, encoding="utf-8")

    def start_afresh(self) -> None:
        """As if nothing had been issued."""
        shutil.rmtree(self.output)
        for file in self.path.glob("ledger.sqlite*"):
            file.unlink()
        create_ledger(f"sqlite:///{self.path / 'ledger.sqlite'}").close()
        self.output.mkdir(mode=0o700)


def found(path: Path, *, level: str, workers: int, seal_key: PrivateKey | None = None) -> Folder:
    make_pki = partial(create_demo_pki, key_bits=2048, seal_key=seal_key)
    found_workspace(path, demo=True, now=datetime.now(UTC), make_pki=make_pki)
    folder = Folder(path)
    folder.configure({'level = "B-LTA"': f'level = "{level}"', "workers = 0": f"workers = {workers}"})
    return folder


def found_with_token(path: Path, *, level: str, workers: int) -> tuple[Folder, dict[str, str]]:
    """The same with the key on a SoftHSM token; with the environment it needs."""
    from tests.softhsm import MODULE, PIN, Entry, soft_hsm  # noqa: PLC0415 - only where there is a token

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    folder = found(path, level=level, workers=workers, seal_key=key)
    hsm = soft_hsm()
    hsm.new_token("benchmark", [Entry(key, "seal", 1)])
    pin = path / "pki" / "pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    token = (
        f'pkcs11 = {{ module = "{MODULE}", token = "benchmark", key = "seal", certificate = "pki/seal.cer", '
        'chain = ["pki/issuing.pem"] }\npassphrase = { file = "pki/pin" }'
    )
    folder.configure({_DEMO_KEY: token})
    return folder, hsm.environment()


def ask_authority_at(folder: Folder, url: str) -> None:
    folder.configure({_DEMO_AUTHORITY: f'urls = ["{url}"]'})


def registry(path: Path, *, people: int, participations: int | None = None) -> Path:
    """A fictitious export without broken rows."""
    size = [] if participations is None else ["--participations", str(participations)]
    program = REPOSITORY / "samples" / "generate.py"
    subprocess.run(
        [sys.executable, str(program), "--people", str(people), *size, "--clean", "--out", str(path)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return path


def orders(folder: Folder, export: Path, count: int) -> list[CertificateOrder]:
    """The first B1 certificates that the registry supports."""
    workspace = Workspace(load_settings(folder.configuration), os.environ)
    records = workspace.read_registry(export).records.values()
    found: list[CertificateOrder] = []
    for record in records:
        for decision in decide(record, workspace.rules, [Level.B1]):
            identifier = new_certificate_id(os.urandom)
            found.append(CertificateOrder(identifier, decision, workspace.today(), tuple(Language)))
        if len(found) >= count:
            break
    return found[:count]


def written_out(folder: Path, wanted: list[CertificateOrder]) -> list[Path]:
    """The pages of certificates as HTML, with style sheet, emblem and record beside them, for the stock tools."""
    renderer = CertificateRenderer(RenderingOptions())
    folder.mkdir()
    for name in ("certificate.css", "emblem.svg"):
        shutil.copy(REPOSITORY / "templates" / name, folder / name)
    pages = []
    for order in wanted:
        page = folder / f"{order.certificate_id}.html"
        page.write_text(renderer.markup(order), encoding="utf-8")
        page.with_suffix(".json").write_bytes(certificate_record(order))
        pages.append(page)
    return pages
