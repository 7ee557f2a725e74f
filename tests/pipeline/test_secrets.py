"""Secrets, right and wrong ones: nothing that comes out of a command, or stays behind, shows any of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

import click
import pytest

from sealtool.cli import main
from sealtool.errors import ExitCode
from sealtool.press import Press
from sealtool.settings import Settings
from sealtool.workspace.seal import ConfiguredSeal
from tests.csc_server import PIN, TOKEN
from tests.ledgers import postgresql_place
from tests.pipeline.conftest import PEOPLE, Folder, Outcome, Write, b1_by_test
from tests.pipeline.test_remote_signing import UseService, use_service  # noqa: F401 - a fixture
from tests.postgresql import Cluster
from tests.web_servers import Reply, answering

pytestmark = pytest.mark.long

A = PEOPLE[0]
SECRET = "k3ep-th1s/t0-y0urself"


def write_secret(path: Path, secret: str) -> None:
    path.touch(0o600)
    path.write_text(f"{secret}\n", encoding="utf-8")


def forms(secret: str) -> list[bytes]:
    raw = secret.encode()
    coded = [base64.b64encode(b"x" * shift + raw)[shift and 4 : -4] for shift in range(3)]
    return [raw, raw.hex().encode(), *(one for one in coded if len(one) >= 8)]


def assert_nowhere(secret: str, outcome: Outcome, *folders: Path, but: tuple[Path, ...] = ()) -> None:
    """Neither on standard output nor on standard error, nor in any file: ledger, log, manifests, certificates."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path not in but]
    assert files
    for form in forms(secret):
        assert form not in outcome.out.encode() + outcome.err.encode()
        for path in files:
            assert form not in path.read_bytes(), path


def issue(folder: Folder, write_registry: Write, *options: str) -> Outcome:
    registry = write_registry([A], [b1_by_test(A)])
    return folder.call("issue", "--level", "B1", "--registry", registry, *options)


# --- by file, by variable ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["file", "env"])
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_wrong_passphrase_is_told_without_it(
    quick_folder: Folder, write_registry: Write, monkeypatch: pytest.MonkeyPatch, source: str, as_json: bool
) -> None:
    place = quick_folder.path / "wrong"
    if source == "file":
        write_secret(place, SECRET)
    monkeypatch.setenv("SEAL_PASSPHRASE", SECRET)
    named = 'file = "wrong"' if source == "file" else 'env = "SEAL_PASSPHRASE"'
    quick_folder.configure('file = "pki/seal.passphrase"', named)

    outcome = issue(quick_folder, write_registry, *(["--json"] if as_json else []))

    assert outcome.code == ExitCode.SEAL_KEY
    assert_nowhere(SECRET, outcome, quick_folder.path, but=(place,))


def test_the_right_passphrase_stays_where_it_was(quick_folder: Folder, write_registry: Write) -> None:
    place = quick_folder.path / "pki" / "seal.passphrase"
    outcome = issue(quick_folder, write_registry)
    assert outcome.code == 0
    assert_nowhere(place.read_text(encoding="utf-8").strip(), outcome, quick_folder.path, but=(place,))


def test_a_fault_of_the_program_with_the_key_in_hand_logs_no_secret(
    quick_folder: Folder, write_registry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(self: ConfiguredSeal) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(ConfiguredSeal, "profile", break_down)
    place = quick_folder.path / "pki" / "seal.passphrase"

    outcome = issue(quick_folder, write_registry)

    assert outcome.code == ExitCode.BUG
    assert "RuntimeError: a fault" in (quick_folder.path / "sealtool.log").read_text(encoding="utf-8")
    assert_nowhere(place.read_text(encoding="utf-8").strip(), outcome, quick_folder.path, but=(place,))


@pytest.mark.parametrize("written", [f'"{SECRET}"', f'{{ file = "x", env = "{SECRET}" }}', f'["{SECRET}"]'])
def test_a_secret_in_the_place_of_its_source_is_not_shown(folder: Folder, written: str) -> None:
    folder.configure('passphrase = { file = "pki/seal.passphrase" }', f"passphrase = {written}")
    outcome = folder.call("status", "--json")
    assert outcome.code == ExitCode.CONFIGURATION
    assert "seal.passphrase" in outcome.err
    assert SECRET not in outcome.out + outcome.err


# --- what is started inherits none ------------------------------------------------------------------------------


def test_a_variable_with_a_secret_is_for_this_process_alone_and_only_while_it_is_needed(
    quick_folder: Folder, write_registry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = quick_folder.path / "pki" / "seal.passphrase"
    monkeypatch.setenv("SEAL_PASSPHRASE", place.read_text(encoding="utf-8").strip())
    quick_folder.configure('file = "pki/seal.passphrase"', 'env = "SEAL_PASSPHRASE"')
    quick_folder.configure("workers = 1", "workers = 2")
    seen: list[str | None] = []
    original = Press.__init__

    def look(self: Press, *, executor: Executor, **others: object) -> None:
        seen.append(executor.submit(os.getenv, "SEAL_PASSPHRASE").result())
        seen.append(executor.submit(os.getenv, "HOME").result())
        original(self, executor=executor, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(Press, "__init__", look)

    assert issue(quick_folder, write_registry).code == 0
    assert seen == [None, os.environ["HOME"]]
    assert os.environ["SEAL_PASSPHRASE"], "the environment of whoever called is as it was"


def test_every_place_of_a_secret_is_known() -> None:
    """What is not known here would be inherited by workers, and not be looked at by doctor."""
    settings = Settings.model_validate(
        {
            "seal": {"pkcs12": "x", "passphrase": {"env": "A"}},
            "time_stamp": {
                "urls": ["https://tsa.example/"],
                "credentials": [{"url": "https://tsa.example/", "secret": {"env": "B"}}],
            },
            "ledger": {"url": "postgresql+psycopg://db.example/x", "password": {"env": "C"}},
        }
    )
    assert {source.env for source in settings.secret_sources()} == {"A", "B", "C"}
    remote = {"url": "https://csc.example", "credential": "x", "token": {"env": "D"}, "pin": {"env": "E"}}
    demo = {"demo_pkcs12": "x", "demo_passphrase": {"env": "F"}}
    settings = Settings.model_validate({"seal": {"csc": remote}, "time_stamp": demo})
    assert {source.env for source in settings.secret_sources()} == {"D", "E", "F"}


def test_no_option_of_any_command_takes_a_secret() -> None:
    """A command line is seen by every user of the machine (ps), and kept by the shell."""
    context = click.Context(main)
    commands = [found for name in main.list_commands(context) if (found := main.get_command(context, name))]
    inner = [one for group in commands if isinstance(group, click.Group) for one in group.commands.values()]
    names = {name for one in (main, *commands, *inner) for param in one.params for name in (*param.opts, param.name)}
    assert "--trust" in names
    told = ("pass", "pin", "secret", "token", "credential", "key")
    assert [name for name in names if name and any(word in name.lower() for word in told)] == []


# --- services ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["token", "pin", "neither"])
def test_token_and_pin_of_a_signing_service_are_shown_nowhere(
    folder: Folder,
    use_service: UseService,  # noqa: F811 - the fixture
    write_registry: Write,
    wrong: str,
) -> None:
    server = use_service()
    if wrong != "neither":
        setattr(server, wrong, "another")

    outcome = issue(folder, write_registry)

    assert outcome.code == (ExitCode.DONE if wrong == "neither" else ExitCode.SEAL_KEY), outcome.err
    for secret in (TOKEN, PIN):
        assert_nowhere(secret, outcome, folder.path, but=(folder.path / "token", folder.path / "pin"))


@contextmanager
def refusing(sends_on_to: str = "") -> Iterator[tuple[str, list[str]]]:
    """A service that refuses whoever asks, or sends them on; and all Authorization headers that it was shown."""
    told: list[str] = []

    def throw_back(headers: Message, _: bytes) -> Reply:
        told.append(headers.get("Authorization", ""))
        return 307 if sends_on_to else 401, {"Location": sends_on_to}, told[-1].encode()

    with answering(throw_back) as url:
        yield url, told


@pytest.fixture
def refusing_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with refusing() as service:
        yield service


DEMO_AUTHORITY = 'demo_pkcs12 = "pki/tsa.p12"\ndemo_passphrase = { file = "pki/tsa.passphrase" }'


@pytest.mark.parametrize("username", ["office", ""], ids=["password", "bearer token"])
def test_credentials_that_an_authority_refuses_and_throws_back_are_not_shown(
    folder: Folder,
    write_registry: Write,
    refusing_service: tuple[str, list[str]],
    username: str,
) -> None:
    url, told = refusing_service
    write_secret(folder.path / "secret", SECRET)
    named = f'username = "{username}", ' if username else ""
    folder.configure(
        DEMO_AUTHORITY,
        f'urls = ["{url}"]\nretries = 0\ncredentials = [{{ url = "{url}", {named}secret = {{ file = "secret" }} }}]',
    )

    outcome = issue(folder, write_registry)

    assert outcome.code == ExitCode.SERVICE_UNREACHABLE
    assert len(told) == 1
    assert told[0].startswith("Basic " if username else f"Bearer {SECRET}")
    assert_nowhere(SECRET, outcome, folder.path, but=(folder.path / "secret",))


def test_an_authority_that_sends_elsewhere_does_not_send_its_credentials_there(
    folder: Folder, write_registry: Write, refusing_service: tuple[str, list[str]]
) -> None:
    elsewhere, told = refusing_service
    write_secret(folder.path / "secret", SECRET)
    with refusing(sends_on_to=elsewhere) as (url, told_first):
        folder.configure(
            DEMO_AUTHORITY,
            f'urls = ["{url}"]\nretries = 0\ncredentials = [{{ url = "{url}", secret = {{ file = "secret" }} }}]',
        )
        outcome = issue(folder, write_registry)

    assert outcome.code == ExitCode.SERVICE_UNREACHABLE
    assert told_first == [f"Bearer {SECRET}"]
    assert [one for one in told if one] == []


@pytest.mark.parametrize("secret", ["two\nlines-in-one", "caf\udcff-not-text"], ids=["line break", "no text"])
def test_credentials_that_cannot_be_sent_are_no_fault_of_the_program_and_not_shown(
    folder: Folder, write_registry: Write, secret: str
) -> None:
    (folder.path / "secret").touch(0o600)
    (folder.path / "secret").write_bytes(secret.encode("utf-8", "surrogateescape"))
    url = "https://127.0.0.1:9/"
    folder.configure(
        DEMO_AUTHORITY,
        f'urls = ["{url}"]\nretries = 0\ncredentials = [{{ url = "{url}", secret = {{ file = "secret" }} }}]',
    )

    outcome = issue(folder, write_registry)

    assert outcome.code in {ExitCode.SERVICE_UNREACHABLE, ExitCode.SEAL_KEY, ExitCode.CONFIGURATION}, outcome.err
    assert "lines-in-one" not in outcome.err
    assert "not-text" not in outcome.err


def test_the_password_of_a_proxy_is_not_shown(
    folder: Folder, write_registry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://office:k3epth1st0y0urself@127.0.0.1:9")
    folder.configure(DEMO_AUTHORITY, 'urls = ["http://tsa.invalid/"]\nretries = 0')

    outcome = issue(folder, write_registry)

    assert outcome.code == ExitCode.SERVICE_UNREACHABLE
    assert_nowhere("k3epth1st0y0urself", outcome, folder.path)


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_the_password_of_a_ledger_is_shown_nowhere(
    quick_folder: Folder, cluster: Cluster, empty_ledger: str, right: bool
) -> None:
    place = postgresql_place(cluster, empty_ledger)
    with cluster.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS keeper")
        connection.execute(f"CREATE ROLE keeper LOGIN SUPERUSER PASSWORD '{SECRET}' IN ROLE with_password")
    quick_folder.configure(
        'url = "sqlite:///ledger.sqlite"',
        f'url = "{place.url.replace("postgres@", "keeper@")}"\npassword = {{ file = "secret" }}',
    )
    secret = SECRET if right else SECRET[::-1]
    write_secret(quick_folder.path / "secret", secret)

    outcome = quick_folder.call("status")

    assert outcome.code == (ExitCode.DONE if right else ExitCode.LEDGER), outcome.err
    assert_nowhere(secret, outcome, quick_folder.path, but=(quick_folder.path / "secret",))
