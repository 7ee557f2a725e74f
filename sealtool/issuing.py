"""The line from a registry export to published certificates.

registry -> decisions -> ledger (reserved) -> layout -> seal -> check of our own output -> ledger (sealed) ->
published file -> ledger (issued) -> manifest.

Whatever stops a run, and between whatever two steps, the next one takes up what is left: an id is reserved
before anything is made, and a file's hash is in the ledger before the file appears. So a file that is there
either matches the ledger and counts, or never existed as far as anybody can know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sealtool.canonical import Key, decision_fingerprint, key_of
from sealtool.errors import SealtoolError, words_for_logs
from sealtool.identifiers import new_certificate_id
from sealtool.ledger import Ledger, Reservation, RunFacts, SealedDocument
from sealtool.listing import Imprint, Listing, RunSeal
from sealtool.manifest import seal_as_json
from sealtool.model import CertificateId, CertificateOrder, Language, Level, RunId
from sealtool.planning import Action, Plan
from sealtool.press import Failure, Press, SealedCertificate, SealedFile
from sealtool.publishing import OutputFolder
from sealtool.running import Edge, Recording, RunEvent

_NO_ID: Final = CertificateId("")
"""Of a certificate that has none yet."""


@dataclass(slots=True)
class IssueReport:
    """What a run did."""

    run_id: RunId
    issued: dict[CertificateId, Level] = field(default_factory=dict)
    recovered: list[CertificateId] = field(default_factory=list)
    """Published by a run that was stopped before it could say so."""
    reissued: dict[CertificateId, CertificateId] = field(default_factory=dict)
    """Certificates that took the places of others, and of which: what humans decided."""
    failures: list[Failure] = field(default_factory=list)
    reserved: dict[Key, CertificateId] = field(default_factory=dict)
    """The certificate of each decision that was to be issued."""
    released: int = 0
    register_lines: int = 0
    open_questions: Mapping[str, int] = field(default_factory=dict)
    """What the plan leaves to humans, counted."""
    manifest: str | None = None
    """Path of the manifest below the output folder; None when there was nothing to list."""

    @property
    def found_nothing_new(self) -> bool:
        """Whether all that can be issued had been issued before."""
        return self.manifest is None and not (self.reserved or self.recovered or self.reissued or self.released)

    def counts(self) -> dict[str, int]:
        """The figures for ledger and manifest."""
        return {
            "issued": len(self.issued),
            "recovered": len(self.recovered),
            "reissued": len(self.reissued),
            "failed": len(self.failures),
            "released": self.released,
            "register_lines": self.register_lines,
            **self.open_questions,
        }


@dataclass(slots=True)
class Issuing:
    """One run. Construct it inside ``ledger.exclusive()`` and call :meth:`run` once.

    Attributes:
        press: gives the press; called only where there is something to make or to seal.
    """

    ledger: Ledger
    output: OutputFolder
    press: Callable[[], Press]
    edge: Edge
    imprint: Imprint
    one_file_per_language: bool = False

    @property
    def recording(self) -> Recording:
        """The course of the run in the ledger."""
        return Recording(self.ledger, self.output, self.edge)

    def run(self, plan: Callable[[], Plan], facts: RunFacts) -> tuple[Plan, IssueReport]:
        """Does all that the plan says, and what earlier runs left undone.

        Args:
            plan: makes the plan; called after the leftovers of earlier runs are settled.
            facts: what the run is made of.

        Returns:
            The plan, but for the assessments, and what was done.

        Raises:
            SealtoolError: the run had to stop; what was published is recorded, the rest is pending.
        """
        plans: list[Plan] = []

        def decide(report: IssueReport) -> Sequence[Reservation]:
            plans.append(plan())
            self._expect(plans[0])
            self._record_register(plans[0], facts, report)
            plans[0] = replace(plans[0], assessments=())  # a long run needs their memory for the manifest
            return self._reservations(plans[0], report)

        # What humans decided before comes first, so that the plan finds it done.
        report = self.carry_out((self.stopped_reissues, decide), facts)
        return plans[0], report

    def carry_out(
        self, decisions: Sequence[Callable[[IssueReport], Sequence[Reservation]]], facts: RunFacts
    ) -> IssueReport:
        """One run: settles what earlier runs left undone, makes what is decided, one after the other, and lists it.

        Args:
            decisions: what is to be made, asked for when all before it is made.
            facts: what the run is made of.

        Raises:
            SealtoolError: the run had to stop; what was published is recorded, the rest is pending.
        """
        report = IssueReport(self.recording.new_run_id())
        with self.recording.run(report.run_id, facts, report.counts) as settled:
            report.recovered += settled.issued
            with asyncio.Runner() as runner:
                seal = RunSeal(runner, self.press)
                try:
                    for decide in decisions:
                        self._produce(seal, decide(report), report)
                    if seal.is_loaded:
                        self.press().let_go()
                    listing = Listing(self.recording, self.imprint, seal.of_manifest)
                    report.manifest = listing.write(report.run_id, facts, report.counts())
                finally:
                    seal.close()
        return report

    def stopped_reissues(self, _: IssueReport) -> Sequence[Reservation]:
        """Reissues that were decided, and reserved by a run that was stopped, or by this one."""
        return self.ledger.pending_reissues()

    # --- decisions ------------------------------------------------------------------------------------

    def _expect(self, plan: Plan) -> None:
        """Has the press get ready for what is decided while the ledger is written."""
        decisions = (entry.decision for entry in plan.having(Action.ISSUE) if entry.decision is not None)
        orders = [order for decision in decisions for order in self._orders(Reservation(_NO_ID, decision))]
        if orders:
            self.press().expect(orders)

    def _record_register(self, plan: Plan, facts: RunFacts, report: IssueReport) -> None:
        report.open_questions = plan.open_questions
        # What an issued certificate says stays in the register until a human has decided.
        contested = {entry.key[:2] for entry in (*plan.having(Action.CHANGED), *plan.having(Action.LOST))}
        assessments = [pair for pair in plan.assessments if (pair[0], str(pair[1].level)) not in contested]
        if assessments:
            report.register_lines = self.ledger.record_register(
                report.run_id,
                assessments,
                facts.rules_version,
                at=self.edge.now(),
                settled={(person_id, level, area or 0) for person_id, level, area in plan.settled},
            )
        self._step("register recorded")

    def _reservations(self, plan: Plan, report: IssueReport) -> list[Reservation]:
        """Every decision to be issued, with the id an earlier run reserved for it or a new one."""
        new, revised, ready = [], [], []
        for entry in plan.having(Action.ISSUE):
            if entry.decision is None:
                continue
            if entry.on_record is None:
                reservation = Reservation(new_certificate_id(self.edge.random_bytes), entry.decision)
                new.append(reservation)
            else:
                reservation = Reservation(entry.on_record.certificate_id, entry.decision)
                if entry.on_record.fingerprint != decision_fingerprint(entry.decision):
                    revised.append(reservation)
            ready.append(reservation)
            report.reserved[key_of(entry.decision)] = reservation.certificate_id
        self.ledger.reserve(report.run_id, new, at=self.edge.now())
        self.ledger.revise_reservations(report.run_id, revised, at=self.edge.now())
        unsupported = [one.certificate_id for one in plan.unsupported_reservations]
        self.ledger.release(report.run_id, unsupported, at=self.edge.now())
        report.released = len(unsupported)
        self._step("certificates reserved")
        return ready

    # --- certificates ---------------------------------------------------------------------------------

    def _produce(self, seal: RunSeal, reservations: Sequence[Reservation], report: IssueReport) -> None:
        if not reservations:
            return
        total, before = len(reservations), len(report.issued)
        predecessors = {one.certificate_id: one.predecessor for one in reservations if one.predecessor is not None}
        self.edge.on_progress(0, total)

        def hand_on(certificates: Sequence[SealedCertificate]) -> None:
            self._publish(certificates, report)
            for new in [one[0].order.certificate_id for one in certificates]:
                if old := predecessors.get(new):
                    report.reissued[new] = old
                    self.edge.tell(RunEvent.CERTIFICATE_SUPERSEDED, certificate_id=old, successor=new)
            self.edge.on_progress(len(report.issued) - before, total)

        orders = map(self._orders, reservations)
        failures = seal.runner.run(self.press().make(seal.loaded(), orders, hand_on, self._step))
        for one in failures:
            self.edge.tell(RunEvent.CERTIFICATE_FAILED, certificate_id=one.certificate_id, **_why(one.error))
        report.failures += failures
        self.edge.on_progress(total, total)

    def _orders(self, reservation: Reservation) -> tuple[CertificateOrder, ...]:
        sets = [(language,) for language in Language] if self.one_file_per_language else [tuple(Language)]
        today = self.edge.today()
        return tuple(
            CertificateOrder(
                reservation.certificate_id, reservation.decision, today, languages, replaces=reservation.predecessor
            )
            for languages in sets
        )

    def _publish(self, certificates: Sequence[SealedCertificate], report: IssueReport) -> None:
        """Hash into the ledger, file into the folder, word into the ledger: in this order, three commits for all."""
        if not certificates:
            return
        files = [file for certificate in certificates for file in certificate]
        self.ledger.record_sealed(report.run_id, [_document(file) for file in files], at=self.edge.now())
        self._step("hashes recorded")
        folders: dict[str, str] = {}
        for file in files:
            path = _document_path(file.order)
            self.output.publish(path, file.pdf.content, secured=False)
            folders[path.rpartition("/")[0]] = path
            self._step("file published")
        for path in folders.values():  # once for all files of a folder
            self.output.secure(path)
        levels = {file.order.certificate_id: file.order.decision.level for file in files}
        self.ledger.record_issued(report.run_id, list(levels), at=self.edge.now())
        report.issued |= levels
        self._step("certificates issued")
        for certificate_id, level in levels.items():
            self.edge.tell(RunEvent.CERTIFICATE_ISSUED, certificate_id=certificate_id, certified=str(level))

    def _step(self, name: str) -> None:
        self.edge.on_step(name)


def _why(error: SealtoolError) -> dict[str, str]:
    return {"error": type(error).__name__, "message": words_for_logs(error)}


def _document(file: SealedFile) -> SealedDocument:
    return SealedDocument(
        certificate_id=file.order.certificate_id,
        path=_document_path(file.order),
        sha256=file.verification.sha256,
        size=file.verification.size,
        pages=file.pdf.pages,
        languages=file.order.languages,
        issued_on=file.order.issued_on,
        seal=seal_as_json(file.verification),
        provable_until=file.verification.provable_until,
    )


def _document_path(order: CertificateOrder) -> str:
    suffix = "" if len(order.languages) > 1 else f".{order.languages[0]}"
    return f"{order.issued_on.year}/{order.decision.level}/{order.certificate_id}{suffix}.pdf"
