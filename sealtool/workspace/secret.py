"""Where the configuration says that a secret is, and the secret itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from getpass import getpass

from sealtool.errors import ConfigurationError, SealKeyError
from sealtool.sealing import PassphraseSource, Secret, read_passphrase
from sealtool.settings import PassphraseSettings


def read_secret(settings: PassphraseSettings, environ: Mapping[str, str], secret: Secret = Secret.PASSPHRASE) -> bytes:
    """A secret of the seal or its services; asked for on a terminal where nothing else is configured.

    Raises:
        SealKeyError: it is not where it should be.
    """
    prompt = getpass if sys.stdin.isatty() else None
    return read_passphrase(_source(settings), environ=environ, prompt=prompt, secret=secret)


def read_ledger_password(settings: PassphraseSettings, environ: Mapping[str, str]) -> str:
    """The password of the ledger's database.

    Raises:
        ConfigurationError: it is not where it should be.
    """
    try:
        return read_secret(settings, environ, Secret.LEDGER_PASSWORD).decode("utf-8", "surrogateescape")
    except SealKeyError as error:  # it is read as the secrets of the seal are, but opens another door
        raise ConfigurationError(error.message, advice=error.advice) from error


def _source(settings: PassphraseSettings) -> PassphraseSource:
    if settings.env:
        return PassphraseSource.from_environment(settings.env)
    if settings.file:
        return PassphraseSource.from_file(settings.file)
    if settings.credential:
        return PassphraseSource.from_credential(settings.credential)
    return PassphraseSource.from_prompt()
