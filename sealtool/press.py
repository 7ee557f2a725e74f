"""From orders to sealed files that our own verifier has passed. Publishes nothing and knows no ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from sealtool.batches import in_batches
from sealtool.errors import RenderingError, SealtoolError, SelfCheckError
from sealtool.model import (
    CertificateId,
    CertificateOrder,
    CertifiedArea,
    CertifiedFacts,
    PadesLevel,
    Reason,
    SealedPdf,
    UnsealedPdf,
    Verdict,
    Verification,
)
from sealtool.workers import begin, call_in, result_of

T = TypeVar("T")

_TRIES_AT_MIDNIGHT: Final = 3
HOPELESS: Final = 10
"""Failures, with nothing made yet, after which the cause is not in the certificates."""


class Sealing(Protocol):
    """What the press needs of the sealing stage."""

    @property
    def certificate_sha256(self) -> str:
        """Whose seals these are: SHA-256 of the seal certificate (DER), in lower-case hexadecimal."""

    async def prepare(self) -> None:
        """Does all that may fail before the first document."""

    async def aclose(self) -> None:
        """Lets go of connections."""

    async def seal(self, pdf: UnsealedPdf) -> SealedPdf:
        """Applies the seal at the configured level, or raises."""

    async def seal_detached(self, content: bytes) -> bytes:
        """A detached CAdES seal over the content."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A sealed file and what our own verifier says of it."""

    order: CertificateOrder
    pdf: SealedPdf
    verification: Verification


SealedCertificate = tuple[SealedFile, ...]
"""All files of one certificate: one, or one for each language."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A certificate that could not be made; it stays pending."""

    certificate_id: CertificateId
    error: SealtoolError


@dataclass(frozen=True, slots=True)
class Press:
    """The stages between a decision and a checked, sealed file.

    Attributes:
        executor: where layout and checks run.
        lay_out: order -> pages; called in the executor, so it must be importable there.
        kind: order -> what makes its pages like those of others; who laid one out has less to do for the next.
        get_ready: order -> nothing; likewise. What takes time with the first certificate of a kind only.
        check: sealed bytes -> judgement; likewise.
        check_detached: content and its detached seal -> judgement.
        sealing: makes the sealer; called once, and only when there is something to seal.
        level: the level every seal must be verified to have.
        in_flight: how many certificates are worked on at a time.
        timezone: whose calendar the day of the seal is taken from, which is the day of issue.
    """

    executor: Executor
    lay_out: Callable[[CertificateOrder], UnsealedPdf]
    kind: Callable[[CertificateOrder], Hashable]
    get_ready: Callable[[CertificateOrder], object]
    check: Callable[[bytes], Verification]
    check_detached: Callable[[bytes, bytes], Verification]
    sealing: Callable[[], Sealing]
    level: PadesLevel
    in_flight: int
    timezone: ZoneInfo

    async def make(
        self,
        sealing: Sealing,
        certificates: Iterable[tuple[CertificateOrder, ...]],
        hand_on: Callable[[Sequence[SealedCertificate]], None],
        on_step: Callable[[str], None],
    ) -> list[Failure]:
        """Makes certificates, ``in_flight`` at a time, and hands them on in batches, whatever happens.

        Returns:
            The certificates that could not be made: what is wrong with one does not stop the others.

        Raises:
            SealtoolError: what stopped everything: the key, a service, or ten failures before the first success.
        """
        await sealing.prepare()
        failures: list[Failure] = []
        nothing_yet = True

        def sort(outcome: SealedCertificate | Failure) -> SealedCertificate | None:
            nonlocal nothing_yet
            if not isinstance(outcome, Failure):
                nothing_yet = False
                return outcome
            failures.append(outcome)
            if nothing_yet and len(failures) >= HOPELESS:
                raise failures[0].error
            return None

        work = (self._make_one(sealing, orders, on_step) for orders in certificates)
        await in_batches(work, self.in_flight, sort, hand_on)
        return failures

    @property
    def at_home(self) -> Executor:
        """What runs on this machine."""
        return self.executor

    def told(self, ask: Callable[..., T], *arguments: object) -> T:
        """What those say who lay out here."""
        return result_of(self.at_home, ask, *arguments)

    def expect(self, orders: Iterable[CertificateOrder]) -> None:
        """Has those who lay out here get ready for certificates like these, while the caller goes on."""
        for kind, order in {self.kind(order): order for order in orders}.items():
            begin(self.at_home, self.get_ready, order, near=kind)

    def let_go(self) -> None:
        """Begins to end what lays out here: all is made."""
        self.at_home.shutdown(wait=False, cancel_futures=True)

    async def seal_manifest(self, sealing: Sealing, content: bytes) -> bytes:
        """A detached seal over a manifest that our own verifier has passed.

        Raises:
            SelfCheckError: it did not pass.
        """
        seal = await sealing.seal_detached(content)
        verification = await asyncio.to_thread(self.check_detached, content, seal)
        if verification.verdict is not Verdict.PASSED:
            raise _refused("The seal of the manifest", verification.reasons)
        return seal

    async def laid_out(self, order: CertificateOrder) -> UnsealedPdf:
        """The pages of an order, fit to be sealed."""
        return await call_in(self.executor, self.lay_out, order, near=self.kind(order))

    async def checked(self, order: CertificateOrder, pdf: SealedPdf) -> Verification:
        """The judgement of a sealed file."""
        del order
        return await call_in(self.executor, self.check, pdf.content)

    async def _make_one(
        self, sealing: Sealing, orders: tuple[CertificateOrder, ...], on_step: Callable[[str], None]
    ) -> SealedCertificate | Failure:
        try:
            for _ in range(_TRIES_AT_MIDNIGHT):
                files = [await self._made(sealing, order, on_step) for order in orders]
                days = {self._day_of_seal(file.verification) for file in files}
                if days == {orders[0].issued_on}:
                    return tuple(files)
                # It became another day on the way, and what says the wrong one is thrown away.
                orders = tuple(replace(order, issued_on=max(days)) for order in orders)
        except (RenderingError, SelfCheckError) as error:
            return Failure(orders[0].certificate_id, error)
        reason = Reason("DAY_DIFFERS", "It was sealed on another day than it says, time and again; compare the clocks.")
        return Failure(orders[0].certificate_id, _refused(f"Certificate {orders[0].certificate_id}", [reason]))

    async def _made(self, sealing: Sealing, order: CertificateOrder, on_step: Callable[[str], None]) -> SealedFile:
        pages = await self.laid_out(order)
        on_step("certificate laid out")
        pdf = await sealing.seal(pages)
        on_step("certificate sealed")
        verification = await self.checked(order, pdf)
        on_step("certificate checked")
        insist(order, verification, self.level, sealing.certificate_sha256)
        return SealedFile(order, pdf, verification)

    def _day_of_seal(self, verification: Verification) -> date:
        if verification.sealed_at is None:
            raise _refused("A certificate", [Reason("NO_TIME", "Its seal names no time.")])
        return verification.sealed_at.astimezone(self.timezone).date()


def insist(order: CertificateOrder, verification: Verification, level: PadesLevel, certificate_sha256: str) -> None:
    """Our own strict verifier must pass what we are about to publish, and find in it what was ordered.

    Args:
        order: what was ordered.
        verification: of what was made.
        level: of the seal.
        certificate_sha256: of the certificate whose seal it must be.

    Raises:
        SelfCheckError: it does not.
    """
    decision = order.decision
    ordered = CertifiedFacts(
        certificate_id=order.certificate_id,
        level=decision.level,
        area=decision.area,
        person_id=decision.person.person_id,
        full_name=decision.person.full_name,
        accredited_on=decision.accredited_on.isoformat(),
        issued_on=order.issued_on.isoformat(),
        procedures=tuple(map(str, decision.procedures)),
        areas=tuple(map(CertifiedArea.of, decision.areas)),
        rules_version=decision.rules_version,
        replaces=order.replaces,
    )
    reasons = list(verification.reasons)
    if verification.verdict is Verdict.PASSED and verification.pades_level is not level:
        reasons.append(Reason("LEVEL_NOT_REACHED", f"The seal is {verification.pades_level}, not {level}."))
    if not reasons and (verification.seal is None or verification.seal.certificate_sha256 != certificate_sha256):
        reasons.append(Reason("SEAL_OF_ANOTHER", "The seal is not of the certificate that it was made with."))
    if not reasons and verification.certificate != ordered:
        reasons.append(Reason("RECORD_DIFFERS", "The record inside is not the one ordered."))
    if reasons or verification.verdict is not Verdict.PASSED:
        raise _refused(f"Certificate {order.certificate_id}", reasons)


def _refused(what: str, reasons: Iterable[Reason]) -> SelfCheckError:
    why = " ".join(f"{reason.code}: {reason.message}" for reason in reasons)
    return SelfCheckError(
        f"{what} did not pass our own verification and was not published. {why}",
        advice="Check the seal, time stamp and trust settings; it stays pending.",
    )
