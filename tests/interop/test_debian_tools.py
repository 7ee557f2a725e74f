"""The sealed files before programs that every Debian machine has: Poppler, MuPDF, qpdf, OpenSSL."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.conftest import SEAL_LEVELS, Issued
from tests.interop.java_judges import require

pytestmark = pytest.mark.interop


def said(*command: object) -> str:
    """What a program says, whichever way; its exit code says little, for some of them."""
    answer = subprocess.run([str(part) for part in command], capture_output=True, check=False)
    return (answer.stdout + answer.stderr).decode("utf-8", "replace")


@dataclass(frozen=True)
class Sealed:
    """A signature as it lies in the bytes: the DER message, what it covers, and where that ends."""

    message: bytes
    covered: bytes
    end: int


def signatures_in(content: bytes) -> list[Sealed]:
    """Cut out by ByteRange alone, in the order of the file."""
    found = []
    for match in re.finditer(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", content):
        before, resumed, after = map(int, match.groups())
        der = bytes.fromhex(content[before + 1 : resumed - 1].decode("ascii"))
        size = 4 + int.from_bytes(der[2:4])  # a sequence of more than 255 bytes; zeros fill the rest
        assert der[:2] == b"\x30\x82"
        end = resumed + after
        found.append(Sealed(der[:size], content[:before] + content[resumed:end], end))
    return sorted(found, key=lambda one: one.end)


@pytest.fixture(scope="session")
def trust(issued: Issued, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trust_file(issued.anchor, issued.lists, tmp_path_factory.mktemp("trust"))


def trust_file(anchor: Path, lists: Iterable[Path], folder: Path) -> Path:
    """Root and revocation lists in one PEM file, as OpenSSL wants them."""
    require("openssl")
    path = folder / "trust.pem"
    texts = [
        subprocess.run(["openssl", "crl", "-inform", "DER", "-in", one], capture_output=True, check=True).stdout
        for one in lists
    ]
    path.write_bytes(b"".join([anchor.read_bytes(), *texts]))
    return path


def cms_verify(trust: Path, message: Path, content: Path) -> str:
    return said(
        *("openssl", "cms", "-verify", "-inform", "DER", "-in", message, "-content", content, "-binary"),
        # by default OpenSSL asks for a certificate for mail
        *("-CAfile", trust, "-purpose", "any", "-crl_check_all", "-out", content.with_suffix(".out")),
    )


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_poppler_finds_the_seal_valid_and_the_whole_file_covered(issued: Issued, seal_level: str) -> None:
    require("pdfsig")
    for one in issued.sealed_at(seal_level):
        seal, *stamps = said("pdfsig", one.path).split("Signature #")[1:]
        assert "Signature Validation: Signature is Valid." in seal
        assert len(stamps) == (1 if seal_level == "B-LTA" else 0)
        assert "- Total document signed" in [seal, *stamps][-1]


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_mupdf_finds_the_seal_sound(issued: Issued, seal_level: str) -> None:
    """At B-LTA it notices the archive time stamp behind the seal, and cannot judge that one itself."""
    require("mutool")
    expected = (
        "The signature is valid but there have been edits since signing."
        if seal_level == "B-LTA"
        else "The document is unchanged since signing."
    )
    for one in issued.sealed_at(seal_level):
        answer = said("mutool", "sign", "-v", one.path)
        assert expected in answer
        assert "Digest error" not in answer


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_qpdf_finds_nothing_wrong_with_the_structure(issued: Issued, seal_level: str) -> None:
    require("qpdf")
    for one in issued.sealed_at(seal_level):
        answer = said("qpdf", "--check", one.path)
        assert "No syntax or stream encoding errors found" in answer
        assert "WARNING" not in answer


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_openssl_verifies_the_seal_over_the_bytes_it_covers(
    issued: Issued, trust: Path, tmp_path: Path, seal_level: str
) -> None:
    for one in issued.sealed_at(seal_level):
        seal = signatures_in(one.path.read_bytes())[0]
        (tmp_path / "seal.der").write_bytes(seal.message)
        (tmp_path / "covered").write_bytes(seal.covered)
        assert "CMS Verification successful" in cms_verify(trust, tmp_path / "seal.der", tmp_path / "covered")


def test_openssl_verifies_the_archive_time_stamp_over_the_entire_file(
    issued: Issued, trust: Path, tmp_path: Path
) -> None:
    for one in issued.sealed_at("B-LTA"):
        content = one.path.read_bytes()
        _, stamp = signatures_in(content)
        assert stamp.end == len(content)
        (tmp_path / "stamp.der").write_bytes(stamp.message)
        (tmp_path / "covered").write_bytes(stamp.covered)
        answer = said(
            *("openssl", "ts", "-verify", "-token_in", "-in", tmp_path / "stamp.der"),
            *("-data", tmp_path / "covered", "-CAfile", trust),
        )
        assert "Verification: OK" in answer


def test_openssl_verifies_the_seal_of_every_manifest(issued: Issued, trust: Path, tmp_path: Path) -> None:
    for one in issued.manifests:
        copy = tmp_path / one.path.name
        copy.write_bytes(one.path.read_bytes())
        assert "CMS Verification successful" in cms_verify(trust, one.seal, copy)


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_one_changed_byte_is_noticed_by_all_who_check_the_digest(
    issued: Issued, trust: Path, tmp_path: Path, seal_level: str
) -> None:
    require("pdfsig", "mutool")
    content = bytearray(issued.sealed_at(seal_level)[0].path.read_bytes())
    content[content.index(b"/ByteRange") // 2] ^= 1
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(content)
    assert "Signature is Valid" not in said("pdfsig", changed)
    assert "Digest error" in said("mutool", "sign", "-v", changed)
    seal = signatures_in(bytes(content))[0]
    (tmp_path / "seal.der").write_bytes(seal.message)
    (tmp_path / "covered").write_bytes(seal.covered)
    assert "CMS Verification successful" not in cms_verify(trust, tmp_path / "seal.der", tmp_path / "covered")


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_poppler_sees_that_appended_bytes_are_not_covered(issued: Issued, tmp_path: Path, seal_level: str) -> None:
    require("pdfsig")
    longer = tmp_path / "longer.pdf"
    longer.write_bytes(issued.sealed_at(seal_level)[0].path.read_bytes() + b"\n% appended\n")
    assert "- Total document signed" not in said("pdfsig", longer)
