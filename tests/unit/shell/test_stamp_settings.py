"""Time stamp authorities and signature policies as a configuration names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sealtool.errors import ConfigurationError
from sealtool.sealing import HttpTimeStampAuthority
from sealtool.settings import Settings, load_settings
from sealtool.workspace import Workspace

AUTHORITY, OTHER = "https://tsa.example/", "https://tsa2.example/"


def load(folder: Path, text: str) -> Settings:
    path = folder / "sealtool.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text)
    return caught.value.message


def stamping(credentials: str, *urls: str) -> str:
    return f"[time_stamp]\nurls = {list(urls) or [AUTHORITY, OTHER]}\n[[time_stamp.credentials]]\n{credentials}"


@pytest.mark.parametrize("url", ["https://office:hush@tsa.example/", "https://hush@tsa.example/"])
def test_an_address_with_credentials_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    message = refused(tmp_path, f'[time_stamp]\nurls = ["{url}"]')

    assert "time_stamp.urls" in message
    assert "hush" not in message


@pytest.mark.parametrize("url", ["tsa.example", "ftp://tsa.example/", "https://"])
def test_what_is_no_web_address_is_refused(tmp_path: Path, url: str) -> None:
    assert "https://" in refused(tmp_path, f'[time_stamp]\nurls = ["{url}"]')


def test_credentials_go_to_their_authority_and_to_no_other(tmp_path: Path) -> None:
    settings = load(tmp_path, stamping(f'url = "{OTHER}"\nusername = "office"\nsecret = {{ file = "secret" }}'))
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    secret.chmod(0o600)

    first, second = Workspace(settings, {}).seal.time_stamp_authorities()

    assert isinstance(first, HttpTimeStampAuthority)
    assert first._headers == {}
    assert second._headers == {"Authorization": "Basic b2ZmaWNlOmh1c2g="}


def test_missing_credentials_are_called_what_they_are(tmp_path: Path) -> None:
    settings = load(tmp_path, stamping(f'url = "{OTHER}"\nsecret = {{ env = "TSA_TOKEN" }}'))

    with pytest.raises(Exception, match="password or token for the time stamp authority"):
        Workspace(settings, {}).seal.time_stamp_authorities()


@pytest.mark.parametrize(
    ("credentials", "urls"),
    [
        ('url = "https://elsewhere.example/"\nsecret = { env = "X" }', ()),
        (
            "\n[[time_stamp.credentials]]\n".join([f'url = "{OTHER}"\nsecret = {{ env = "X" }}'] * 2),
            (),
        ),
        ('url = "http://tsa.example/"\nsecret = { env = "X" }', ("http://tsa.example/",)),
        (f'url = "{OTHER}"\nusername = "a:b"\nsecret = {{ env = "X" }}', ()),
        (f'url = "{OTHER}"', ()),
    ],
    ids=["of no authority", "twice", "without TLS", "colon in the name", "no secret"],
)
def test_credentials_that_mean_nothing_or_would_be_read_on_the_way_are_refused(
    tmp_path: Path, credentials: str, urls: tuple[str, ...]
) -> None:
    assert "time_stamp" in refused(tmp_path, stamping(credentials, *urls))


def test_retries_reach_the_authorities(tmp_path: Path) -> None:
    settings = load(tmp_path, f'[time_stamp]\nurls = ["{AUTHORITY}"]\nretries = 5\nbackoff_seconds = 0.25')

    (authority,) = Workspace(settings, {}).seal.time_stamp_authorities()

    assert (authority._patience.retries, authority._patience.backoff_seconds) == (5, 0.25)


@pytest.mark.parametrize(("key", "value"), [("retries", -1), ("retries", 11), ("backoff_seconds", 31)])
def test_retries_have_bounds(tmp_path: Path, key: str, value: Any) -> None:
    assert f"time_stamp.{key}" in refused(tmp_path, f"[time_stamp]\n{key} = {value}")


SHA256 = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="


def test_a_policy_in_full_is_taken_as_it_is(tmp_path: Path) -> None:
    uri = "https://office.example/policy.pdf"
    policy = load(tmp_path, f'[seal.policy]\noid = "1.2.3"\ndigest = "{SHA256}"\nuri = "{uri}"').seal.policy
    assert policy is not None
    assert (policy.oid, policy.digest, policy.uri) == ("1.2.3", SHA256, uri)


@pytest.mark.parametrize(
    "policy",
    [
        'name = "AGE-2.0"',
        'name = "AGE-1.9"\noid = "1.2.3"',
        'oid = "1.2.3"',
        'digest = "AAAA"',
        'oid = "1.2.3"\ndigest = "no base 64!"',
        f'oid = "politica"\ndigest = "{SHA256}"',
        f'oid = "1.2.3"\ndigest_algorithm = "sha1"\ndigest = "{SHA256}"',
        f'oid = "1.2.3"\ndigest = "{SHA256}"\nuri = "politica.pdf"',
        "",
    ],
)
def test_a_policy_is_named_or_given_in_full(tmp_path: Path, policy: str) -> None:
    assert "seal.policy" in refused(tmp_path, f"[seal.policy]\n{policy}")
