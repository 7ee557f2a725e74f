import os
import resource
import subprocess
import sys

import pytest

from sealtool.privacy import is_open_to_others

ROOT, OFFICE, STRANGER = 0, 1000, 1001


def status(mode: int, owner: int) -> os.stat_result:
    return os.stat_result((0o100000 | mode, 0, 0, 1, owner, 0, 0, 0, 0, 0))


@pytest.mark.parametrize("owner", [ROOT, OFFICE, STRANGER])
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_what_its_owner_alone_can_touch_is_private(mode: int, owner: int) -> None:
    assert not is_open_to_others(status(mode, owner), user=OFFICE)


@pytest.mark.parametrize("right", [0o020, 0o010, 0o004, 0o002, 0o001])
@pytest.mark.parametrize("owner", [ROOT, OFFICE, STRANGER])
def test_any_other_right_of_anybody_else_opens_it(right: int, owner: int) -> None:
    assert is_open_to_others(status(0o600 | right, owner), user=OFFICE)


@pytest.mark.parametrize(
    ("owner", "user", "is_open"), [(ROOT, OFFICE, False), (OFFICE, OFFICE, True), (ROOT, ROOT, True)]
)
def test_a_group_may_read_what_root_hands_to_a_service(owner: int, user: int, is_open: bool) -> None:
    assert is_open_to_others(status(0o640, owner), user=user) is is_open


def test_the_program_and_what_it_starts_leave_no_core_dumps_on_disk_or_for_a_handler() -> None:
    after = "import atexit, resource; atexit.register(lambda: print(resource.getrlimit(resource.RLIMIT_CORE)))"
    run = "import sys; sys.argv[1:] = ['--version']; from sealtool.cli import run; run()"
    _, most = resource.getrlimit(resource.RLIMIT_CORE)

    shown = subprocess.run(
        [sys.executable, "-c", f"{after}; {run}"],
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (most, most)),
    ).stdout.splitlines()

    assert shown[-1] in {"(1, 1)", "(0, 0)"}
    assert most == 0 or shown[-1] == "(1, 1)"
