"""A pipe or a device in the place of a file that the configuration names is refused, and not waited for or read on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sealtool.errors import ExitCode, SealtoolError
from sealtool.regular_files import read_regular_file
from sealtool.sealing import load_trust_anchors
from sealtool.sealing.revocation import load_crls
from sealtool.verification import load_trust
from tests.pipeline.conftest import PEOPLE, Folder, Outcome, Write, b1_by_test


def as_a_program(*arguments: object) -> Outcome:
    """One that is ended where it waits."""
    command = [sys.executable, "-m", "sealtool", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL, env=os.environ
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def pipe(path: Path) -> Path:
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o600)
    return path


def test_a_configuration_that_is_a_pipe(tmp_path: Path) -> None:
    path = pipe(tmp_path / "sealtool.toml")
    outcome = as_a_program("--config", path, "status")
    assert outcome.code == ExitCode.CONFIGURATION
    assert f"The configuration {path} cannot be read: it is no regular file." in outcome.err


def test_a_configuration_without_an_end() -> None:
    outcome = as_a_program("--config", "/dev/zero", "status")
    assert outcome.code == ExitCode.CONFIGURATION
    assert "The configuration /dev/zero cannot be read: it is no regular file." in outcome.err


@pytest.mark.long
@pytest.mark.parametrize("name", ["seal.p12", "seal.passphrase"])
def test_a_seal_key_or_passphrase_that_is_a_pipe(quick_folder: Folder, write_registry: Write, name: str) -> None:
    path = pipe(quick_folder.path / "pki" / name)
    registry = write_registry(PEOPLE[:1], [b1_by_test(PEOPLE[0])])
    outcome = as_a_program("--config", quick_folder.configuration, "issue", "--level", "B1", "--registry", registry)
    assert outcome.code == ExitCode.SEAL_KEY
    assert f"cannot be read from {path}: it is no regular file." in outcome.err


def test_a_trust_anchor_that_is_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(SealtoolError, match="cannot be read: it is no regular file") as caught:
        load_trust_anchors([pipe(tmp_path / "root.pem")])
    assert caught.value.exit_code == ExitCode.CONFIGURATION


def test_a_file_of_the_trust_that_is_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(SealtoolError, match="it is no regular file") as caught:
        load_trust([pipe(tmp_path / "root.pem")])
    assert caught.value.exit_code == ExitCode.CONFIGURATION


def test_a_revocation_list_that_is_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(SealtoolError, match="is not a certificate revocation list") as caught:
        load_crls([str(pipe(tmp_path / "root.crl"))])
    assert caught.value.exit_code == ExitCode.CONFIGURATION


def test_a_file_of_many_gigabytes_is_not_taken_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(64 * 1024**3)
    with pytest.raises(OSError, match="it has more than 67108864 bytes"):
        read_regular_file(path)
