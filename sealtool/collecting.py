"""When Python looks for cycles among objects. Most of what is made here has none, or stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_COLLECTED_AFTER: Final = 20_000


def collect_seldom() -> None:
    """For the whole of a process: so many new objects are there before the collector looks.

    With Python's default of 700 it goes through modules again and again while they load, and takes a tenth of a
    worker's time.
    """
    gc.set_threshold(_COLLECTED_AFTER)


@contextmanager
def values_that_stay() -> Iterator[None]:
    """For the making of millions of values that stay: the collector would go through all of them again and again in
    search of cycles, of which there are none, and take a third of the time. Can be nested.

    What there is at the end is set apart from the collector, until the next values are made.
    """
    was_on = gc.isenabled()
    gc.disable()
    gc.unfreeze()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.enable()
