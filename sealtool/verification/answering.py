"""Every input is answered with a verdict: whatever bad bytes raise out of the libraries is a finding."""

from __future__ import annotations

import gc
from collections.abc import Awaitable
from typing import TypeVar

from sealtool.verification.reasons import Findings, Objection, ReasonCode

T = TypeVar("T")


async def answered(steps: Awaitable[T], findings: Findings) -> T | None:
    """What the steps of a judgement come to; None where they broke off, and ``findings`` tell why.

    Raises:
        MemoryError: there is not enough of it.
    """
    ran_out = False
    try:
        return await steps
    except Objection as objection:
        findings.add(objection)
    except (MemoryError, SystemError):
        ran_out = True
    except RecursionError:
        findings.add(Objection(ReasonCode.TOO_COSTLY, "It is nested too deeply."))
    except Exception as error:  # noqa: BLE001 - broken files raise anything out of the libraries; all is a verdict
        findings.add(Objection(ReasonCode.UNREADABLE, f"({type(error).__name__})"))
    if ran_out:
        raise _out_of_memory()
    return None


def _out_of_memory() -> MemoryError:
    """The error to be raised once the one that told of it has been let go of.

    It is of this process and says nothing of the file. The first one holds on to all that filled the memory, and so
    there is none for what has to happen next: an event loop that cannot even note how its work ended waits for ever.

    Call it outside of the ``except`` block.
    """
    gc.collect()
    return MemoryError()
