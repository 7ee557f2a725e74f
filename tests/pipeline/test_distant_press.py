"""What workers of other machines return is held against what this machine comes to. Threads play the workers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sealtool.distant_press import DistantPress
from sealtool.errors import RenderingError, UntrustworthyWorkersError
from sealtool.model import (
    CertificateId,
    CertificateOrder,
    PadesLevel,
    SealedPdf,
    UnsealedPdf,
    Verdict,
    Verification,
)
from sealtool.rendering.facts import specimen
from sealtool.workspace import Workspace
from sealtool.workspace.presses import distant_press, press_of
from tests.pipeline.conftest import PEOPLE, Folder, Outcome, Write, b1_by_test

pytestmark = pytest.mark.long

Lie = Callable[[Any], Any]


class Threads(ThreadPoolExecutor):
    """A worker that returns what it likes, and counts what it was asked."""

    places = 1

    def __init__(self, lie: Lie = lambda result: result) -> None:
        super().__init__(max_workers=1)
        self.lie = lie
        self.judged = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def perform() -> Any:
            result = fn(*args, **kwargs)
            self.judged += isinstance(result, Verification)
            return self.lie(result)

        return super().submit(perform)


class Stage:
    """A press between two machines, and files that it has sealed."""

    def __init__(self, workspace: Workspace, orders: list[CertificateOrder], sealed: list[SealedPdf]) -> None:
        self.orders, self.sealed = orders, sealed
        self.own, self.cluster = Threads(), Threads()
        press = distant_press(workspace, press_of(workspace, self.own)(), self.cluster)  # type: ignore[arg-type]
        assert isinstance(press, DistantPress)
        self.press = replace(press, draw=lambda: 0.5, own_checks=0.0)

    def judge(self, number: int) -> Verification:
        return asyncio.run(self.press.checked(self.orders[number], self.sealed[number]))

    def lay_out(self) -> UnsealedPdf:
        return asyncio.run(self.press.laid_out(self.orders[0]))


Made = tuple[Workspace, list[CertificateOrder], list[SealedPdf]]


@pytest.fixture(scope="module")
def made(quick_demo_folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = quick_demo_folder.copied_to(tmp_path_factory.mktemp("distant") / "work")
    workspace = folder.workspace
    orders = [
        replace(specimen(), certificate_id=CertificateId(f"N{number}"), issued_on=workspace.today())
        for number in range(3)
    ]
    press = press_of(workspace, ThreadPoolExecutor(1))()

    async def seal() -> list[SealedPdf]:
        sealer = press.sealing()
        await sealer.prepare()
        return [await sealer.seal(press.lay_out(order)) for order in orders]

    return workspace, orders, asyncio.run(seal())


@pytest.fixture
def stage(made: Made) -> Iterator[Stage]:
    stage = Stage(*made)
    with stage.own, stage.cluster:
        yield stage


def test_pages_that_both_come_to_are_sealed(stage: Stage) -> None:
    assert stage.lay_out() == stage.press.lay_out(stage.orders[0])


@pytest.mark.parametrize(
    "lie",
    [
        lambda pages: UnsealedPdf(pages.content.replace(b"%%EOF", b"%%EOG"), pages.pages),
        lambda pages: UnsealedPdf(pages.content, 1),
        lambda pages: pages.content,
        lambda _: None,
    ],
)
def test_other_pages_are_not_sealed(stage: Stage, lie: Lie) -> None:
    stage.cluster.lie = lie
    with pytest.raises(UntrustworthyWorkersError, match="certificate N0"):
        stage.lay_out()


def test_a_worker_that_makes_believe_that_a_certificate_cannot_be_laid_out_holds_up_nobody(stage: Stage) -> None:
    def lie(_: object) -> None:
        raise RenderingError("It does not fit.")

    stage.cluster.lie = lie
    with pytest.raises(UntrustworthyWorkersError, match="cannot be laid out"):
        stage.lay_out()


def test_a_judgement_is_believed_once_this_machine_has_come_to_the_same_of_another_file(stage: Stage) -> None:
    judgements = [stage.judge(number) for number in range(3)]
    assert [one.verdict for one in judgements] == [Verdict.PASSED] * 3
    assert (stage.cluster.judged, stage.own.judged) == (3, 1)


@pytest.mark.parametrize(("share", "times"), [(0.5, 1), (0.51, 3), (1.0, 3)])
def test_a_share_that_is_drawn_is_judged_here_as_well(stage: Stage, share: float, times: int) -> None:
    stage.press = replace(stage.press, own_checks=share)
    for number in range(3):
        stage.judge(number)
    assert stage.own.judged == times


def of_the_seal(**changes: Any) -> Lie:
    return lambda judgement: replace(judgement, seal=replace(judgement.seal, **changes))


@pytest.mark.parametrize(
    "lie",
    [
        lambda judgement: replace(judgement, verdict=Verdict.FAILED),
        lambda judgement: replace(judgement, sha256="0" * 64),
        lambda judgement: replace(judgement, size=7),
        lambda judgement: replace(judgement, pades_level=PadesLevel.B_LTA),
        lambda judgement: replace(judgement, provable_until=judgement.provable_until + timedelta(days=365)),
        lambda judgement: replace(judgement, sealed_at=judgement.sealed_at - timedelta(hours=1)),
        lambda judgement: replace(judgement, sealed_at="today"),
        lambda judgement: replace(judgement, verdict=["PASSED"]),
        lambda judgement: replace(judgement, reasons=[]),
        of_the_seal(issuer="CN=Somebody else"),
        of_the_seal(serial_number="1"),
        lambda judgement: replace(judgement, seal=None),
        lambda _: "PASSED",
    ],
)
def test_a_judgement_that_says_anything_new_is_made_again_here(stage: Stage, lie: Lie) -> None:
    stage.judge(0)
    stage.cluster.lie = lie
    with pytest.raises(UntrustworthyWorkersError, match="certificate N1"):
        stage.judge(1)
    assert stage.own.judged == 2


def test_a_false_pass_is_found_out_where_the_file_is_drawn(stage: Stage) -> None:
    passed = stage.judge(0)
    broken = SealedPdf(stage.sealed[1].content.replace(b"%%EOF", b"%%EOG", 1), 2)
    stage.cluster.lie = lambda judgement: replace(passed, sha256=judgement.sha256, size=judgement.size)
    stage.press = replace(stage.press, own_checks=0.51)
    with pytest.raises(UntrustworthyWorkersError):
        asyncio.run(stage.press.checked(stage.orders[1], broken))


# --- no cluster -------------------------------------------------------------------------------------


def issue_with(folder: Folder, write_registry: Write, address: str) -> Outcome:
    registry = write_registry(PEOPLE[:1], [b1_by_test(PEOPLE[0])])
    return folder.call("issue", "--level", "B1", "--registry", registry, "--cluster", address)


def test_without_the_library_the_message_says_how_to_get_it(
    quick_folder: Folder, write_registry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    outcome = issue_with(quick_folder, write_registry, "tcp://127.0.0.1:8786")
    assert outcome.code == 3
    assert "pip install 'sealtool[cluster]'" in outcome.err


def test_where_no_scheduler_answers_nothing_is_done_and_no_other_way_is_taken(
    quick_folder: Folder, write_registry: Write
) -> None:
    with quick_folder.configuration.open("a", encoding="utf-8") as file:
        file.write("\n[cluster]\ntimeout_seconds = 0.5\n")
    outcome = issue_with(quick_folder, write_registry, "tcp://127.0.0.1:1")
    assert outcome.code == 3
    assert "cannot be reached" in outcome.err
    assert not quick_folder.certificates


def test_names_do_not_travel_in_the_open(quick_folder: Folder, write_registry: Write) -> None:
    outcome = issue_with(quick_folder, write_registry, "tcp://dask.example:8786")
    assert outcome.code == 2
    assert "names and identity numbers travel there" in outcome.err


def test_local_means_no_cluster_whatever_the_configuration_says(quick_folder: Folder, write_registry: Write) -> None:
    with quick_folder.configuration.open("a", encoding="utf-8") as file:
        file.write('\n[cluster]\naddress = "tcp://127.0.0.1:1"\n')
    assert issue_with(quick_folder, write_registry, "local").code == 0
    assert len(quick_folder.certificates) == 1
    assert quick_folder.call("verify", quick_folder.path / "out", "--cluster", "local").code == 0
