"""What every run has in common that changes the ledger: it is begun, settles what earlier runs left, and is ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sealtool.continuity import insist_on_continuity
from sealtool.errors import LedgerError, OutputError, SealtoolError, words_for_logs
from sealtool.identifiers import RandomBytes, new_run_id, start_of_run
from sealtool.ledger import Ledger, LedgerDocument, RunFacts, RunState
from sealtool.model import CertificateId, RunId
from sealtool.publishing import OutputFolder, folders_of_a_run, manifest_path, unexpected_file

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far the clock may be behind the ledger."""


class RunEvent(StrEnum):
    """What a run tells of itself while it goes on. The words are those of the log."""

    RUN_BEGUN = "run_begun"
    LEFTOVERS_SETTLED = "leftovers_settled"
    CERTIFICATE_RECOVERED = "certificate_recovered"
    CERTIFICATE_ISSUED = "certificate_issued"
    CERTIFICATE_SUPERSEDED = "certificate_superseded"
    CERTIFICATE_REVOKED = "certificate_revoked"
    CERTIFICATE_FAILED = "certificate_failed"
    DOCUMENT_RENEWED = "document_renewed"
    DOCUMENT_REFUSED = "document_refused"
    COPY_EXTENDED = "copy_extended"
    COPY_REFUSED = "copy_refused"
    MANIFEST_WRITTEN = "manifest_written"
    RUN_ENDED = "run_ended"


@dataclass(frozen=True, slots=True)
class Edge:
    """Clock, randomness and progress: what the world outside tells a run, and is told by it.

    Attributes:
        now: the present moment, aware.
        timezone: whose calendar the day of issue is taken from.
        random_bytes: a cryptographically strong source.
        on_step: told the name of each step when it is done; the crash tests stop there.
        on_progress: told how many certificates are finished, and of how many.
        on_event: told what happened, with facts about it, for the log: neither names anybody.
    """

    now: Callable[[], datetime]
    timezone: ZoneInfo
    random_bytes: RandomBytes
    on_step: Callable[[str], None] = lambda _: None
    on_progress: Callable[[int, int], None] = lambda _done, _total: None
    on_event: Callable[[RunEvent, Mapping[str, Any]], None] = lambda _event, _facts: None

    def tell(self, event: RunEvent, **facts: Any) -> None:
        """Tells the log."""
        self.on_event(event, facts)

    def today(self) -> date:
        """The day it is where the organisation is."""
        return self.now().astimezone(self.timezone).date()


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the work that earlier runs left undone."""

    issued: tuple[CertificateId, ...] = ()
    """Published by a run that was stopped before it could say so."""
    renewed: tuple[str, ...] = ()
    """Paths of documents renewed by such a run."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The ledger and the output folder in the course of one run. Construct it inside ``ledger.exclusive()``."""

    ledger: Ledger
    output: OutputFolder
    edge: Edge

    def new_run_id(self) -> RunId:
        """An id behind those of all earlier runs, also within their second: by it the newest manifest is known."""
        now, newest = self.edge.now(), self.ledger.newest_run_id()
        if newest is not None:
            now = max(now.astimezone(UTC), start_of_run(newest) + timedelta(seconds=1))
        return new_run_id(now, self.edge.random_bytes)

    @contextlib.contextmanager
    def run(self, run_id: RunId, facts: RunFacts, counts: Callable[[], Mapping[str, int]]) -> Iterator[Settled]:
        """Records a run around the block, in which its work is done, and tells what was settled before.

        Raises:
            SealtoolError: ledger and output folder do not belong together, or cannot be used.
        """
        with self.output.held():
            insist_on_continuity(self.ledger, self.output)
            _insist_on_the_clock(self.ledger, self.edge.now())
            self.output.prepare(*folders_of_a_run(self.edge.today()))
            self.output.remove_leftovers()
            self.ledger.begin_run(run_id, facts, at=self.edge.now())
            self.edge.on_step("run begun")
            self.edge.tell(RunEvent.RUN_BEGUN, run_id=run_id, asked_for=facts.command)
            try:
                with _saying_what_is_left():
                    yield self._settle(run_id)
            except BaseException as error:
                state = RunState.INTERRUPTED if isinstance(error, KeyboardInterrupt) else RunState.FAILED
                message = "" if state is RunState.INTERRUPTED else words_for_logs(error)
                with contextlib.suppress(SealtoolError):  # what stopped the run is the news, not what follows from it
                    self.ledger.end_run(run_id, state, counts(), at=self.edge.now(), message=message)
                self.edge.tell(RunEvent.RUN_ENDED, state=str(state), counts=dict(counts()))
                raise
            self.ledger.end_run(run_id, RunState.FINISHED, counts(), at=self.edge.now())
            self.edge.on_step("run ended")
            self.edge.tell(RunEvent.RUN_ENDED, state=str(RunState.FINISHED), counts=dict(counts()))

    def settle_renewed(self, run_id: RunId) -> tuple[str, ...]:
        """Finds out which renewed files have taken the places of those before them."""
        renewed: list[str] = []
        dropped: list[str] = []
        for pending in self.ledger.pending_renewals():
            # A file that is gone is missing, as it would be without the renewal: `status` says so.
            if self.output.sha256(pending.path) in {None, pending.replaces}:
                dropped.append(pending.path)
            elif self._is_published(pending.path, pending.sha256):
                renewed.append(pending.path)
        self.ledger.confirm_renewals(run_id, renewed, at=self.edge.now())
        self.ledger.drop_renewals(run_id, dropped, at=self.edge.now())
        return tuple(renewed)

    def _settle(self, run_id: RunId) -> Settled:
        settled = Settled(self._settle_issued(run_id), self.settle_renewed(run_id))
        self._settle_manifests()
        self.edge.on_step("leftovers settled")
        for certificate_id in settled.issued:
            self.edge.tell(RunEvent.CERTIFICATE_RECOVERED, certificate_id=certificate_id)
        if settled.issued or settled.renewed:
            counts = {"issued": len(settled.issued), "renewed": len(settled.renewed)}
            self.edge.tell(RunEvent.LEFTOVERS_SETTLED, counts=counts)
        return settled

    def _settle_issued(self, run_id: RunId) -> tuple[CertificateId, ...]:
        """Finds out which sealed certificates were published."""
        by_certificate: dict[CertificateId, list[LedgerDocument]] = {}
        for document in self.ledger.sealed_documents():
            by_certificate.setdefault(document.certificate_id, []).append(document)
        published: list[CertificateId] = []
        unpublished: list[CertificateId] = []
        for certificate_id, documents in by_certificate.items():
            present = [document for document in documents if self._is_published(document.path, document.sha256)]
            if len(present) == len(documents):
                published.append(certificate_id)
                continue
            for document in present:  # one language of two: never acknowledged, and made again together
                self.output.withdraw(document.path)
            unpublished.append(certificate_id)
        self.ledger.record_issued(run_id, published, at=self.edge.now())
        self.ledger.record_unpublished(run_id, unpublished, at=self.edge.now())
        return tuple(published)

    def _settle_manifests(self) -> None:
        """Finds out which manifests were completed."""
        for manifest in self.ledger.unconfirmed_manifests():
            present_files = [path for path, digest in manifest.files.items() if self._is_published(path, digest)]
            if len(present_files) == len(manifest.files):
                digest = manifest.files[manifest_path(manifest.run_id)]
                self.ledger.confirm_manifest(manifest.run_id, digest, at=self.edge.now())
                continue
            for path in present_files:
                self.output.withdraw(path)
            self.ledger.withdraw_manifest(manifest.run_id, at=self.edge.now())

    def _is_published(self, path: str, sha256: str) -> bool:
        present = self.output.sha256(path)
        if present is None:
            return False
        if present != sha256:
            raise unexpected_file(self.output.root / path)
        self.output.secure(path)
        return True


def obstacle_to_a_run(ledger: Ledger, output: OutputFolder, *, now: datetime, today: date) -> SealtoolError | None:
    """What a run would stop at before it decides anything, None where that is nothing. Looks without writing.

    Args:
        ledger: need not be held.
        output: the folder that a run would write in.
        now: the present moment.
        today: the day it is where the organisation is.
    """
    try:
        insist_on_continuity(ledger, output)
        _insist_on_the_clock(ledger, now)
        output.insist_on_permission(*folders_of_a_run(today))
    except (LedgerError, OutputError) as error:
        return error
    return None


def _insist_on_the_clock(ledger: Ledger, now: datetime) -> None:
    """The day of issue, the seal and the order of events stand on it. Small steps back are those of NTP."""
    last = ledger.last_event_at()
    if last is not None and last - now > CLOCK_TOLERANCE:
        raise LedgerError(
            f"The clock of this machine says {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC, but the ledger's last event "
            f"is of {last:%Y-%m-%d %H:%M} UTC: what is issued now would bear a day that is over. Nothing was done.",
            advice="Set the clock (NTP) and call again. If it was wrong before, and the ledger has a moment that "
            "is yet to come, wait for it.",
        )


@contextlib.contextmanager
def _saying_what_is_left() -> Iterator[None]:
    """Of a file that cannot be written in the middle of a run: nothing is lost by it."""
    try:
        yield
    except OutputError as error:
        raise OutputError(
            f"{error.message} What was not published stays pending.", advice=f"{error.advice} The next run goes on."
        ) from error
