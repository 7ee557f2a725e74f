"""Holds every locked package against the known vulnerabilities: `make audit`, and part of `make lint`.

Exit 1 where a package has one that is not accepted, or no longer. Where no service that knows them answers, as on a
machine without a network, nothing was audited: that is said in capitals, and passes.

    .venv/bin/python tools/audit.py [--osv-url URL] [REQUIREMENTS …]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ACCEPTED = ROOT / "tools" / "accepted-vulnerabilities.toml"
PATIENCE = 300
"""Seconds that a service may take for all packages."""

_UNREACHABLE = re.compile(r"\b(\w*(?:ConnectionError|Timeout|ProxyError|SSLError|HTTPError|ServiceError))\b")
"""By what pip-audit says last when a service does not answer; anything else is a fault."""


class NotAuditedError(Exception):
    """No service answered; says why in one line."""


class MistakeError(Exception):
    """The list of what is accepted has a mistake, or a file of requirements has."""


@dataclass(frozen=True)
class Vulnerability:
    """A package, locked at a version, with what is known of it."""

    package: str
    version: str
    names: frozenset[str]
    """The id and its aliases."""
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        cure = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "not fixed yet"
        return f"{self.package} {self.version}: {', '.join(sorted(self.names))} ({cure})"


@dataclass(frozen=True)
class Accepted:
    """A vulnerability that does not matter here, or not yet: until a day, and for a reason that is written down."""

    vulnerability: str
    package: str
    reason: str
    until: date


@dataclass(frozen=True)
class Answer:
    """What a service knows."""

    audited: frozenset[str]
    not_audited: frozenset[str]
    found: tuple[Vulnerability, ...]


def read_answer(text: str) -> Answer:
    """The JSON of pip-audit.

    Raises:
        NotAuditedError: nothing in it was audited.
    """
    packages: list[dict[str, Any]] = json.loads(text)["dependencies"]
    audited = frozenset(one["name"] for one in packages if "skip_reason" not in one)
    not_audited = frozenset(one["name"] for one in packages) - audited
    if not audited:
        raise NotAuditedError(packages[0]["skip_reason"] if packages else "there is no package to audit")
    found = tuple(
        Vulnerability(
            one["name"], one["version"], frozenset({known["id"], *known["aliases"]}), tuple(known["fix_versions"])
        )
        for one in packages
        for known in one.get("vulns", ())
    )
    return Answer(audited, not_audited, found)


def read_accepted(text: str) -> list[Accepted]:
    """The list of what is accepted.

    Raises:
        MistakeError: an entry lacks something, or has something else.
    """
    entries = []
    for one in tomllib.loads(text).get("accepted", []):
        if set(one) != {"id", "package", "reason", "until"} or not str(one["reason"]).strip():
            raise MistakeError(f"each entry has id, package, reason and until, and no more: {one}")
        if not isinstance(one["until"], date):
            raise MistakeError(f"until is a day, without quotes: {one}")
        entries.append(Accepted(one["id"], one["package"], one["reason"], one["until"]))
    return entries


def judge(answer: Answer, accepted: Sequence[Accepted], today: date) -> tuple[list[str], list[str]]:
    """What fails, and what is only to be told."""
    failing, told = [], []
    for one in answer.found:
        entry = next((e for e in accepted if e.package == one.package and e.vulnerability in one.names), None)
        if entry is None:
            failing.append(str(one))
        elif entry.until < today:
            failing.append(f"{one}: it was accepted until {entry.until} only")
        else:
            told.append(f"{one}: accepted until {entry.until}: {entry.reason}")
    known = {(one.package, name) for one in answer.found for name in one.names}
    failing += [
        f"{e.package}: {e.vulnerability} is accepted, and no longer known of it: take it off the list"
        for e in accepted
        if (e.package, e.vulnerability) not in known and e.package not in answer.not_audited
    ]
    return failing, told


def ask(requirements: Sequence[Path], service: Sequence[str]) -> Answer:
    """What a service knows of the packages in files of requirements.

    Raises:
        NotAuditedError: it does not answer.
        MistakeError: pip-audit cannot read the files.
    """
    files = [part for file in requirements for part in ("-r", str(file))]
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    try:
        answer = subprocess.run(  # noqa: S603 - our own tool
            [*command, "--format=json", *service, *files], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise NotAuditedError(f"no answer within {PATIENCE} seconds") from None
    if answer.stdout:
        return read_answer(answer.stdout)
    last = "".join(answer.stderr.strip().splitlines()[-1:])
    if unreachable := _UNREACHABLE.search(last):
        raise NotAuditedError(unreachable[1])
    raise MistakeError(f"pip-audit says: {last}")


def ask_any(requirements: Sequence[Path], osv_url: str | None) -> Answer:
    """What the first service knows that answers: the one named, or pip-audit's own and then OSV.

    Raises:
        NotAuditedError: none does.
    """
    named = [["--vulnerability-service=osv", f"--osv-url={osv_url}"]]
    reasons = []
    for service in named if osv_url else [[], ["--vulnerability-service=osv"]]:
        try:
            return ask(requirements, service)
        except NotAuditedError as error:
            reasons.append(str(error))
    raise NotAuditedError("; ".join(reasons))


def main(arguments: Sequence[str]) -> int:
    """Audits, tells, and returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("requirements", nargs="*", type=Path, default=sorted(ROOT.glob("requirements*.txt")))
    parser.add_argument("--osv-url", help="a service that answers as OSV does, such as a mirror in a closed network")
    parser.add_argument("--accepted", type=Path, default=ACCEPTED, help="the list of what is accepted")
    options = parser.parse_args(arguments)
    try:
        accepted = read_accepted(options.accepted.read_text(encoding="utf-8"))
        answer = ask_any(options.requirements, options.osv_url)
    except (MistakeError, tomllib.TOMLDecodeError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 1
    except NotAuditedError as error:
        print(
            f"NOT AUDITED: no service that knows vulnerabilities answers ({error}), so nothing is known of any package."
        )
        return 0
    failing, told = judge(answer, accepted, datetime.now(UTC).date())
    print("\n".join([*told, *(f"VULNERABLE: {one}" for one in failing)]), end="\n" if told or failing else "")
    if answer.not_audited:
        print(f"NOT AUDITED: {', '.join(sorted(answer.not_audited))}: the service does not know them.")
    print(f"{len(answer.audited)} packages audited, {len(failing)} findings.")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
