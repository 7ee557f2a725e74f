"""However an audit on other machines ends, its processes there end with it, and its own error is what is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from sealtool.auditing.audit import Auditing, Judges
from sealtool.auditing.elsewhere import Distance, leave_chambers
from sealtool.auditing.manifests import JudgeSeal
from sealtool.errors import UntrustworthyWorkersError, WorkerLostError
from sealtool.model import Verification
from tests.unit.reporting.examples import passed


def judge(content: bytes, sha256: str | None) -> Verification:
    """Finds nothing wrong with whatever it is given."""
    del sha256
    digest = hashlib.sha256(content).hexdigest()
    return replace(passed().verification, sha256=digest, size=len(content), certificate=None)


def about_something_else(content: bytes, sha256: str | None) -> Verification:
    return judge(content + b"!", sha256)


def lost(content: bytes, sha256: str | None) -> Verification:
    raise WorkerLostError("The cluster was lost.", advice="Look after it.")


@dataclass
class Workers:
    """What workers are told, in order; they judge at once, and their own way."""

    judge: Callable[[bytes, str | None], Verification]
    places: int = 1
    told: list[object] = field(default_factory=list)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        del fn, kwargs
        self.told.append("judge")
        future: Future[Any] = Future()
        try:
            future.set_result(self.judge(*args))
        except WorkerLostError as error:
            future.set_exception(error)
        return future

    def everywhere(self, function: Callable[[], object]) -> None:
        self.told.append(function)


def no_seal(*_: object) -> Any:
    raise AssertionError("there is no manifest")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [tmp_path / f"{number}.pdf" for number in range(20)]
    for path in found:
        path.write_bytes(path.name.encode())
    return found


def audit(workers: Workers, files: list[Path], **options: Any) -> None:
    seal: JudgeSeal = no_seal
    distance = Distance(workers, 0.0, lambda numbers, count: list(numbers)[:count])
    Auditing(Judges(judge, seal), distance=distance, **options).run(files)


def test_an_audit_that_went_well_leaves_nothing_behind(files: list[Path]) -> None:
    workers = Workers(judge)
    audit(workers, files)
    assert workers.told == ["judge"] * len(files) + [leave_chambers]


@pytest.mark.parametrize(
    ("theirs", "error"), [(about_something_else, UntrustworthyWorkersError), (lost, WorkerLostError)]
)
def test_an_audit_that_failed_leaves_nothing_behind_either(
    files: list[Path], theirs: Callable[[bytes, str | None], Verification], error: type[Exception]
) -> None:
    workers = Workers(theirs)
    with pytest.raises(error):
        audit(workers, files)
    assert workers.told.count(leave_chambers) == 1
    assert workers.told[-1] is leave_chambers  # when no call is on its way any more


def test_an_audit_that_is_given_up_in_between_leaves_nothing_behind_either(files: list[Path]) -> None:
    workers = Workers(judge)

    def give_up(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(workers, files, on_progress=give_up)
    assert workers.told[-1] is leave_chambers
