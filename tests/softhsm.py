"""SoftHSM in a folder of its own: one for each test process, because its module reads its configuration once.

Keys and certificates are put on tokens by a child process: a login belongs to a process, and one here would hide
whether the code under test logs in.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pkcs11 import Attribute
from pkcs11.util.ec import decode_ec_private_key
from pkcs11.util.rsa import decode_rsa_private_key
from pkcs11.util.x509 import decode_x509_certificate

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "tok3n-pin"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Entry:
    """A private key or a certificate, as it is to be on a token."""

    what: PrivateKey | x509.Certificate
    label: str
    key_id: int
    always_authenticate: bool = False

    def as_json(self) -> dict[str, Any]:
        match self.what:
            case x509.Certificate() as certificate:
                kind, content = "certificate", certificate.public_bytes(Encoding.DER)
            case key:
                kind = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ec"
                content = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return {
            "kind": kind,
            "content": content.hex(),
            "label": self.label,
            "id": self.key_id,
            "always_authenticate": self.always_authenticate,
        }


@dataclass(frozen=True)
class SoftHsm:
    """Tokens in files."""

    folder: Path
    module: Path = MODULE

    def environment(self) -> dict[str, str]:
        return {**os.environ, "SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    def new_token(self, label: str, entries: Sequence[Entry] = ()) -> Path:
        """Makes a token; returns its directory. Moving that away is pulling the token."""
        before = set((self.folder / "tokens").iterdir())
        arguments = ["--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN]
        subprocess.run(["softhsm2-util", *arguments], env=self.environment(), check=True, capture_output=True)
        (directory,) = set((self.folder / "tokens").iterdir()) - before
        if entries:
            content = json.dumps({"token": label, "entries": [entry.as_json() for entry in entries]})
            subprocess.run(
                [sys.executable, "-m", "tests.softhsm"],
                cwd=Path(__file__).parents[1],
                env=self.environment(),
                input=content,
                text=True,
                check=True,
            )
        self.look_again()
        return directory

    def look_again(self) -> None:
        """Finds the tokens as they are now, as a new process would; keys that were loaded before are lost."""
        pkcs11.lib(str(self.module)).reinitialize()


@cache
def soft_hsm() -> SoftHsm:
    """The one of this process. Skips the test where SoftHSM is not installed."""
    if not MODULE.is_file() or shutil.which("softhsm2-util") is None:
        pytest.skip(f"NO TOKEN WAS TESTED: {MODULE} is not there; install the package softhsm2.")
    folder = Path(tempfile.mkdtemp(prefix="softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    return SoftHsm(folder)


_numbers = count(1)


def new_label() -> str:
    """A token that no other test has."""
    return f"token {next(_numbers)}"


def _fill(order: dict[str, Any]) -> None:
    decoders = {"rsa": decode_rsa_private_key, "ec": decode_ec_private_key, "certificate": decode_x509_certificate}
    token = pkcs11.lib(str(MODULE)).get_token(token_label=order["token"])
    with token.open(rw=True, user_pin=PIN) as session:
        for entry in order["entries"]:
            attributes = decoders[entry["kind"]](bytes.fromhex(entry["content"]))
            attributes |= {
                Attribute.TOKEN: True,
                Attribute.LABEL: entry["label"],
                Attribute.ID: bytes([entry["id"]]),
            }
            if entry["kind"] != "certificate":
                attributes |= {
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                    Attribute.SIGN: True,
                    Attribute.ALWAYS_AUTHENTICATE: entry["always_authenticate"],
                }
            session.create_object(attributes)


if __name__ == "__main__":
    _fill(json.load(sys.stdin))
