"""What is found wrong while reading, and whom it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sealtool.model import Problem

_SHOWN_LENGTH: Final = 80


def shown(value: str, *, limit: int = _SHOWN_LENGTH) -> str:
    """A value as it may stand in a message: at most ``limit`` characters of it, nothing unprintable.

    A registry can hold anything, also sequences that steer a terminal or turn the writing direction.
    """
    cut = value[:limit]
    plain = "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii") for mark in cut)
    return plain if len(value) <= limit else f"{plain}…"


class Findings:
    """Collects problems and warnings in any order, and puts them in theirs at the end."""

    def __init__(self) -> None:
        self._rejected: list[tuple[Problem, tuple[str, ...]]] = []
        self._warnings: list[Problem] = []

    def reject(self, problem: Problem, held: Iterable[str]) -> None:
        """Note a problem and everybody whom it holds."""
        self._rejected.append((problem, tuple(held)))

    def warn(self, warning: Problem) -> None:
        """Note something that leaves no doubt."""
        self._warnings.append(warning)

    def problems(self) -> tuple[Problem, ...]:
        """All problems, by file, line and column."""
        return tuple(problem for problem, _ in self._in_order())

    def warnings(self) -> tuple[Problem, ...]:
        """All warnings, by file, line and column."""
        return tuple(sorted(self._warnings, key=_place))

    def held(self) -> Mapping[str, tuple[int, ...]]:
        """Everybody held, in order of id, with the positions of their problems in :meth:`problems`."""
        held: dict[str, dict[int, None]] = {}
        for position, (_, names) in enumerate(self._in_order()):
            for name in names:
                held.setdefault(name, {})[position] = None
        return {name: tuple(held[name]) for name in sorted(held)}

    def _in_order(self) -> list[tuple[Problem, tuple[str, ...]]]:
        self._rejected.sort(key=lambda entry: _place(entry[0]))
        return self._rejected


def _place(problem: Problem) -> tuple[str, int, str, str, str]:
    return (problem.file, problem.line, problem.column, problem.value, problem.message)
