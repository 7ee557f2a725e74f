"""The press with workers on other machines, which are not believed.

Whoever controls a worker, or the scheduler, can return anything. The seal makes a legal act of it. So:

- Before a page is sealed, this machine lays it out as well, and the two must be the same to the byte. Certificates of
  one kind are laid out once (ADR 0013), so this costs what any other proof would, and leaves nothing open.
- What a worker says of a sealed file counts only where this machine has seen the same: every judgement that is no pass,
  or says of the seal what no judgement of this machine has said yet, is made again here, and so is a share of all
  others, which nobody can foresee.

One contradiction stops the run. What was published until then was proved like everything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sealtool.errors import RenderingError, UntrustworthyWorkersError
from sealtool.model import CertificateOrder, SealedPdf, UnsealedPdf, Verdict, Verification
from sealtool.press import Press
from sealtool.workers import call_in

_JUST_NOW: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class DistantPress(Press):
    """A press whose ``executor`` is on other machines.

    Attributes:
        own: processes of this machine.
        judge: moment, sealed bytes, expected SHA-256 -> judgement; the clock of a worker does not count.
        now: the clock of this machine.
        own_checks: the share of judgements that are made here as well, 0 to 1.
        draw: a number from 0 up to 1, which nobody can foresee.
    """

    own: Executor
    judge: Callable[[datetime, bytes, str | None], Verification]
    now: Callable[[], datetime]
    own_checks: float
    draw: Callable[[], float]
    _seen: set[Verification] = field(default_factory=set)

    @property
    def at_home(self) -> Executor:
        """The processes of this machine, the only ones that are believed."""
        return self.own

    async def laid_out(self, order: CertificateOrder) -> UnsealedPdf:
        """The pages that both came to.

        Raises:
            RenderingError: this machine cannot lay it out.
            UntrustworthyWorkersError: the worker came to something else.
        """
        pages = await call_in(self.own, self.lay_out, order, near=self.kind(order))
        try:
            theirs = await call_in(self.executor, self.lay_out, order)
        except RenderingError as error:
            raise _contradiction(order, f"says that it cannot be laid out: {error.message}") from error
        if theirs != pages:
            raise _contradiction(order, "laid it out as something else than it is")
        return pages

    async def checked(self, order: CertificateOrder, pdf: SealedPdf) -> Verification:
        """A judgement that this machine can stand for.

        Raises:
            UntrustworthyWorkersError: the worker came to something else.
        """
        at = self.now()
        theirs = await call_in(self.executor, self.judge, at, pdf.content, None)
        if _is_about(theirs, pdf) and self._is_familiar(theirs, at) and self.draw() >= self.own_checks:
            return theirs
        verification = await call_in(self.own, self.judge, at, pdf.content, None)
        if theirs != verification:
            raise _contradiction(order, "judged it as something else than it is")
        self._seen.add(_constant(verification))
        return verification

    def _is_familiar(self, theirs: Verification, at: datetime) -> bool:
        """Whether it is a pass that says nothing of the seal but what this machine has said, and that of just now."""
        try:
            is_known = theirs.verdict is Verdict.PASSED and _constant(theirs) in self._seen
            return is_known and all(abs(at - moment) <= _JUST_NOW for moment in _moments(theirs))
        except (AttributeError, TypeError):  # parts of it are not what they should be: it is judged here
            return False


def _is_about(theirs: object, pdf: SealedPdf) -> bool:
    """Whether it is a judgement of this very file."""
    digest = hashlib.sha256(pdf.content).hexdigest()
    return isinstance(theirs, Verification) and (theirs.sha256, theirs.size) == (digest, len(pdf.content))


def _constant(verification: Verification) -> Verification:
    """What does not change from file to file; the record is compared with the order, whoever read it."""
    seal = verification.seal
    return replace(
        verification,
        sha256="",
        size=0,
        sealed_at=None,
        seal=None if seal is None else replace(seal, signing_time=None, time_stamp_at=None),
        certificate=None,
        evidence=None,
    )


def _moments(verification: Verification) -> list[datetime]:
    seal = verification.seal
    found = [verification.sealed_at, *(() if seal is None else (seal.signing_time, seal.time_stamp_at))]
    return [moment for moment in found if moment is not None]


def _contradiction(order: CertificateOrder, what: str) -> UntrustworthyWorkersError:
    return UntrustworthyWorkersError(
        f"A worker of the cluster {what}: certificate {order.certificate_id}. It was not published, and nothing "
        "more is sealed.",
        advice="Find out which worker it is (start them one at a time) and who runs programs there. With --cluster "
        "local the next run goes on without them.",
    )
