from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealtool.errors import ExitCode, SealKeyError
from sealtool.sealing import PassphraseSource, read_passphrase


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def no_prompt(question: str) -> str:
    raise AssertionError(question)


def test_passphrase_comes_from_the_environment() -> None:
    source = PassphraseSource.from_environment("SEAL_PASSPHRASE")

    assert read_passphrase(source, environ={"SEAL_PASSPHRASE": "sécret"}, prompt=no_prompt) == "sécret".encode()


def test_missing_variable_is_an_error_that_names_it() -> None:
    with pytest.raises(SealKeyError, match=r"SEAL_PASSPHRASE.*not set") as caught:
        read_passphrase(PassphraseSource.from_environment("SEAL_PASSPHRASE"), environ={}, prompt=None)

    assert caught.value.exit_code is ExitCode.SEAL_KEY
    assert caught.value.advice


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"secret", b"secret"), (b"secret\n", b"secret"), (b"secret\r\n", b"secret"), (b" se cret \n\n", b" se cret \n")],
)
def test_file_loses_one_line_end_and_nothing_else(tmp_path: Path, content: bytes, expected: bytes) -> None:
    path = write(tmp_path / "passphrase", content)

    assert read_passphrase(PassphraseSource.from_file(path), environ={}, prompt=None) == expected


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_file_for_its_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "passphrase", b"secret", mode)

    assert read_passphrase(PassphraseSource.from_file(path), environ={}, prompt=None) == b"secret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644])
def test_file_open_to_others_is_refused_with_advice(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "passphrase", b"secret", mode)

    with pytest.raises(SealKeyError, match="open to other users") as caught:
        read_passphrase(PassphraseSource.from_file(path), environ={}, prompt=None)

    assert "chmod 600" in caught.value.advice


def test_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SealKeyError, match="nowhere"):
        read_passphrase(PassphraseSource.from_file(tmp_path / "nowhere"), environ={}, prompt=None)


def test_folder_is_no_passphrase_file(tmp_path: Path) -> None:
    with pytest.raises(SealKeyError):
        read_passphrase(PassphraseSource.from_file(tmp_path), environ={}, prompt=None)


@pytest.mark.parametrize(("size", "accepted"), [(4096, True), (4097, False)])
def test_file_longer_than_any_passphrase_is_refused(tmp_path: Path, size: int, accepted: bool) -> None:
    path = write(tmp_path / "passphrase", b"x" * size)

    if accepted:
        assert len(read_passphrase(PassphraseSource.from_file(path), environ={}, prompt=None)) == size
    else:
        with pytest.raises(SealKeyError, match="longer"):
            read_passphrase(PassphraseSource.from_file(path), environ={}, prompt=None)


def test_credential_comes_from_the_directory_of_systemd(tmp_path: Path) -> None:
    write(tmp_path / "seal", b"secret\n", 0o440)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert read_passphrase(PassphraseSource.from_credential("seal"), environ=environ, prompt=None) == b"secret"


def test_credential_without_systemd_is_an_error() -> None:
    with pytest.raises(SealKeyError, match="CREDENTIALS_DIRECTORY"):
        read_passphrase(PassphraseSource.from_credential("seal"), environ={}, prompt=None)


@pytest.mark.parametrize("name", ["../seal", "a/b", "..", ".", ""])
def test_credential_name_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    write(tmp_path / "seal", b"secret")
    folder = tmp_path / "credentials"
    folder.mkdir()

    with pytest.raises(SealKeyError, match="no name"):
        read_passphrase(
            PassphraseSource.from_credential(name), environ={"CREDENTIALS_DIRECTORY": str(folder)}, prompt=None
        )


def test_prompt_is_asked() -> None:
    questions: list[str] = []

    def prompt(question: str) -> str:
        questions.append(question)
        return "typed"

    assert read_passphrase(PassphraseSource.from_prompt(), environ={}, prompt=prompt) == b"typed"
    assert len(questions) == 1


def test_prompt_with_nobody_there_is_an_error() -> None:
    with pytest.raises(SealKeyError, match="nobody"):
        read_passphrase(PassphraseSource.from_prompt(), environ={}, prompt=None)


def test_prompt_that_ends_without_an_answer_is_an_error() -> None:
    def prompt(question: str) -> str:
        raise EOFError

    with pytest.raises(SealKeyError, match="ended"):
        read_passphrase(PassphraseSource.from_prompt(), environ={}, prompt=prompt)


def test_empty_passphrase_is_an_error() -> None:
    with pytest.raises(SealKeyError, match="empty"):
        read_passphrase(PassphraseSource.from_environment("X"), environ={"X": "\n"}, prompt=None)


def test_a_pipe_that_a_shell_holds_open_is_read_to_its_end() -> None:
    """`<(…)`: such a secret is on no disk."""
    ours, theirs = os.pipe()
    os.write(theirs, b"secret\n")
    os.close(theirs)
    assert read_passphrase(PassphraseSource.from_file(Path(f"/dev/fd/{ours}")), environ={}, prompt=None) == b"secret"
    os.close(ours)
