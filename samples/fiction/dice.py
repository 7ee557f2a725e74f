"""Seeded chance. Everything is derived from ``random()``, whose sequence Python keeps from version to version."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Dice:
    """A source of chance whose results depend on the seed alone."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, all alike."""
        return choices[int(self.random() * len(choices))]

    def some(self, choices: Sequence[T], count: int) -> list[T]:
        """``count`` different choices, or all there are, in random order."""
        left = list(choices)
        return [left.pop(int(self.random() * len(left))) for _ in range(min(count, len(left)))]

    def rounded(self, value: float) -> int:
        """A whole number whose mean is ``value``."""
        whole = int(value)
        return whole + self.chance(value - whole)


class Urn(Generic[T]):
    """Things drawn again and again, each with its own weight."""

    def __init__(self, weighted: Sequence[tuple[T, float]]) -> None:
        self._things = [thing for thing, _ in weighted]
        self._bounds = list(accumulate(weight for _, weight in weighted))

    def draw(self, dice: Dice) -> T:
        """One thing, put back afterwards."""
        return self._things[bisect_right(self._bounds, dice.random() * self._bounds[-1])]
