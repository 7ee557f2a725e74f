"""The audit of the locked packages: a real pip-audit before a real service on this machine."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import Message
from pathlib import Path

import pytest

from tests.web_servers import Reply, answering
from tools.audit import ACCEPTED, ROOT, Answer, MistakeError, Vulnerability, judge, main, read_accepted

TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)
_KNOWN = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-1111"],
    "summary": "It opens every door.",
    "published": "2026-01-01T00:00:00Z",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}],
        }
    ],
}


@pytest.fixture
def service() -> Iterator[str]:
    """Answers as OSV does, and knows one vulnerability of jinja2."""

    def look_up(_: Message, content: bytes) -> Reply:
        asked = json.loads(content)
        return 200, {}, json.dumps({"vulns": [_KNOWN]} if asked["package"]["name"] == "jinja2" else {}).encode()

    with answering(look_up) as url:
        yield f"{url}v1/query"


Audit = Callable[..., int]


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Audit:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def call(service: str, *packages: str, accepted: str = "") -> int:
        locked = "".join(f"{one} --hash=sha256:{'0' * 64}\n" for one in packages)
        (tmp_path / "requirements.txt").write_text(locked, encoding="utf-8")
        (tmp_path / "accepted.toml").write_text(accepted, encoding="utf-8")
        lists = [str(tmp_path / "requirements.txt"), "--accepted", str(tmp_path / "accepted.toml")]
        return main([*lists, "--osv-url", service])

    return call


def entry(until: date, package: str = "jinja2") -> str:
    return f'[[accepted]]\nid = "CVE-2026-1111"\npackage = "{package}"\nreason = "never called"\nuntil = {until}\n'


@pytest.mark.slow
def test_a_known_vulnerability_fails_and_is_named(
    audit: Audit, service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(service, "click==8.1.8", "jinja2==3.1.0") == 1
    said = capsys.readouterr().out
    assert "VULNERABLE: jinja2 3.1.0: CVE-2026-1111, GHSA-aaaa-bbbb-cccc (fixed in 9.9)" in said
    assert "2 packages audited, 1 findings." in said


@pytest.mark.slow
def test_where_no_service_answers_it_is_said_and_passes(audit: Audit, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit("http://127.0.0.1:1/v1/query", "click==8.1.8") == 0
    said = capsys.readouterr().out
    assert said.startswith("NOT AUDITED: ")
    assert "ConnectionError" in said
    assert "packages audited" not in said


@pytest.mark.slow
def test_a_package_that_is_not_locked_with_its_hash_fails(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "requirements.txt").write_text("click==8.1.8\n", encoding="utf-8")
    assert main([str(tmp_path / "requirements.txt"), "--osv-url", service]) == 1
    assert "hash" in capsys.readouterr().err


FOUND = Answer(
    frozenset({"jinja2", "click"}),
    frozenset(),
    (Vulnerability("jinja2", "3.1.0", frozenset({"GHSA-aaaa-bbbb-cccc", "CVE-2026-1111"}), ()),),
)


@pytest.mark.parametrize(("until", "fails"), [(TODAY, False), (TODAY - DAY, True)], ids=["last day", "day after"])
def test_what_is_accepted_passes_until_its_day(until: date, fails: bool) -> None:
    failing, told = judge(FOUND, read_accepted(entry(until)), TODAY)
    assert bool(failing) is fails
    assert bool(told) is not fails


def test_what_is_accepted_of_one_package_is_not_of_another() -> None:
    failing, _ = judge(FOUND, read_accepted(entry(TODAY, "click")), TODAY)
    assert failing[0].startswith("jinja2 3.1.0")


def test_what_need_not_be_accepted_any_more_is_taken_off_the_list() -> None:
    sound = Answer(frozenset({"jinja2"}), frozenset(), ())
    failing, _ = judge(sound, read_accepted(entry(TODAY)), TODAY)
    assert failing == ["jinja2: CVE-2026-1111 is accepted, and no longer known of it: take it off the list"]


@pytest.mark.parametrize(
    "text",
    [
        entry(TODAY).replace('reason = "never called"\n', ""),
        entry(TODAY).replace("never called", " "),
        entry(TODAY).replace(f"until = {TODAY}", f'until = "{TODAY}"'),
        f"{entry(TODAY)}forever = true\n",
    ],
    ids=["no reason", "empty reason", "no day", "more"],
)
def test_nothing_is_accepted_without_a_reason_and_a_day(text: str) -> None:
    with pytest.raises(MistakeError):
        read_accepted(text)


def test_the_list_of_the_project_can_be_read() -> None:
    read_accepted(ACCEPTED.read_text(encoding="utf-8"))


# --- the static rules ---------------------------------------------------------------------------------------------


def test_the_audit_and_the_rules_are_part_of_lint() -> None:
    lint = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    assert "tools/audit.py" in lint
    assert "ruff check" in lint


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("import pickle\n\npickle.loads(b'')\n", "S301"),
        ("import subprocess\n\nsubprocess.run('ls', shell=True, check=True)\n", "S602"),
        ("import os\n\nos.chmod('x', 0o777)\n", "S103"),
        ("import hashlib\n\nhashlib.md5(b'')\n", "S324"),
        ("PASSWORD = 'hunter2'\n", "S105"),
        ("import xml.etree.ElementTree as ET\n\nET.fromstring('')\n", "S314"),
    ],
    ids=["pickle", "shell", "modes", "md5", "password", "xml"],
)
def test_the_security_rules_of_ruff_hold_for_the_program(code: str, rule: str) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    found = subprocess.run(
        [ruff, "check", "--output-format=concise", "--stdin-filename=sealtool/new.py", "-"],
        cwd=ROOT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert f" {rule} " in found.stdout


def test_every_exception_from_a_security_rule_says_why() -> None:
    lines = [line for file in ROOT.glob("sealtool/**/*.py") for line in file.read_text(encoding="utf-8").splitlines()]
    exceptions = [line for line in lines if re.search(r"noqa:.*\bS\d{3}\b", line)]
    assert len(exceptions) >= 5
    assert [line for line in exceptions if not re.search(r"# noqa: S\d{3} - \w", line)] == []
