"""Where the passphrase, PIN or token of a seal key comes from. Its value never reaches a log, a repr or a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self, assert_never

from sealtool.errors import SealKeyError
from sealtool.sealing.secret_files import read_secret_file

_LONGEST = 4096
"""Bytes read from a file; whatever is longer is no passphrase but a wrong path."""


class Secret(StrEnum):
    """The kinds of secret, as messages and questions call them: a file has a passphrase, a token a PIN."""

    PASSPHRASE = "passphrase of the seal key"  # noqa: S105 - a name
    TOKEN_PIN = "PIN of the seal key's token"  # noqa: S105 - a name
    ACCESS_TOKEN = "access token of the signing service"  # noqa: S105 - a name
    SERVICE_PIN = "PIN of the seal key at the signing service"
    TIME_STAMP_CREDENTIALS = "password or token for the time stamp authority"
    LEDGER_PASSWORD = "password of the ledger's database"  # noqa: S105 - a name


class PassphraseOrigin(StrEnum):
    """The kinds of place a passphrase is kept in."""

    ENVIRONMENT = "environment"
    FILE = "file"
    CREDENTIAL = "credential"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class PassphraseSource:
    """One place a passphrase is kept in: names the place, never holds the passphrase.

    Attributes:
        origin: the kind of place.
        name: the environment variable, the path of the file, or the name of the systemd credential; empty for
            a prompt.
    """

    origin: PassphraseOrigin
    name: str = ""

    @classmethod
    def from_environment(cls, variable: str) -> Self:
        """The value of an environment variable."""
        return cls(PassphraseOrigin.ENVIRONMENT, variable)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """The content of a file that its owner alone can read."""
        return cls(PassphraseOrigin.FILE, str(path))

    @classmethod
    def from_credential(cls, name: str) -> Self:
        """A credential that systemd hands to the service (``LoadCredential=``, systemd.exec(5))."""
        return cls(PassphraseOrigin.CREDENTIAL, name)

    @classmethod
    def from_prompt(cls) -> Self:
        """A question at the terminal."""
        return cls(PassphraseOrigin.PROMPT)


def read_passphrase(
    source: PassphraseSource,
    *,
    environ: Mapping[str, str],
    prompt: Callable[[str], str] | None,
    secret: Secret = Secret.PASSPHRASE,
) -> bytes:
    """The secret kept in ``source``, without the line end that editors and ``echo`` leave behind it.

    Args:
        source: where it is kept.
        environ: the environment of the process.
        prompt: asks a person at a terminal and returns the answer unseen (``getpass.getpass``); None where
            nobody is there to answer.
        secret: what it is, for messages and the question.

    Raises:
        SealKeyError: the place is missing, unreadable, empty, or open to other users.
    """
    match source.origin:
        case PassphraseOrigin.ENVIRONMENT:
            passphrase = _from_environment(source.name, environ, secret)
        case PassphraseOrigin.FILE:
            passphrase = _from_file(Path(source.name), secret, private=True)
        case PassphraseOrigin.CREDENTIAL:
            passphrase = _from_credential(source.name, environ, secret)
        case PassphraseOrigin.PROMPT:
            passphrase = _from_prompt(prompt, secret)
        case _:
            assert_never(source.origin)
    passphrase = passphrase.removesuffix(b"\n").removesuffix(b"\r")
    if not passphrase:
        raise SealKeyError(
            f"The {secret} is empty ({_place(source)}), so it opens nothing.",
            advice="Put it there, or name another source in the configuration.",
        )
    return passphrase


def _place(source: PassphraseSource) -> str:
    match source.origin:
        case PassphraseOrigin.ENVIRONMENT:
            return f"environment variable {source.name}"
        case PassphraseOrigin.FILE:
            return f"file {source.name}"
        case PassphraseOrigin.CREDENTIAL:
            return f"systemd credential {source.name}"
        case PassphraseOrigin.PROMPT:
            return "typed at the prompt"
        case _:
            assert_never(source.origin)


def _from_environment(variable: str, environ: Mapping[str, str], secret: Secret) -> bytes:
    try:
        return environ[variable].encode("utf-8", "surrogateescape")
    except KeyError:
        raise SealKeyError(
            f"The environment variable {variable}, which should hold the {secret}, is not set.",
            advice="Set it for this process, or name another source in the configuration.",
        ) from None


def _from_file(path: Path, secret: Secret, *, private: bool) -> bytes:
    content = read_secret_file(path, secret, most=_LONGEST + 1, private=private)
    if len(content) > _LONGEST:
        raise SealKeyError(
            f"The file {path} is longer than {_LONGEST} bytes, so it does not hold the {secret}.",
            advice="Check the path of that file in the configuration.",
        )
    return content


def _from_credential(name: str, environ: Mapping[str, str], secret: Secret) -> bytes:
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory:
        raise SealKeyError(
            f"The systemd credential {name} with the {secret} cannot be read: CREDENTIALS_DIRECTORY is not set, so "
            "this process was not started by systemd with credentials.",
            advice=f"Add LoadCredential={name}:… to the service unit, or name another source.",
        )
    if not name or name in {".", ".."} or "/" in name:
        raise SealKeyError(
            f"{name!r} is no name of a systemd credential: it would lead out of the credentials directory.",
            advice="Give the bare name that stands before the colon in LoadCredential=.",
        )
    # systemd keeps the directory for the service's user alone; with root in play the file modes may be wider
    return _from_file(Path(directory) / name, secret, private=False)


def _from_prompt(prompt: Callable[[str], str] | None, secret: Secret) -> bytes:
    if prompt is None:
        raise SealKeyError(
            f"The {secret} is to be typed, but nobody is at a terminal to type it.",
            advice="Run the command at a terminal, or name a file, variable or credential in the configuration.",
        )
    try:
        return prompt(f"{secret[0].upper()}{secret[1:]}: ").encode("utf-8", "surrogateescape")
    except EOFError:
        raise SealKeyError(
            f"The {secret} was asked for, but the input ended before an answer.",
            advice="Run the command at a terminal, or name a file, variable or credential in the configuration.",
        ) from None
