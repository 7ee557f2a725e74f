"""What comes in from workers: plain data that becomes what is expected, or nothing."""

import importlib
import json
import os
import pickle
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sealtool.chambers import Cause, GivenUp
from sealtool.cluster import door
from sealtool.cluster.door import RefusedPickleError, guard, read
from sealtool.cluster.letters import Outcome, letter, letter_of_error, open_letter
from sealtool.errors import ConfigurationError, RenderingError, SealtoolError, UntrustworthyWorkersError
from sealtool.model import (
    PadesLevel,
    Reason,
    UnsealedPdf,
    Verdict,
    Verification,
)

VERIFICATION = Verification(
    sha256="ab" * 32,
    size=3,
    verdict=Verdict.FAILED,
    sub_indication="HASH_FAILURE",
    reasons=(Reason("HASH_DIFFERS", "Not that one."),),
    pades_level=PadesLevel.B_LTA,
    sealed_at=datetime(2026, 5, 1, 12, 30, tzinfo=UTC),
)
RESULTS = (UnsealedPdf, Verification, GivenUp)


@pytest.mark.parametrize(
    "value", [UnsealedPdf(bytes(range(256)), 2), VERIFICATION, GivenUp(Cause.TOO_COSTLY, "It took more than 60 s.")]
)
def test_a_result_comes_out_as_it_was_sent(value: Any) -> None:
    assert open_letter(letter(Outcome.DONE, value), RESULTS) == (Outcome.DONE, value)


def test_an_error_comes_out_with_its_kind_its_words_and_its_advice() -> None:
    outcome, error = open_letter(letter_of_error(RenderingError("It does not fit.", advice="Make room.")), RESULTS)
    assert (outcome, type(error)) == (Outcome.FAILED, RenderingError)
    assert (error.message, error.advice) == ("It does not fit.", "Make room.")


@pytest.mark.parametrize(
    "received",
    [
        None,
        7,
        b"",
        b"\xff",
        b"{}",
        UnsealedPdf(b"", 1),
        json.dumps(["DONE", "UnsealedPdf", "null"]).encode(),
        json.dumps(["DONE", "UnsealedPdf", '{"content": "AAAA"}']).encode(),
        json.dumps(["DONE", "UnsealedPdf", '{"content": "AAAA", "pages": "many"}']).encode(),
        json.dumps(["DONE", "SealedPdf", '{"content": "AAAA", "pages": 2}']).encode(),
        json.dumps(["DONE", "object", "{}"]).encode(),
        json.dumps(["FAILED", "SystemExit", '["now", ""]']).encode(),
        json.dumps(["FAILED", "ExitCode", '["now", ""]']).encode(),
        json.dumps(["FAILED", "RenderingError", '"now"']).encode(),
        json.dumps(["DIFFERS", "dict", '{"Python": {}}']).encode(),
        json.dumps(["WELL", "str", '""']).encode(),
    ],
)
def test_anything_else_is_an_affront(received: object) -> None:
    with pytest.raises(UntrustworthyWorkersError, match="no worker of sealtool sends") as affront:
        open_letter(received, RESULTS)
    assert affront.value.exit_code == 3


# --- the door ---------------------------------------------------------------------------------------


class Program:
    """A pickle that runs a program where it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"touch '{self.mark}'",))


class ChangeOfClass:
    """A pickle that changes a class of the domain: every certificate would have the content it says."""

    def __reduce__(self) -> tuple[object, ...]:
        return (_the_class, (), (None, {"content": b"forged"}))


def _the_class() -> type:
    return UnsealedPdf


def test_bytes_and_numbers_texts_and_collections_of_them_come_in() -> None:
    plain = {"a": [1, 2.5, None, True, ("b", b"c")], b"d": {"e": "f"}}
    for protocol in range(3, pickle.HIGHEST_PROTOCOL + 1):
        assert read(pickle.dumps(plain, protocol)) == plain


@pytest.mark.parametrize("thing", [VERIFICATION, SealtoolError("x"), KeyError("x"), PadesLevel, print, UnsealedPdf])
def test_no_class_and_no_function_comes_in_however_harmless(thing: object) -> None:
    with pytest.raises(RefusedPickleError):
        read(pickle.dumps(thing))


def test_no_program_runs_and_no_class_changes(tmp_path: Path) -> None:
    for hostile in (Program(tmp_path / "mark"), ChangeOfClass()):
        with pytest.raises(RefusedPickleError):
            read(pickle.dumps(hostile))
    assert not (tmp_path / "mark").exists()
    assert UnsealedPdf(b"true", 1).content == b"true"


def test_dask_reads_through_the_door_whichever_way_a_message_brings_a_pickle(tmp_path: Path) -> None:
    guard()
    from distributed import protocol  # noqa: PLC0415 - after the guard, as in a run
    from distributed.protocol.serialize import Serialize, ToPickle  # noqa: PLC0415

    for wrapped in (ToPickle(Program(tmp_path / "mark")), Serialize(Program(tmp_path / "mark"))):
        with pytest.raises(RefusedPickleError):
            protocol.loads(protocol.dumps({"message": wrapped}))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("place", ["distributed.protocol.core", "distributed.protocol.serialize", "distributed.client"])
def test_a_dask_that_reads_past_the_door_is_refused(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    guard()
    monkeypatch.setattr(door, "_put_in_place", lambda: None)
    from distributed.protocol import pickle as dask_pickle  # noqa: PLC0415 - after the guard, as in a run

    another_version = SimpleNamespace(loads=pickle.loads, dumps=dask_pickle.dumps)
    monkeypatch.setattr(importlib.import_module(place), "pickle", another_version)
    with pytest.raises(ConfigurationError, match="cannot guard"):
        guard()
