"""The judges that are written in Java: made ready by Maven once, then run, many files in one go each."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

_PROJECTS = Path(__file__).parent / "judges"
_PATIENCE_SECONDS = 900
"""For the first download of the libraries; afterwards Maven is not even started."""


def require(*programs: str) -> None:
    """Skips, loudly, where a judge cannot be heard."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"NOT JUDGED: {', '.join(missing)} not installed (see docs/interop.md)")


def made_ready(name: str) -> Path:
    """The ``target`` folder of a Maven project, built if its sources are newer."""
    require("java", "javac", "mvn")
    project = _PROJECTS / name
    target = project / "target"
    target.mkdir(exist_ok=True)
    with (target / "lock").open("w") as lock:  # test processes side by side build once
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = target / "made-ready"
        newest = max(path.stat().st_mtime for path in [project / "pom.xml", *project.rglob("src/**/*.java")])
        if not done.exists() or done.stat().st_mtime < newest:
            shutil.rmtree(target / "libraries", ignore_errors=True)  # of another version
            _build(project)
            done.touch()
    return target


def _build(project: Path) -> None:
    command = ["mvn", "--quiet", "--batch-mode", "process-classes"]
    offline = subprocess.run([*command, "--offline"], cwd=project, capture_output=True, check=False)
    if offline.returncode == 0:
        return
    online = subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
    )
    assert online.returncode == 0, f"Maven could not make {project.name} ready:\n{online.stdout[-4000:]}"


@dataclass(frozen=True)
class Task:
    """One file for DSS.

    Attributes:
        path: the sealed file, or the detached seal.
        alone: whether it has to bring its own revocation data; otherwise DSS is handed the lists.
        content: what a detached seal is of.
        at: the moment of judgement; None for now.
    """

    path: Path
    alone: bool
    content: Path | None = None
    at: datetime | None = None

    @property
    def line(self) -> str:
        moment = "" if self.at is None else f"@{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        parts = [f"{'alone' if self.alone else 'lists'}{moment}", str(self.path)]
        return "\t".join(parts if self.content is None else [*parts, str(self.content)])


@dataclass(frozen=True)
class DssVerdict:
    """What DSS says of one file.

    Attributes:
        indication: of the seal, with its sub-indication, if there is one.
        level: as DSS names it.
        signatures: how many it found, time stamps not counted.
        whole: whether the last of seal and document time stamps covers the file to its last byte.
        stamps: indications of all time stamps.
        errors: of the seal and its time stamps.
        warnings: likewise.
    """

    indication: str
    level: str
    signatures: int
    whole: bool
    stamps: tuple[str, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def ask_dss(anchor: Path, lists: Sequence[Path], tasks: Sequence[Task], folder: Path) -> list[DssVerdict]:
    """One JVM for all the tasks; the answers in their order."""
    target = made_ready("dss")
    answer = subprocess.run(
        [
            "java",
            f"-Djava.io.tmpdir={folder}",
            f"-Duser.home={folder}",
            "-classpath",
            os.pathsep.join((str(target / "classes"), str(target / "libraries" / "*"))),
            "sealtool.interop.Judge",
            str(anchor),
            *map(str, lists),
        ],
        input="".join(f"{task.line}\n" for task in tasks),
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    verdicts = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [one["path"] for one in verdicts] == [str(task.path) for task in tasks]
    return [_understood(one) for one in verdicts]


def _understood(answer: dict[str, Any]) -> DssVerdict:
    signatures = answer["signatures"]
    if not signatures:
        return DssVerdict("REFUSED", "", 0, whole=False, stamps=(), errors=(answer["refusal"] or "no signature found",))
    seal, stamps = signatures[0], signatures[0]["timestamps"]
    return DssVerdict(
        indication="/".join(filter(None, (seal["indication"], seal["sub_indication"]))),
        level=seal["level"],
        signatures=len(signatures),
        whole=any("FULL" in one["scopes"] for one in (seal, *stamps)),
        stamps=tuple(stamp["indication"] for stamp in stamps),
        errors=tuple(error for one in (seal, *stamps) for error in one["errors"]),
        warnings=tuple(warning for one in (seal, *stamps) for warning in one["warnings"]),
    )


def ask_verapdf(flavour: str, files: Iterable[Path], folder: Path) -> dict[Path, list[str]]:
    """The rules that each file breaks, as veraPDF numbers them, with their words; empty for a file that complies."""
    libraries = made_ready("verapdf") / "libraries"
    # the first jar holds the others, too, and in the versions that belong together
    (program,) = libraries.glob("greenfield-apps-*.jar")
    answer = subprocess.run(
        [
            "java",
            f"-Djava.io.tmpdir={folder}",
            f"-Duser.home={folder}",
            "-classpath",
            os.pathsep.join((str(program), str(libraries / "*"))),
            "org.verapdf.apps.GreenfieldCliWrapper",
            *("--flavour", flavour, "--format", "json", "--maxfailuresdisplayed", "1"),
            *map(str, files),
        ],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        check=False,
    )
    assert answer.returncode in {0, 1}, answer.stderr  # 1: not all comply
    return {Path(job["itemDetails"]["name"]): _broken_rules(job) for job in json.loads(answer.stdout)["report"]["jobs"]}


def _broken_rules(job: dict[str, Any]) -> list[str]:
    (result,) = job["validationResult"]
    rules = [
        f"{rule['clause']}-{rule['testNumber']}: {rule['description']}" for rule in result["details"]["ruleSummaries"]
    ]
    assert result["compliant"] == (not rules)
    return sorted(rules)
