"""Time stamp authorities and OCSP responders over HTTP, up and down, as the command meets them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test, issue_b1
from tests.pki.services import PASSPHRASE, Services, running, status

HOLDERS = PEOPLE[:3]
AUTHORITIES = "/ocsp-only/tsa"


@pytest.fixture(scope="module")
def running_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with running(tmp_path_factory.mktemp("services")) as services:
        yield services


@pytest.fixture
def services(running_services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running_services.reset(None)
    yield running_services
    breakdowns = list(running_services.breakdowns)
    running_services.reset(None)
    assert breakdowns == []


@pytest.fixture
def office(folder: Folder, services: Services, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A working folder whose seal, authorities and responders are those of the services; it has no CRL at all."""
    monkeypatch.setenv("SEAL_PASSPHRASE", PASSPHRASE.decode())
    (folder.path / "root.pem").write_bytes(services.certificate("root").public_bytes(Encoding.PEM))
    sealed_with(folder, services.pkcs12("seal"), services)
    return folder


def sealed_with(folder: Folder, pkcs12: Path, services: Services) -> None:
    urls = [services.time_stamp_url(name) for name in ("first", "second")]
    folder.configuration.write_text(
        f"""
[seal]
pkcs12 = "{pkcs12}"
passphrase = {{ env = "SEAL_PASSPHRASE" }}
level = "B-LTA"
policy = {{ name = "AGE-1.9" }}

[time_stamp]
urls = {urls}
backoff_seconds = 0

[revocation]
fetch = true

[trust]
anchors = ["root.pem"]
organizations = ["VATES-S0711001H"]

[run]
workers = 1
""",
        encoding="utf-8",
    )


@pytest.fixture
def registry(write_registry: Write) -> Path:
    return write_registry(HOLDERS, [b1_by_test(person) for person in HOLDERS])


def test_with_ocsp_alone_everything_is_issued_and_verified_with_the_manifest(office: Folder, registry: Path) -> None:
    assert issue_b1(office, registry) == 0

    verified = office.call("verify", office.path / "out", "--json")
    assert verified.code == 0
    assert verified.json["summary"] == {"PASSED": len(HOLDERS) + 1, "FAILED": 0, "INDETERMINATE": 0}
    assert {one["pades_level"] for one in verified.json["files"] if one["certificate"]} == {"B-LTA"}


def test_the_manifest_names_the_policy_of_every_seal(office: Folder, registry: Path) -> None:
    issue_b1(office, registry)

    (manifest,) = office.manifests
    assert manifest.read_text(encoding="utf-8").count("2.16.724.1.3.1.1.2.1.9") == len(HOLDERS)


def test_with_all_authorities_down_nothing_is_sealed_and_the_next_run_issues_each_once(
    office: Folder, services: Services, registry: Path
) -> None:
    services.faults[AUTHORITIES] = status(503)

    down = office.call("issue", "--level", "B1", "--registry", registry)

    assert down.code == 7
    for name in ("first", "second"):
        assert services.time_stamp_url(name) in down.err
        assert services.requests[f"{AUTHORITIES}/{name}"] == 3  # once, and two retries
    assert office.certificates == []
    assert office.manifests == []
    status_of_ledger = office.call("status")
    assert status_of_ledger.code == 1
    assert f"{len(HOLDERS)} certificates are pending" in status_of_ledger.out

    services.faults.clear()
    assert issue_b1(office, registry) == 0
    assert len(office.certificates) == len(HOLDERS)
    issued = office.certificates
    assert issue_b1(office, registry) == 0
    assert office.certificates == issued
    assert len(office.manifests) == 1


def test_authorities_that_die_in_the_middle_leave_the_rest_pending(
    office: Folder, services: Services, registry: Path
) -> None:
    """One certificate at B-LTA takes three time stamps: one to know the authority by, of the seal, of the document."""
    dead = status(503)
    services.faults[AUTHORITIES] = lambda question: (
        question.honest() if sum(services.requests.values()) <= 7 else dead(question)
    )

    assert office.call("issue", "--level", "B1", "--registry", registry).code == 7
    done = len(office.certificates)
    assert done < len(HOLDERS)

    services.faults.clear()
    assert issue_b1(office, registry) == 0
    assert len(office.certificates) == len(HOLDERS)
    assert office.call("verify", office.path / "out").code == 0


def test_with_the_first_authority_down_the_second_stamps(office: Folder, services: Services, registry: Path) -> None:
    services.faults[f"{AUTHORITIES}/first"] = status(503)

    assert issue_b1(office, registry) == 0
    assert len(office.certificates) == len(HOLDERS)


def test_with_the_responder_down_nothing_is_sealed(office: Folder, services: Services, registry: Path) -> None:
    services.faults["/ocsp-only/ocsp"] = status(503)

    assert issue_b1(office, registry) == 7
    assert office.certificates == []


def test_a_revoked_seal_seals_nothing(office: Folder, services: Services, registry: Path) -> None:
    sealed_with(office, services.pkcs12("seal-revoked"), services)

    revoked = office.call("issue", "--level", "B1", "--registry", registry)

    assert revoked.code == 6
    assert "revoked" in revoked.err
    assert office.certificates == []


def test_an_address_with_credentials_is_refused_and_not_shown(office: Folder, registry: Path) -> None:
    office.configure("http://127.0.0.1", "http://office:hush-hush@127.0.0.1")

    refused = office.call("issue", "--level", "B1", "--registry", registry)

    assert refused.code == 3
    assert "time_stamp.urls" in refused.err
    assert "hush" not in refused.err + refused.out
