"""Judges that misbehave on files that ask for it, and judge all others as they should. Processes import them."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sealtool.model import Verification


@dataclass(frozen=True)
class MisbehavingJudge:
    """Picklable, unlike a function inside a test.

    Attributes:
        sound: judges what does not begin with the name of a misdeed.
        diary: where each call leaves a line: process, and how the file begins.
    """

    sound: object
    diary: Path

    def __call__(self, content: bytes, expected: str | bytes | None) -> Verification:
        with self.diary.open("a", encoding="utf-8") as diary:
            diary.write(json.dumps([os.getpid(), content[:20].decode("latin-1")]) + "\n")
        misdeed = MISDEEDS.get(content.partition(b"\n")[0].decode("latin-1"))
        if misdeed is not None:
            misdeed()
        verification: Verification = self.sound(content, expected)  # type: ignore[operator]
        return verification

    def entries(self) -> list[tuple[int, str]]:
        lines = self.diary.read_text(encoding="utf-8").splitlines()
        return [(number, begins) for number, begins in map(json.loads, lines)]


def compute_for_ever() -> NoReturn:
    while True:
        pass


def wait_for_ever() -> NoReturn:
    while True:
        time.sleep(1000)


def refuse_to_end() -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait_for_ever()


def eat_memory() -> NoReturn:
    eaten = []
    while True:
        eaten.append(bytearray(1 << 24))


def eat_crumbs() -> NoReturn:
    """Until there is not even room for words to say so."""
    eaten: object = None
    while True:
        eaten = (eaten,)


def eat_everything_and_wait() -> NoReturn:
    eaten: list[bytearray] = []
    size = 1 << 24
    while size:
        try:
            eaten.append(bytearray(size))
        except MemoryError:
            size >>= 1
    wait_for_ever()


def break_down() -> None:
    ctypes.string_at(0)


def be_ended_by_the_system() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(3)


def recurse() -> None:
    recurse()


def raise_something() -> NoReturn:
    raise ZeroDivisionError


MISDEEDS = {
    "%COMPUTE": compute_for_ever,
    "%WAIT": wait_for_ever,
    "%REFUSE": refuse_to_end,
    "%EAT": eat_memory,
    "%CRUMBS": eat_crumbs,
    "%STARVE": eat_everything_and_wait,
    "%BREAK": break_down,
    "%KILLED": be_ended_by_the_system,
    "%LEAVE": leave,
    "%RECURSE": recurse,
    "%RAISE": raise_something,
}
