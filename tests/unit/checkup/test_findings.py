"""How checks are carried out, and what their findings amount to."""

from __future__ import annotations

import pytest

from sealtool.checkup import Check, CheckUp, Finding, State, examine
from sealtool.checkup.findings import ok, warning
from sealtool.checkup.installation import Once
from sealtool.errors import ConfigurationError, ExitCode, LedgerError, SealKeyError, SealtoolError


def fine() -> Finding:
    return ok("fine", "All is well.")


def doubtful() -> Finding:
    return warning("doubtful", "Look at it.", "Do something.")


def raising(error: Exception) -> Check:
    def look() -> Finding:
        raise error

    return Check("broken", look)


def examined(*checks: Check, offline: bool = False) -> CheckUp:
    return examine(checks, offline=offline)


def test_an_error_of_a_check_is_its_finding_and_stops_no_other() -> None:
    found = examined(raising(LedgerError("It is gone.", advice="Find it.")), Check("fine", fine))

    first, second = found.findings
    assert first == Finding("broken", State.PROBLEM, "It is gone.", "Find it.", ExitCode.LEDGER)
    assert second.state is State.OK


def test_a_fault_of_a_check_itself_stops_no_other_either() -> None:
    found = examined(raising(RuntimeError("oops")), Check("fine", fine))

    assert [one.state for one in found.findings] == [State.PROBLEM, State.OK]
    assert "RuntimeError" in found.findings[0].message
    assert found.exit_code is ExitCode.BUG


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([Check("fine", fine)], ExitCode.DONE),
        ([Check("fine", fine), Check("doubtful", doubtful)], ExitCode.NEEDS_HUMAN),
        ([raising(SealKeyError("a"))], ExitCode.SEAL_KEY),
        ([raising(SealKeyError("a")), raising(SealKeyError("b")), Check("doubtful", doubtful)], ExitCode.SEAL_KEY),
        ([raising(SealKeyError("a")), raising(ConfigurationError("b"))], ExitCode.NEEDS_HUMAN),
        ([], ExitCode.DONE),
    ],
    ids=["well", "a warning", "a problem", "problems of one kind", "problems of two kinds", "nothing"],
)
def test_the_exit_code_is_that_of_issue_where_the_cause_is_clear(checks: list[Check], code: ExitCode) -> None:
    assert examined(*checks).exit_code is code


def test_what_asks_services_is_left_out_offline_and_named_once() -> None:
    asking = Check("asking", doubtful, asks_services=True)

    found = examined(asking, Check("fine", fine), asking, offline=True)

    assert [one.name for one in found.findings] == ["fine"]
    assert found.left_out == ("asking",)
    assert found.exit_code is ExitCode.DONE
    assert examined(asking, Check("fine", fine)).left_out == ()


def test_a_key_that_could_not_be_loaded_is_not_tried_again() -> None:
    tries = []

    def load() -> str:
        tries.append(1)
        raise SealKeyError("Wrong PIN.")

    key = Once(load)

    for _ in range(3):
        with pytest.raises(SealtoolError, match="Wrong PIN"):
            key()
    assert key.or_none() is None
    assert len(tries) == 1


def test_a_key_is_loaded_once() -> None:
    tries = []
    key = Once(lambda: tries.append(1) or "key")

    assert [key(), key(), key.or_none()] == ["key", "key", "key"]
    assert len(tries) == 1
