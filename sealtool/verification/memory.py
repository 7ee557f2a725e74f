"""When memory runs out."""

from __future__ import annotations

import gc


def out_of_memory() -> MemoryError:
    """The error to be raised once the one that told of it has been let go of.

    It is of this process and says nothing of the file. The first one holds on to all that filled the memory, and so
    there is none for what has to happen next: an event loop that cannot even note how its work ended waits for ever.

    Call it outside of the ``except`` block.
    """
    gc.collect()
    return MemoryError()
