"""Demonstration folders whose seals have other kinds of keys, and renewed files: through the real commands."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sealtool.demo import create_demo_pki
from sealtool.demo.authorities import PrivateKey
from sealtool.model import SealedPdf
from tests.exports import write_export
from tests.interop.conftest import founded
from tests.pipeline.conftest import PEOPLE, Folder, b1_by_test
from tests.softhsm import PIN, Entry, new_label, soft_hsm

LEVELS = ("B-B", "B-LTA")
_DEMO_KEY = 'pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }'


@dataclass(frozen=True)
class KeyType:
    """A kind of key, and how the configuration names it.

    Attributes:
        algorithm: as `sealtool verify` names it.
        on_token: whether the key lies on a PKCS#11 token, not in a file.
    """

    make: Callable[[], PrivateKey]
    algorithm: str
    pss: bool = False
    on_token: bool = False


def _rsa(bits: int) -> Callable[[], PrivateKey]:
    return lambda: rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _p256() -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


KEY_TYPES: Mapping[str, KeyType] = {
    "RSA-2048": KeyType(_rsa(2048), "RSA with SHA-256"),
    "RSA-4096": KeyType(_rsa(4096), "RSA with SHA-256"),
    "RSA-3072-PSS": KeyType(_rsa(3072), "RSASSA-PSS with SHA-256", pss=True),
    "P-256": KeyType(_p256, "ECDSA with SHA-256"),
    "token-RSA-3072": KeyType(_rsa(3072), "RSA with SHA-256", on_token=True),
    "token-P-256": KeyType(_p256, "ECDSA with SHA-256", on_token=True),
}


@dataclass(frozen=True)
class Renewable:
    """What one folder holds: a B1 certificate for each level, and what `sealtool extend` made of copies of them.

    Attributes:
        sealed: by level.
        extended: B-B, extended to B-LTA.
        renewed: B-LTA, with another archive time stamp.
    """

    folder: Folder
    sealed: Mapping[str, Path]
    extended: Path
    renewed: Path

    @property
    def anchor(self) -> Path:
        return self.folder.path / "pki" / "root.pem"

    @property
    def lists(self) -> tuple[Path, ...]:
        return tuple(sorted(self.folder.path.glob("pki/*.crl")))

    @property
    def files(self) -> dict[str, Path]:
        return {**self.sealed, "B-B, extended": self.extended, "B-LTA, renewed": self.renewed}


def issued_with(key_type: KeyType, place: Path) -> Renewable:
    """Issues a B1 certificate at each of two levels, and extends copies."""
    key = key_type.make()
    folder = founded(place / "work", partial(create_demo_pki, seal_key=key))
    if key_type.on_token:
        _use_token(folder, key, place)
    elif key_type.pss:
        folder.configure('pkcs12 = "pki/seal.p12"', 'pkcs12 = "pki/seal.p12"\npss = true')
    sealed: dict[str, Path] = {}
    text = folder.configuration.read_text(encoding="utf-8")
    registry = _registry(place / "registry")
    for level, person in zip(LEVELS, PEOPLE, strict=False):
        folder.configuration.write_text(text.replace('level = "B-LTA"', f'level = "{level}"'), encoding="utf-8")
        outcome = folder.call("issue", "--registry", registry, "--level", "B1", "--person", person)
        assert outcome.code == 0, outcome.err
        (sealed[level],) = set(folder.certificates) - set(sealed.values())
    copies = {level: place / f"{level}-extended.pdf" for level in LEVELS}
    for level, copy in copies.items():
        shutil.copy(sealed[level], copy)
    outcome = folder.call("extend", copies["B-B"])
    assert outcome.code == 0, outcome.err
    copies["B-LTA"].write_bytes(asyncio.run(_stamped_again(folder, sealed["B-LTA"].read_bytes())))
    for level, copy in copies.items():
        assert copy.read_bytes().startswith(sealed[level].read_bytes())
        assert copy.stat().st_size > sealed[level].stat().st_size
    return Renewable(folder, sealed, copies["B-B"], copies["B-LTA"])


async def _stamped_again(folder: Folder, content: bytes) -> bytes:
    """The file with another archive time stamp. The command makes none that gains no time, as with one authority."""
    extender = folder.workspace.seal.extender()
    try:
        return (await extender.extend(SealedPdf(content, pages=1))).content
    finally:
        await extender.aclose()


def _use_token(folder: Folder, key: PrivateKey, place: Path) -> None:
    """Key and certificates move to a token; the files of the key are taken away."""
    pki, hsm, label = folder.path / "pki", soft_hsm(), new_label()
    certificate = x509.load_der_x509_certificate((pki / "seal.cer").read_bytes())
    issuer = x509.load_pem_x509_certificate((pki / "issuing.pem").read_bytes())
    hsm.new_token(label, [Entry(key, "seal", 1), Entry(certificate, "seal", 1), Entry(issuer, "issuer", 2)])
    for name in ("seal.p12", "seal.passphrase"):
        (pki / name).unlink()
    pin = place / "pin"
    pin.write_text(f"{PIN}\n", encoding="utf-8")
    pin.chmod(0o600)
    folder.configure(
        _DEMO_KEY,
        f'pkcs11 = {{ module = "{hsm.module}", token = "{label}", key = "seal" }}\npassphrase = {{ file = "{pin}" }}',
    )


def _registry(folder: Path) -> Path:
    people = PEOPLE[: len(LEVELS)]
    return write_export(
        folder, [(person, "Gal·la", "Puigserver i Sant-Joan", "d'Ocón") for person in people], map(b1_by_test, people)
    )
