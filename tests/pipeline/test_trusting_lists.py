"""``verify`` with an EU trusted list: on the command line and in the configuration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealtool.errors import ExitCode
from tests.exports import write_plain_export
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test, call
from tests.pki.authorities import YEAR, Identity, Profile, issue, key_for
from tests.pki.trusted_lists import WITHDRAWN, Scheme, Service, Status, signed, trusted_list

A_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def issued_once(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A certificate at B-LTA and its manifest; not to be touched."""
    place = tmp_path_factory.mktemp("listed")
    folder = Folder(demo_folder).copied_to(place / "work")
    registry = write_plain_export(place / "registry", PEOPLE[:1], [b1_by_test(PEOPLE[0])])
    assert folder.call("issue", "--level", "B1", "--registry", registry).code == ExitCode.DONE
    return folder


def _signer(now: datetime) -> Identity:
    profile = Profile("Test scheme operator", now - YEAR, now + YEAR, ("digital_signature",))
    return issue(profile, key_for("scheme operator", "rsa2048"), None, 0x7F02)


def _trust(issued: Folder, place: Path, *statuses: Status, expires: timedelta = A_DAY) -> Path:
    """A folder with a list that names the demonstration's issuing authority, and the list's signer."""
    now = datetime.now(UTC)
    place.mkdir()
    authority = x509.load_pem_x509_certificate((issued.path / "pki" / "issuing.pem").read_bytes())
    service = Service(authority.public_bytes(Encoding.DER), statuses or (Status(since=now - 3 * YEAR),))
    scheme = Scheme(issued_at=now - 2 * A_DAY, next_update=now + expires)
    signer = _signer(now)
    (place / "ES.xml").write_bytes(signed(trusted_list([service], scheme), signer))
    (place / "signer.pem").write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    return place


def test_a_list_is_handed_in_like_a_certificate_and_tells_what_the_seal_is(issued: Folder, tmp_path: Path) -> None:
    trust = _trust(issued, tmp_path / "trust")
    judged = call("verify", "--trust", trust, "--json", *issued.certificates)
    assert judged.code == ExitCode.DONE
    (seal,) = [one["seal"] for one in judged.json["files"]]
    assert seal["qualification"] in {"qualified_eseal", "advanced_eseal_qc", "not_qualified"}
    assert seal["time_stamp_qualification"] == "not_qualified"
    shown = call("verify", "--trust", trust, *issued.certificates).out
    assert "by the trusted lists:" in shown
    assert shown.count("time stamp, not a qualified one") == 1


def test_without_a_list_nothing_is_said_of_qualification(issued: Folder) -> None:
    (seal,) = [one["seal"] for one in issued.call("verify", "--json", *issued.certificates).json["files"]]
    assert seal["qualification"] is seal["time_stamp_qualification"] is None
    assert "trusted list" not in issued.call("verify", *issued.certificates).out


def test_a_whole_folder_with_its_manifests_passes_on_a_list_alone(issued: Folder, tmp_path: Path) -> None:
    judged = call("verify", "--trust", _trust(issued, tmp_path / "trust"), "--json", issued.path / "out")
    assert judged.code == ExitCode.DONE
    assert judged.json["summary"]["PASSED"] >= 2


def test_a_service_that_had_lost_its_status_is_a_reason(issued: Folder, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    statuses = (Status(WITHDRAWN, now - A_DAY), Status(since=now - 3 * YEAR))
    judged = call("verify", "--trust", _trust(issued, tmp_path / "trust", *statuses), "--json", *issued.certificates)
    assert judged.code == ExitCode.NEEDS_HUMAN
    (file,) = judged.json["files"]
    assert [one["code"] for one in file["reasons"]] == ["SERVICE_NOT_GRANTED"]


def test_a_list_that_has_run_out_ends_the_command_with_a_plain_sentence(issued: Folder, tmp_path: Path) -> None:
    trust = _trust(issued, tmp_path / "trust", expires=-A_DAY)
    judged = call("verify", "--trust", trust, *issued.certificates)
    assert judged.code == ExitCode.CONFIGURATION
    assert "was to be replaced" in judged.err
    assert "Traceback" not in judged.err
    assert not judged.out


def test_a_configured_list_counts_for_verify_and_never_stops_a_run(
    issued: Folder, tmp_path: Path, write_registry: Write
) -> None:
    trust = _trust(issued, tmp_path / "trust")
    issued.configure("[trust]\n", '[trust]\nlists = ["../trust"]\n')
    (file,) = issued.call("verify", "--json", *issued.certificates).json["files"]
    assert file["seal"]["qualification"] is not None
    (trust / "ES.xml").write_bytes(b"<damaged")
    registry = write_registry(PEOPLE[:2], [b1_by_test(person) for person in PEOPLE[:2]], name="later")
    assert issued.call("issue", "--level", "B1", "--registry", registry).code == ExitCode.DONE
    assert len(issued.certificates) == 2
    assert issued.call("verify", *issued.certificates).code == ExitCode.CONFIGURATION
