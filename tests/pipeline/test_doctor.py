"""The check of an installation: whatever is wrong with a part is found, by the name of that part."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from sealtool.checkup import CHECK_NAMES, CLUSTER_CHECK_NAMES, Finding, State, checks_of, examine, places, time_stamps
from sealtool.errors import ExitCode
from sealtool.rendering import engine
from sealtool.sealing import LocalTimeStampAuthority
from sealtool.workspace import utc_now
from tests.csc_server import CREDENTIAL, TOKEN, CscServer, serving
from tests.dask_cluster import dask_cluster
from tests.pipeline.conftest import PEOPLE, Folder, Outcome, Write, b1_by_test, call
from tests.pipeline.other_seals import BOTH, DAY, NEITHER, OtherAuthority
from tests.pipeline.test_verifying import as_somebody_who_may_not_read_everything
from tests.web_servers import Reply, answering

A = PEOPLE[0]
PAGES = {"fonts", "templates", "trial-page"}
SECOND = timedelta(seconds=1)


USUAL = tuple(name for name in CHECK_NAMES if name not in CLUSTER_CHECK_NAMES)
"""Checks of an installation without a cluster."""


def look(folder: Folder, name: str, *, now: datetime | None = None) -> Finding:
    """The finding of one check: the others take their time."""
    workspace = folder.workspace
    if now is not None:
        workspace = replace(workspace, now=lambda: now)
    (found,) = [check for check in checks_of(workspace.installation) if check.name == name]
    return examine([found], offline=False).findings[0]


def assert_problem(found: Finding, code: ExitCode, *said: str) -> None:
    assert found.state is State.PROBLEM, found
    assert found.exit_code is code
    assert found.advice
    for words in said:
        assert words in found.message


def assert_warning(found: Finding, *said: str) -> None:
    assert found.state is State.WARNING, found
    assert found.advice
    for words in said:
        assert words in found.message


# --- the command ------------------------------------------------------------------------------------------------


def test_a_sound_installation_is_exit_0_with_a_finding_for_every_check(folder: Folder) -> None:
    before = snapshot(folder.path)

    outcome = folder.call("doctor", "--json")

    assert outcome.code == 0, outcome.out
    assert snapshot(folder.path) == before
    report = outcome.json
    assert report["schema"] == "sealtool.doctor/1"
    assert [one["name"] for one in report["findings"]] == list(USUAL)
    assert {one["state"] for one in report["findings"]} == {"ok"}
    assert all(one["message"] and not one["advice"] for one in report["findings"])
    assert report["left_out"] == []
    assert report["summary"] == {"ok": len(USUAL), "warning": 0, "problem": 0}


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def look_at_most(folder: Folder) -> list[Finding]:
    """All findings but those of pages, which take a second."""
    checks = [check for check in checks_of(folder.workspace.installation) if check.name not in PAGES]
    return list(examine(checks, offline=False).findings)


def test_looking_leaves_nothing_behind_in_a_new_folder(folder: Folder) -> None:
    shutil.rmtree(folder.path / "out")
    before = snapshot(folder.path)
    assert {one.state for one in look_at_most(folder)} == {State.OK}
    assert snapshot(folder.path) == before


def test_looking_leaves_nothing_behind_after_a_run(issued: Folder) -> None:
    before = snapshot(issued.path)
    assert {one.state for one in look_at_most(issued)} == {State.OK}
    assert snapshot(issued.path) == before


def test_a_reader_sees_state_name_sentence_and_advice_and_how_many(folder: Folder) -> None:
    (folder.path / "ledger.sqlite").unlink()

    outcome = folder.call("doctor")

    assert outcome.code == ExitCode.LEDGER
    lines = outcome.out.splitlines()
    (found,) = [line for line in lines if line.split()[:2] == ["problem", "ledger"]]
    assert "There is no ledger" in found
    assert any(line.strip().startswith("→ Restore it from a backup") for line in lines)
    assert lines[-1] == f"{len(USUAL) - 2} of {len(USUAL)} are well; 1 warning, 1 problem."


def test_without_a_configuration_doctor_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEALTOOL_CONFIG", raising=False)
    outcome = call("doctor")
    assert outcome.code == ExitCode.CONFIGURATION
    assert "sealtool init" in outcome.err


def test_a_configuration_with_mistakes_is_exit_3(folder: Folder) -> None:
    folder.configure("[run]", "[run]\nnonsense = 1")
    outcome = folder.call("doctor", "--json")
    assert outcome.code == ExitCode.CONFIGURATION
    assert outcome.json["schema"] == "sealtool.error/1"


def test_problems_of_two_kinds_are_exit_1_and_both_are_found(folder: Folder) -> None:
    (folder.path / "ledger.sqlite").unlink()
    (folder.path / "pki" / "seal.p12").unlink()
    problems = {one.name for one in look_at_most(folder) if one.state is State.PROBLEM}
    assert problems == {"ledger", "key"}
    assert folder.call("doctor").code == ExitCode.NEEDS_HUMAN


DEMO_AUTHORITY = 'demo_pkcs12 = "pki/tsa.p12"\ndemo_passphrase = { file = "pki/tsa.passphrase" }'


def test_offline_leaves_services_out_and_says_which(folder: Folder) -> None:
    folder.configure(DEMO_AUTHORITY, 'urls = ["http://127.0.0.1:9/"]')
    folder.configure("fetch = false", "fetch = true")

    outcome = folder.call("doctor", "--offline")

    assert outcome.code == 0, outcome.out
    assert "Left out, because they ask other services: revocation, time-stamp-authority, level." in outcome.out


# --- what certificates are decided and laid out with ------------------------------------------------------------


def test_rules_that_are_not_there_are_a_problem(folder: Folder) -> None:
    folder.configure('version = ""', 'version = "1999-01-01"')
    assert_problem(look(folder, "rules"), ExitCode.CONFIGURATION, "1999-01-01")


@pytest.mark.parametrize(("behind", "state"), [(timedelta(minutes=4), State.OK), (timedelta(minutes=6), State.WARNING)])
def test_a_clock_that_has_gone_back_is_a_warning(folder: Folder, behind: timedelta, state: State) -> None:
    (folder.path / "ledger.sqlite").touch()  # the folder was made when the tests began
    found = look(folder, "time-zone", now=utc_now() - behind)
    assert found.state is state
    assert "in Europe/Madrid" in found.message


def run(folder: Folder, **environment: str) -> dict[str, Finding]:
    """The findings of a process with another environment, by name."""
    command = [sys.executable, "-m", "sealtool", "--config", folder.configuration, "doctor", "--offline", "--json"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    outcome = Outcome(done.returncode, done.stdout, done.stderr)
    return {
        one["name"]: Finding(one["name"], State(one["state"]), one["message"], one["advice"], ExitCode(outcome.code))
        for one in outcome.json["findings"]
    }


@pytest.mark.slow
def test_a_missing_system_library_is_found_and_the_rest_is_looked_at_all_the_same(
    folder: Folder, tmp_path: Path
) -> None:
    (tmp_path / "weasyprint").mkdir()
    (tmp_path / "weasyprint" / "__init__.py").write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")")

    found = run(folder, PYTHONPATH=str(tmp_path))

    for name in ("layout-engine", "font-subsetting", "fonts", "templates", "trial-page"):
        assert_problem(found[name], ExitCode.CONFIGURATION, "libpango-1.0-0")
    assert {one.name for one in found.values() if one.state is State.OK} == set(USUAL) - {
        "layout-engine",
        "font-subsetting",
        "fonts",
        "templates",
        "trial-page",
    }


@pytest.mark.slow
def test_a_missing_font_is_found_by_its_name(folder: Folder, tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    lato = subprocess.run(["fc-match", "-f", "%{file}", "Lato"], capture_output=True, text=True, check=True).stdout
    shutil.copy(lato, fonts)
    (tmp_path / "fonts.conf").write_text(
        f"<fontconfig><dir>{fonts}</dir><cachedir>{tmp_path / 'cache'}</cachedir></fontconfig>"
    )

    found = run(folder, FONTCONFIG_FILE=str(tmp_path / "fonts.conf"))

    assert_problem(found["fonts"], ExitCode.CONFIGURATION, "EB Garamond")
    assert "Lato" not in found["fonts"].message
    assert "fonts-ebgaramond" in found["fonts"].advice
    assert found["trial-page"].state is State.PROBLEM
    assert found["layout-engine"].state is State.OK


def test_slow_font_subsetting_is_a_warning(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "harfbuzz_subset", None)  # as the engine has it where the library is not there
    found = look(folder, "font-subsetting")
    assert_warning(found, "five times as long")
    assert "libharfbuzz-subset0" in found.advice


def test_a_template_folder_that_is_not_there_is_a_problem(folder: Folder) -> None:
    folder.configure("[rendering]", '[rendering]\ntemplates = "templates"')
    assert_problem(look(folder, "templates"), ExitCode.CONFIGURATION, str(folder.path / "templates"))


def test_templates_of_ones_own_are_counted_and_a_broken_one_is_named_with_its_line(folder: Folder) -> None:
    own = folder.path / "templates"
    (own / "ca").mkdir(parents=True)
    packaged = Path(engine.__file__).parents[1] / "templates" / "ca" / "certificate.html"
    text = packaged.read_text(encoding="utf-8")
    (own / "ca" / "certificate.html").write_text(text, encoding="utf-8")
    folder.configure("[rendering]", '[rendering]\ntemplates = "templates"')
    assert look(folder, "templates").message == f"1 of 4 from {own}, the others from sealtool."

    (own / "ca" / "certificate.html").write_text(text + "\n{% if %}", encoding="utf-8")
    line = text.count("\n") + 2
    assert_problem(look(folder, "templates"), ExitCode.CONFIGURATION, f"{own / 'ca' / 'certificate.html'}, line {line}")


def test_a_trial_page_finds_what_a_template_asks_for_in_vain(folder: Folder) -> None:
    own = folder.path / "templates"
    own.mkdir()
    (own / "certificate.css").write_text("body { background: url(nowhere.svg) }", encoding="utf-8")
    folder.configure("[rendering]", '[rendering]\ntemplates = "templates"')
    assert look(folder, "templates").state is State.OK
    assert_problem(look(folder, "trial-page"), ExitCode.CONFIGURATION, "nowhere.svg")


# --- places -----------------------------------------------------------------------------------------------------


def with_registry(folder: Folder, registry: Path) -> None:
    folder.configure("[registry]", f'[registry]\nfolder = "{registry}"')


def test_a_registry_that_can_be_read_is_well(folder: Folder, write_registry: Write) -> None:
    with_registry(folder, write_registry([A], []))
    assert "accreditations.csv, people.csv" in look(folder, "registry").message


def test_a_registry_that_is_not_there_is_a_problem(folder: Folder, tmp_path: Path) -> None:
    with_registry(folder, tmp_path / "nowhere")
    assert_problem(look(folder, "registry"), ExitCode.REGISTRY, "nowhere")


def test_a_registry_without_people_is_a_problem(folder: Folder, write_registry: Write) -> None:
    registry = write_registry([A], [])
    (registry / "people.csv").unlink()
    with_registry(folder, registry)
    assert_problem(look(folder, "registry"), ExitCode.REGISTRY, "no people.csv")


def test_a_registry_file_that_cannot_be_opened_is_a_problem(folder: Folder, write_registry: Write) -> None:
    registry = write_registry([A], [])
    (registry / "training.csv").mkdir()
    with_registry(folder, registry)
    assert_problem(look(folder, "registry"), ExitCode.REGISTRY, "training.csv")


def execute(folder: Folder, statement: str) -> None:
    connection = sqlite3.connect(folder.path / "ledger.sqlite")
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_ledger_that_was_changed_from_outside_is_a_problem(issued: Folder) -> None:
    assert look(issued, "ledger").state is State.OK
    execute(issued, "DROP TRIGGER IF EXISTS events_no_update")
    execute(issued, "UPDATE events SET at = 'then' WHERE sequence = 2")
    assert_problem(look(issued, "ledger"), ExitCode.LEDGER, "event 2")


def test_a_ledger_that_is_none_is_a_problem(folder: Folder) -> None:
    (folder.path / "ledger.sqlite").write_bytes(b"no database" * 100)
    assert_problem(look(folder, "ledger"), ExitCode.LEDGER, "ledger.sqlite")


def test_a_ledger_of_a_later_sealtool_is_a_problem(folder: Folder) -> None:
    execute(folder, "UPDATE alembic_version SET version_num = '9999'")
    assert_problem(look(folder, "ledger"), ExitCode.LEDGER, "9999")


def test_a_ledger_of_an_earlier_sealtool_is_a_problem_and_stays_as_it_is(folder: Folder) -> None:
    execute(folder, "UPDATE alembic_version SET version_num = '0001'")
    before = snapshot(folder.path)
    assert_problem(look(folder, "ledger"), ExitCode.LEDGER, "version 0001")
    assert_warning(look(folder, "ledger-and-output"), "Not looked at")
    assert snapshot(folder.path) == before


def test_a_ledger_that_a_run_holds_is_a_warning(folder: Folder) -> None:
    assert look(folder, "lock").state is State.OK
    with folder.workspace.ledger() as ledger, ledger.exclusive():
        assert_warning(look(folder, "lock"), "A run holds the ledger")
    assert look(folder, "lock").state is State.OK


def test_a_file_that_the_ledger_does_not_know_is_a_problem(issued: Folder) -> None:
    assert look(issued, "ledger-and-output").state is State.OK
    shutil.copy(issued.certificates[0], issued.certificates[0].with_name("another.pdf"))
    assert_problem(look(issued, "ledger-and-output"), ExitCode.LEDGER, "another.pdf")


def test_an_issued_file_that_is_missing_is_a_warning(issued: Folder) -> None:
    issued.certificates[0].unlink()
    assert_warning(look(issued, "ledger-and-output"), "1 are missing")


def test_a_seal_of_a_manifest_that_is_missing_is_a_warning(issued: Folder) -> None:
    (seal,) = issued.path.glob("out/manifests/*.p7s")
    seal.unlink()
    assert_warning(look(issued, "ledger-and-output"), seal.name)


@pytest.mark.parametrize("name", ["2026/B1/README.txt", "manifests/report.html", "notes"])
def test_a_foreign_file_anywhere_in_the_output_folder_is_a_warning(issued: Folder, name: str) -> None:
    stray = issued.path / "out" / name
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.touch()
    assert_warning(look(issued, "ledger-and-output"), f"first {name}")
    (issued.path / "out" / ".sealtool-unfinished-0123").touch()
    stray.unlink()
    assert look(issued, "ledger-and-output").state is State.OK


@pytest.mark.parametrize(("key", "instead_of"), [("log", 'log = "sealtool.log"'), ("metrics", "[run]")])
def test_a_folder_for_log_or_metrics_that_is_not_there_is_a_warning(folder: Folder, key: str, instead_of: str) -> None:
    folder.configure(instead_of, f'{"" if key == "log" else instead_of}\n{key} = "nowhere/file"')
    assert_warning(look(folder, "log-and-metrics"), f"run.{key}: there is no folder {folder.path / 'nowhere'}")


def test_a_file_of_something_else_in_the_place_of_metrics_is_a_warning(folder: Folder) -> None:
    folder.configure("[run]", '[run]\nmetrics = "notes"')
    notes = folder.path / "notes"
    notes.write_text("somebody's\n", encoding="utf-8")
    assert_warning(
        look(folder, "log-and-metrics"), f"run.metrics: {notes} is there already, and it is no file of metrics"
    )
    notes.write_text("# HELP sealtool_info Always 1.\n", encoding="utf-8")
    assert look(folder, "log-and-metrics").state is State.OK


def as_one_who_may_not_write_everything(folder: Folder, *arguments: object) -> Outcome:
    command = [sys.executable, "-m", "sealtool", "--config", str(folder.configuration), *map(str, arguments)]
    prefix = as_somebody_who_may_not_read_everything()
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "closed",
    ["out/manifests", *(pytest.param(one, marks=pytest.mark.long) for one in ("ledger.sqlite", "out/{year}/B1"))],
)
def test_what_may_only_be_read_is_found_by_doctor_and_by_issue_before_anything_is_decided(
    issued: Folder, write_registry: Write, closed: str
) -> None:
    path = issued.path / closed.format(year=issued.workspace.today().year)
    path.chmod(0o500)
    more = write_registry(PEOPLE[:3], map(b1_by_test, PEOPLE[:3]), name="more")
    (code, named) = (5, "may only read it") if closed == "ledger.sqlite" else (3, str(path))

    looked = as_one_who_may_not_write_everything(issued, "doctor", "--offline", "--json")
    ran = as_one_who_may_not_write_everything(issued, "issue", "--level", "B1", "--registry", more)

    path.chmod(0o700)
    problems = [one["message"] for one in looked.json["findings"] if one["state"] == "problem"]
    assert (looked.code, len(problems), named in problems[0]) == (code, 1, True)
    assert (ran.code, named in ran.err) == (code, True)
    assert (len(issued.workspace.standing().runs), len(issued.certificates)) == (1, 2)


def test_an_output_folder_that_is_not_there_yet_is_well(folder: Folder) -> None:
    shutil.rmtree(folder.path / "out")
    assert "can be made" in look(folder, "output-folder").message
    assert not (folder.path / "out").exists()


def test_an_output_folder_that_cannot_be_written_is_a_problem(folder: Folder) -> None:
    shutil.rmtree(folder.path / "out")
    (folder.path / "out").write_text("a file")
    assert_problem(look(folder, "output-folder"), ExitCode.CONFIGURATION, str(folder.path / "out"))


def test_little_space_is_a_warning(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(folder.path).free
    monkeypatch.setattr(places, "LITTLE_SPACE", 2 * free)
    assert_warning(look(folder, "output-folder"), "GB are free")


@pytest.mark.parametrize(
    ("free", "said"),
    [(0, "0 bytes are"), (4096, "4.0 kB are"), (12 * 1024**2, "12.0 MB are"), (1024**3 - 1, "1024.0 MB are")],
)
def test_little_room_is_told_in_a_unit_in_which_it_is_not_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, free: int, said: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert_warning(look(folder, "output-folder"), f"only {said} free")


@pytest.mark.parametrize(
    ("path", "mode", "cure"),
    [
        ("pki/seal.p12", 0o640, "chmod go="),
        ("pki/seal.passphrase", 0o604, "chmod go="),
        ("ledger.sqlite", 0o644, "chmod go="),
        ("out", 0o755, "chmod -R go="),
        ("sealtool.toml", 0o664, "chmod go-w"),
    ],
)
def test_what_is_open_to_others_is_a_warning_that_names_it_and_the_cure(
    folder: Folder, path: str, mode: int, cure: str
) -> None:
    assert look(folder, "permissions").state is State.OK
    (folder.path / path).chmod(mode)
    found = look(folder, "permissions")
    assert_warning(found, str(folder.path / path))
    assert f"{cure} {folder.path / path}" in found.advice


def test_the_secrets_of_a_signing_service_are_looked_at_too(folder: Folder) -> None:
    for name in ("token", "pin"):
        (folder.path / name).touch(0o600)
    (folder.path / "pin").chmod(0o644)
    configure_service(folder, "https://csc.example")
    assert_warning(look(folder, "permissions"), str(folder.path / "pin"))


def test_whoever_is_not_the_owner_is_told_that_the_check_says_little(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places.os, "geteuid", lambda: 54321)
    found = look(folder, "permissions")
    assert_warning(found, "runs as 54321")
    assert "sudo -u" in found.advice


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("given", ["ledger.sqlite", "out"])
def test_root_is_refused_whatever_writes_where_another_user_keeps_the_ledger(
    issued: Folder, write_registry: Write, tmp_path: Path, given: str
) -> None:
    backup, certificate = tmp_path / "backup.jsonl", issued.certificates[0]
    assert issued.call("ledger", "backup", backup).code == 0
    os.chown(issued.path / given, 54321, 54321)
    before = snapshot(issued.path)
    for command in (
        ("issue", "--level", "B1", "--registry", write_registry([A], [b1_by_test(A)])),
        ("extend", certificate),
        ("revoke", certificate.stem, "--reason", "a test", "--yes"),
        ("ledger", "restore", backup),
        ("ledger", "migrate", tmp_path / "before.jsonl"),
    ):
        outcome = issued.call(*command)
        assert (outcome.code, "sudo -u 54321" in outcome.err) == (ExitCode.CONFIGURATION, True), command
    assert snapshot(issued.path) == before
    assert issued.call("verify", issued.path / "out").code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_who_looks_first_does_not_lock_the_owner_of_the_ledger_out(folder: Folder) -> None:
    os.chown(folder.path / "ledger.sqlite", 54321, 54321)
    assert folder.call("status").code == 0
    assert (folder.path / "ledger.sqlite.lock").stat().st_uid == 54321


# --- the seal ---------------------------------------------------------------------------------------------------


@pytest.fixture
def other(folder: Folder) -> OtherAuthority:
    return OtherAuthority.beside(folder)


OF_THE_KEY = ("seal-certificate", "chain", "revocation", "level")


def test_a_wrong_passphrase_is_found_at_the_key_and_the_rest_is_not_looked_at(folder: Folder) -> None:
    (folder.path / "pki" / "seal.passphrase").write_text("wr0ng")
    found = {one.name: one for one in look_at_most(folder)}
    assert_problem(found["key"], ExitCode.SEAL_KEY, "passphrase is wrong")
    assert "wr0ng" not in repr(found)
    assert {found[name].state for name in OF_THE_KEY} == {State.WARNING}
    assert {found[name].state for name in set(USUAL) - {"key", *OF_THE_KEY} - PAGES} == {State.OK}


def test_no_key_at_all_is_a_problem_of_the_configuration(folder: Folder) -> None:
    folder.configure('pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }', "")
    assert_problem(look(folder, "key"), ExitCode.CONFIGURATION, "No seal key is configured")


@pytest.mark.parametrize("key", ['pkcs12 = "pki/seal.p12"', "pkcs11 = { module = 'm.so', token = 't', key = 'k' }"])
def test_a_key_without_a_source_of_its_passphrase_is_not_called_no_key(folder: Folder, key: str) -> None:
    folder.configure('pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }', key)
    told = f"seal.{key.partition(' ')[0]} is configured without seal.passphrase"
    assert_problem(look(folder, "key"), ExitCode.CONFIGURATION, told)


@pytest.mark.parametrize(("left", "state"), [(60 * DAY, State.OK), (60 * DAY - SECOND, State.WARNING)])
def test_a_seal_that_ends_within_sixty_days_is_a_warning(
    folder: Folder, other: OtherAuthority, left: timedelta, state: State
) -> None:
    issued = other.seal()
    found = look(folder, "seal-certificate", now=issued.not_valid_after_utc - left)
    assert found.state is state
    assert f"{issued.not_valid_after_utc:%Y-%m-%d}" in found.message
    assert look(folder, "chain", now=issued.not_valid_after_utc - left).state is state


@pytest.mark.parametrize(
    ("seal", "said"),
    [
        ({"ends": utc_now() - DAY}, "expired"),
        ({"usage": NEITHER}, "not meant for seals"),
    ],
    ids=["expired", "not for seals"],
)
def test_a_seal_that_may_not_seal_is_a_problem(
    folder: Folder, other: OtherAuthority, seal: dict[str, Any], said: str
) -> None:
    other.seal(**seal)
    assert_problem(look(folder, "seal-certificate"), ExitCode.SEAL_KEY, said)
    assert look(folder, "key").state is State.OK  # it does sign


def test_a_seal_of_another_organisation_is_a_problem(folder: Folder) -> None:
    folder.configure("VATES-S0711001H", "VATES-Q0000000J")
    assert_problem(look(folder, "seal-certificate"), ExitCode.SEAL_KEY, "VATES-S0711001H", "VATES-Q0000000J")


def test_a_revoked_seal_is_a_problem(folder: Folder, other: OtherAuthority) -> None:
    other.seal(revoked=True)
    assert_problem(look(folder, "revocation"), ExitCode.SEAL_KEY, "revoked")
    assert_problem(look(folder, "level"), ExitCode.SEAL_KEY, "revoked")
    assert look(folder, "chain").state is State.OK
    other.seal(usage=BOTH)
    assert look(folder, "revocation").state is State.OK


def test_a_seal_of_an_unknown_root_is_a_problem(folder: Folder, other: OtherAuthority) -> None:
    other.seal()
    folder.configure('anchors = ["pki/root.pem", "pki/another.pem"]', 'anchors = ["pki/root.pem"]')
    assert_problem(look(folder, "chain"), ExitCode.SEAL_KEY, "trust anchors")


def test_no_trust_anchor_is_a_problem(folder: Folder) -> None:
    folder.configure('anchors = ["pki/root.pem"]', "anchors = []")
    for name in ("trust-anchors", "chain"):
        assert_problem(look(folder, name), ExitCode.CONFIGURATION, "No trust anchor")


def root_end(folder: Folder) -> datetime:
    return x509.load_pem_x509_certificate((folder.path / "pki" / "root.pem").read_bytes()).not_valid_after_utc


@pytest.mark.parametrize(("left", "state"), [(60 * DAY, State.OK), (60 * DAY - SECOND, State.WARNING)])
def test_a_trust_anchor_that_ends_soon_is_a_warning(folder: Folder, left: timedelta, state: State) -> None:
    assert look(folder, "trust-anchors", now=root_end(folder) - left).state is state


def test_revocation_lists_that_are_missing_are_a_problem(folder: Folder) -> None:
    for path in (folder.path / "pki").glob("*.crl"):
        path.unlink()
    assert_problem(look(folder, "revocation-lists"), ExitCode.SERVICE_UNREACHABLE, "No CRL file")


def test_revocation_lists_that_have_run_out_are_a_problem(folder: Folder) -> None:
    found = look(folder, "revocation-lists", now=root_end(folder) + DAY)
    assert_problem(found, ExitCode.SERVICE_UNREACHABLE, "out of date", "1 days ago")


def test_revocation_lists_with_little_time_left_are_a_warning(folder: Folder) -> None:
    life = root_end(folder) - utc_now()
    assert look(folder, "revocation-lists", now=utc_now() + life * 0.74).state is State.OK
    assert_warning(look(folder, "revocation-lists", now=utc_now() + life * 0.76), "less than a quarter")


@pytest.mark.parametrize(
    ("level", "fetch", "state"),
    [("B-LTA", "true", State.OK), ("B-LTA", "false", State.PROBLEM), ("B-B", "true", State.PROBLEM)],
)
def test_no_revocation_lists_in_files_are_a_problem_where_nothing_else_will_do(
    folder: Folder, level: str, fetch: str, state: State
) -> None:
    folder.configure('crls = ["pki/*.crl"]', "crls = []")
    folder.configure("fetch = false", f"fetch = {fetch}")
    folder.configure('level = "B-LTA"', f'level = "{level}"')
    assert look(folder, "revocation-lists").state is state


def test_no_source_of_revocation_is_a_warning_where_the_level_allows_it(folder: Folder) -> None:
    folder.configure('crls = ["pki/*.crl"]', "crls = []")
    folder.configure('level = "B-LTA"', 'level = "B-B"')
    assert_warning(look(folder, "revocation"), "nobody would notice")


def test_a_level_that_cannot_be_reached_is_a_problem(folder: Folder) -> None:
    folder.configure(DEMO_AUTHORITY, "")
    assert_problem(look(folder, "level"), ExitCode.CONFIGURATION, "time stamp authority")
    assert_problem(look(folder, "time-stamp-authority"), ExitCode.CONFIGURATION, "B-LTA")
    folder.configure('level = "B-LTA"', 'level = "B-B"')
    assert look(folder, "time-stamp-authority").state is State.OK


# --- a remote signing service -----------------------------------------------------------------------------------


def configure_service(folder: Folder, url: str) -> None:
    folder.configure(
        'pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }',
        f'csc = {{ url = "{url}", credential = "{CREDENTIAL}", token = {{ file = "token" }}, '
        'pin = { file = "pin" } }',
    )


@pytest.fixture
def remote(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[CscServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    bundle = load_pkcs12(
        (folder.path / "pki" / "seal.p12").read_bytes(), (folder.path / "pki" / "seal.passphrase").read_bytes().strip()
    )
    assert bundle.cert is not None
    chain = [bundle.cert.certificate, *(each.certificate for each in bundle.additional_certs)]
    with serving(CscServer(bundle.key, chain)) as server:  # type: ignore[arg-type]
        for name, secret in (("token", TOKEN), ("pin", str(server.pin))):
            (folder.path / name).touch(0o600)
            (folder.path / name).write_text(secret)
        configure_service(folder, server.url)
        yield server


def test_a_key_at_a_service_is_asked_for_one_signature(folder: Folder, remote: CscServer) -> None:
    assert {one.state for one in look_at_most(folder)} == {State.OK}
    assert remote.signed == 1


def test_a_service_that_signs_wrongly_is_found(folder: Folder, remote: CscServer) -> None:
    remote.forge = lambda _: bytes(384)
    assert_problem(look(folder, "key"), ExitCode.SEAL_KEY, "thrown away")


def test_offline_a_service_that_has_the_key_is_not_asked(folder: Folder, remote: CscServer) -> None:
    outcome = folder.call("doctor", "--offline", "--json")
    assert outcome.code == 0
    assert outcome.json["left_out"] == ["key", "seal-certificate", "chain", "revocation", "level"]
    assert remote.asked == []


# --- time stamp authorities -------------------------------------------------------------------------------------


def demo_authority(folder: Folder, clock: Callable[[], datetime] = utc_now) -> LocalTimeStampAuthority:
    passphrase = (folder.path / "pki" / "tsa.passphrase").read_bytes().strip()
    return LocalTimeStampAuthority.from_pkcs12(folder.path / "pki" / "tsa.p12", passphrase, clock=clock)


@pytest.fixture
def authority_url(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The demonstration's authority, by HTTP."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    authority = demo_authority(folder)

    def stamp(_: Message, content: bytes) -> Reply:
        reply = asyncio.run(authority._answer(tsp.TimeStampReq.load(content)))
        return 200, {"Content-Type": "application/timestamp-reply"}, reply.dump()

    with answering(stamp) as url:
        yield url


def test_each_authority_is_looked_at_by_itself(folder: Folder, authority_url: str) -> None:
    nobody = "http://127.0.0.1:9/"
    folder.configure(DEMO_AUTHORITY, f'urls = ["{nobody}", "{authority_url}"]\nretries = 0')

    first, second = [one for one in look_at_most(folder) if one.name == "time-stamp-authority"]

    assert_problem(first, ExitCode.SERVICE_UNREACHABLE, nobody)
    assert second.state is State.OK
    assert f"{authority_url} stamps; its certificate leads to a trust anchor" in second.message
    assert look(folder, "level").state is State.OK  # the second one serves


@pytest.mark.parametrize(
    ("ahead", "state"),
    [
        (timedelta(seconds=25), State.OK),
        (timedelta(seconds=-25), State.OK),
        (timedelta(seconds=35), State.WARNING),
        (timedelta(seconds=-35), State.WARNING),
        (timedelta(minutes=6), State.PROBLEM),
    ],
)
def test_an_authority_with_another_time_is_found(folder: Folder, ahead: timedelta, state: State) -> None:
    now = utc_now()
    authority = demo_authority(folder, lambda: now + ahead)
    installation = replace(folder.workspace.installation, now=lambda: now, authorities=lambda: [authority])
    (check,) = [each for each in checks_of(installation) if each.name == "time-stamp-authority"]

    found = examine([check], offline=False).findings[0]

    assert found.state is state
    if state is not State.PROBLEM:
        assert f"{ahead.total_seconds():.0f} s" in found.message


@pytest.mark.parametrize(("left", "state"), [(61 * DAY, State.OK), (59 * DAY, State.WARNING)])
def test_an_authority_whose_certificate_ends_soon_is_a_warning(folder: Folder, left: timedelta, state: State) -> None:
    now = root_end(folder) - left
    authority = demo_authority(folder, lambda: now)
    installation = replace(folder.workspace.installation, now=lambda: now)
    assert time_stamps.time_stamp_authority(installation, authority).state is state


def test_an_authority_of_an_unknown_root_is_a_problem(folder: Folder, other: OtherAuthority) -> None:
    other.seal()
    folder.configure('anchors = ["pki/root.pem", "pki/another.pem"]', 'anchors = ["pki/another.pem"]')
    assert_problem(look(folder, "time-stamp-authority"), ExitCode.SERVICE_UNREACHABLE, "trust anchors")


def test_an_authority_that_cannot_be_made_ready_is_a_problem_of_its_own(folder: Folder) -> None:
    (folder.path / "pki" / "tsa.p12").unlink()
    assert_problem(look(folder, "time-stamp-authority"), ExitCode.SEAL_KEY, "tsa.p12")
    assert look(folder, "key").state is State.OK


# --- a cluster --------------------------------------------------------------------------------------------------


def with_cluster(folder: Folder, address: str, *more: str) -> Folder:
    with folder.configuration.open("a", encoding="utf-8") as file:
        file.write("\n".join(["", "[cluster]", f'address = "{address}"', *more, ""]))
    return folder


@pytest.mark.long
def test_the_workers_of_a_cluster_are_counted_and_compared_with_this_machine(folder: Folder, tmp_path: Path) -> None:
    with dask_cluster(tmp_path / "dask", ((), ("--nthreads", "3"))) as cluster:
        with_cluster(folder, cluster.address)
        for _ in range(60):  # they come one after the other
            found = look(folder, "cluster-workers")
            if "2 workers" in found.message:
                break
    assert found.state is State.OK, found
    assert f"{cluster.address} has 2 workers, for 4 certificates at a time" in found.message
    assert look(folder, "cluster-access").state is State.OK


def test_a_cluster_out_of_reach_is_told_in_the_words_of_issue_and_left_out_offline(folder: Folder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with_cluster(folder, address, "timeout_seconds = 0.5")
        assert_problem(look(folder, "cluster-workers"), ExitCode.CONFIGURATION, address, "cannot be reached")
    checks = [one for one in checks_of(folder.workspace.installation) if one.name in CLUSTER_CHECK_NAMES]
    offline = examine(checks, offline=True)
    assert [one.name for one in offline.findings] == ["cluster-access"]
    assert offline.left_out == ("cluster-workers",)


def test_a_pipe_in_the_place_of_a_file_of_a_cluster_is_not_waited_for(folder: Folder) -> None:
    files = [f'{name} = "{name}.pem"' for name in ("ca", "certificate", "key")]
    with_cluster(folder, "tls://host.example:8786", *files)
    os.mkfifo(folder.path / "ca.pem")
    assert_problem(look(folder, "cluster-access"), ExitCode.CONFIGURATION, "cannot be read: it is no regular file")


def test_files_of_a_cluster_have_to_be_there_and_its_key_is_nobody_elses(folder: Folder) -> None:
    names = ("ca", "certificate", "key")
    with_cluster(folder, "tls://host.example:8786", *(f'{name} = "{name}.pem"' for name in names))
    for name in names:
        path = folder.path / f"{name}.pem"
        said = f"cluster.{name}, {path}, cannot be read"
        assert_problem(look(folder, "cluster-access"), ExitCode.CONFIGURATION, said)
        path.touch(mode=0o600)
    assert look(folder, "cluster-access").state is State.OK
    assert look(folder, "permissions").state is State.OK
    (folder.path / "ca.pem").chmod(0o644)
    assert look(folder, "permissions").state is State.OK
    (folder.path / "key.pem").chmod(0o640)
    assert_warning(look(folder, "permissions"), "the key for the cluster", "key.pem")


def test_without_dask_a_cluster_is_told_to_need_it(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with_cluster(folder, "tcp://127.0.0.1:8786")
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert_problem(look(folder, "cluster-access"), ExitCode.CONFIGURATION, "a library that is not installed")
