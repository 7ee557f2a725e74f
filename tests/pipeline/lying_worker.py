"""Preloaded by a Dask worker, which then lies about what it lays out or judges, or sends a program instead.

Which lie it is, an environment variable says: the worker itself looks like any other.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import Any

from sealtool.model import CertificateOrder, Level, UnsealedPdf, Verification
from sealtool.rendering import RenderingOptions
from sealtool.workspace import tasks

# Dask may load this twice
_lay_out, _judge = vars(tasks).setdefault("honest", (tasks.lay_out, tasks.judge_certificate))
_LIE = os.environ.get("SEALTOOL_TEST_LIE", "")


def lay_out(options: RenderingOptions, order: CertificateOrder) -> UnsealedPdf:
    if _LIE == "level":
        return _lay_out(options, replace(order, decision=replace(order.decision, level=Level.C1)))
    if _LIE == "program":
        return _Program()  # type: ignore[return-value]
    return _lay_out(options, order)


def judge(trust: Any, now: datetime, content: bytes, sha256: str | None) -> Verification:
    verification = _judge(trust, now, content, sha256)
    if _LIE == "issuer" and verification.seal is not None:
        return replace(verification, seal=replace(verification.seal, issuer="CN=Somebody else"))
    if _LIE == "content":
        return replace(verification, sha256="00" * 32)
    return verification


class _Program:
    """What a worker would send that wants to run a program on the host."""

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"touch {os.environ['SEALTOOL_TEST_MARK']}",))


tasks.lay_out = lay_out
tasks.judge_certificate = judge

if _LIE == "program":
    from sealtool.cluster import labour

    honest_letter = vars(labour).setdefault("honest", labour.letter)

    def letter(outcome: Any, value: Any = "") -> Any:
        return value if isinstance(value, _Program) else honest_letter(outcome, value)

    labour.letter = letter
