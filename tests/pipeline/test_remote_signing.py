"""Issuing with a key at a remote signing service (a real HTTP server): issued, judged, lost, found again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from sealtool.errors import ExitCode, SealKeyError
from sealtool.model import Level
from sealtool.planning import Scope
from tests.csc_server import CREDENTIAL, PIN, TOKEN, CscServer, serving
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test

A = PEOPLE[0]
B1 = Scope((Level.B1,))

UseService = Callable[..., CscServer]


@pytest.fixture
def use_service(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[UseService]:
    """Moves the demonstration's seal to a service and names that in the configuration."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ExitStack() as running:

        def use(*, pss: bool = False, **switches: Any) -> CscServer:
            passphrase = (folder.path / "pki" / "seal.passphrase").read_bytes().strip()
            bundle = load_pkcs12((folder.path / "pki" / "seal.p12").read_bytes(), passphrase)
            assert bundle.cert is not None
            assert isinstance(bundle.key, rsa.RSAPrivateKey)
            chain = [bundle.cert.certificate, *(each.certificate for each in bundle.additional_certs)]
            server = running.enter_context(serving(CscServer(bundle.key, chain, **switches)))
            for name, secret in (("token", TOKEN), ("pin", PIN)):
                (folder.path / name).write_text(f"{secret}\n", encoding="utf-8")
                (folder.path / name).chmod(0o600)
            folder.configure(
                'pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }',
                f'csc = {{ url = "{server.url}/", credential = "{CREDENTIAL}", api_version = "{server.version}", '
                f'token = {{ file = "token" }}, pin = {{ file = "pin" }}, pss = {str(pss).lower()} }}',
            )
            return server

        yield use


@pytest.mark.parametrize(("version", "pss"), [("v1", False), ("v2", True)])
def test_what_a_service_sealed_passes(
    folder: Folder, use_service: UseService, write_registry: Write, version: str, pss: bool
) -> None:
    use_service(version=version, pss=pss)

    outcome = folder.call("issue", "--level", "B1", "--registry", write_registry([A], [b1_by_test(A)]))

    assert outcome.code == 0, outcome.err
    verified = folder.call("verify", folder.path / "out", "--json").json
    assert verified["summary"] == {"PASSED": 2, "FAILED": 0, "INDETERMINATE": 0}
    assert {entry["pades_level"] for entry in verified["files"]} >= {"B-LTA"}
    kept = [path for path in folder.path.rglob("*") if path.is_file() and path.name not in {"token", "pin"}]
    written = "".join(path.read_text("latin-1") for path in kept)
    assert TOKEN not in written
    assert PIN not in written


def test_a_refused_token_is_exit_6_and_nothing_is_issued(
    folder: Folder, use_service: UseService, write_registry: Write
) -> None:
    server = use_service()
    server.token = "another"

    outcome = folder.call("issue", "--level", "B1", "--registry", write_registry([A], [b1_by_test(A)]))

    assert outcome.code == ExitCode.SEAL_KEY
    assert f"signing service {server.url}, credential «{CREDENTIAL}»" in outcome.err
    assert "refused the access token" in outcome.err
    assert TOKEN not in outcome.err
    assert folder.certificates == []


@pytest.mark.long
def test_a_service_lost_in_the_middle_is_exit_6_and_the_next_run_completes(
    folder: Folder, use_service: UseService, write_registry: Write
) -> None:
    server = use_service(multisign=2, fault=0)
    people = PEOPLE[:6]
    registry = write_registry(people, map(b1_by_test, people))

    def lose_it_after_the_first_seal(step: str) -> None:
        if step == "certificate sealed":
            server.faults_left = 10_000

    with pytest.raises(SealKeyError, match="stays pending") as caught:
        folder.workspace.issue(registry, B1, on_step=lose_it_after_the_first_seal)

    assert caught.value.exit_code is ExitCode.SEAL_KEY
    issued_before = {path.name: path.read_bytes() for path in folder.certificates}
    assert 0 < len(issued_before) < len(people)
    assert folder.manifests == []

    server.faults_left = 0
    completed = folder.call("issue", "--level", "B1", "--registry", registry)
    assert completed.code == 0, completed.err
    assert len(folder.certificates) == len(people)
    assert issued_before.items() <= {path.name: path.read_bytes() for path in folder.certificates}.items()
    assert folder.call("verify", folder.path / "out").code == 0
    assert folder.call("status").code == 0


# --- the configuration --------------------------------------------------------------------------------------

_REST = 'credential = "c", token = { env = "T" }'


@pytest.mark.parametrize(
    ("seal", "complaint"),
    [
        (f'pkcs12 = "seal.p12"\ncsc = {{ url = "https://csc.example", {_REST} }}', "pkcs12 and csc exclude"),
        (f'csc = {{ url = "https://csc.example", {_REST} }}\npassphrase = {{ env = "P" }}', "csc has no passphrase"),
        (f'csc = {{ url = "http://csc.example", {_REST} }}', "must begin with https://"),
        (f'csc = {{ url = "http://127.0.0.1.csc.example", {_REST} }}', "must begin with https://"),
        (f'csc = {{ url = "https://user:word@csc.example", {_REST} }}', "an address like"),
        (f'csc = {{ url = "https://", {_REST} }}', "an address like"),
        (f'csc = {{ url = "https://csc.example/csc/v1", {_REST} }}', "must end before /csc/v1"),
        (f'csc = {{ url = "https://csc.example", api_version = "v3", {_REST} }}', "seal.csc.api_version"),
        ('csc = { url = "https://csc.example", credential = "c" }', "seal.csc.token"),
        ('csc = { url = "https://csc.example", credential = "c", token = "secret" }', "seal.csc.token"),
        (f'csc = {{ url = "https://csc.example", timeout_seconds = 0, {_REST} }}', "seal.csc.timeout_seconds"),
        ("pss = true", "pss here belongs to pkcs12"),
    ],
)
def test_a_mistake_in_the_configuration_of_a_service_is_exit_3(folder: Folder, seal: str, complaint: str) -> None:
    folder.configure('pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }', seal)

    outcome = folder.call("status")

    assert outcome.code == ExitCode.CONFIGURATION
    assert complaint in outcome.err
    assert "secret" not in outcome.err


@pytest.mark.parametrize(
    "url", ["https://csc.example", "https://csc.example/", "http://127.0.0.1:8080", "http://[::1]:1"]
)
def test_protected_and_local_addresses_of_a_service_are_accepted(folder: Folder, url: str) -> None:
    folder.configure(
        'pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }',
        f'csc = {{ url = "{url}", chain = ["issuing.pem"], {_REST} }}',
    )

    settings = folder.workspace.settings.seal.csc

    assert settings is not None
    assert settings.url == url.rstrip("/")
    assert settings.chain == (folder.path / "issuing.pem",)
