"""The line from a registry export to published certificates.

registry -> decisions -> ledger (reserved) -> layout -> seal -> check of our own output -> ledger (sealed) ->
published file -> ledger (issued) -> manifest.

Whatever stops a run, and between whatever two steps, the next one takes up what is left: an id is reserved
before anything is made, and a file's hash is in the ledger before the file appears. So a file that is there
either matches the ledger and counts, or never existed as far as anybody can know.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sealtool.canonical import decision_fingerprint, sha256_hex
from sealtool.continuity import insist_on_continuity
from sealtool.errors import SealtoolError
from sealtool.identifiers import RandomBytes, new_certificate_id, new_run_id
from sealtool.ledger import (
    Ledger,
    LedgerDocument,
    ManifestEntry,
    Reservation,
    RunFacts,
    RunState,
    SealedDocument,
)
from sealtool.manifest import (
    DocumentEntry,
    InputFile,
    Manifest,
    PreviousManifest,
    RunEntry,
    SealEntry,
    ValideEntry,
    seal_as_json,
)
from sealtool.model import CertificateId, CertificateOrder, Language, Level, RunId
from sealtool.planning import Action, Key, Plan, key_of
from sealtool.press import Failure, Press, SealedCertificate, SealedFile, Sealing
from sealtool.publishing import MANIFESTS, OutputFolder, unexpected_file


@dataclass(frozen=True, slots=True)
class Edge:
    """Clock, randomness and progress: what the world outside tells a run, and is told by it.

    Attributes:
        now: the present moment, aware.
        timezone: whose calendar the day of issue is taken from.
        random_bytes: a cryptographically strong source.
        on_step: told the name of each step when it is done; the crash tests stop there.
        on_progress: told how many certificates are finished, and of how many.
    """

    now: Callable[[], datetime]
    timezone: ZoneInfo
    random_bytes: RandomBytes
    on_step: Callable[[str], None] = lambda _: None
    on_progress: Callable[[int, int], None] = lambda _done, _total: None

    def today(self) -> date:
        """The day it is where the organisation is."""
        return self.now().astimezone(self.timezone).date()


@dataclass(frozen=True, slots=True)
class Imprint:
    """What goes into every manifest besides the documents."""

    tool_version: str
    valide_address: str
    valide_expected_verdict: str


@dataclass(slots=True)
class IssueReport:
    """What a run did."""

    run_id: RunId
    issued: dict[CertificateId, Level] = field(default_factory=dict)
    recovered: list[CertificateId] = field(default_factory=list)
    """Published by a run that was stopped before it could say so."""
    failures: list[Failure] = field(default_factory=list)
    reserved: dict[Key, CertificateId] = field(default_factory=dict)
    """The certificate of each decision that was to be issued."""
    released: int = 0
    register_lines: int = 0
    open_questions: Mapping[str, int] = field(default_factory=dict)
    """What the plan leaves to humans, counted."""
    manifest: str | None = None
    """Path of the manifest below the output folder; None when there was nothing to list."""

    def counts(self) -> dict[str, int]:
        """The figures for ledger and manifest."""
        return {
            "issued": len(self.issued),
            "recovered": len(self.recovered),
            "failed": len(self.failures),
            "released": self.released,
            "register_lines": self.register_lines,
            **self.open_questions,
        }


@dataclass(slots=True)
class Issuing:
    """One run. Construct it inside ``ledger.exclusive()`` and call :meth:`run` once."""

    ledger: Ledger
    output: OutputFolder
    press: Press
    edge: Edge
    imprint: Imprint
    one_file_per_language: bool = False
    _sealer: Sealing | None = None

    def run(self, plan: Callable[[], Plan], facts: RunFacts) -> tuple[Plan, IssueReport]:
        """Does all that the plan says, and what earlier runs left undone.

        Args:
            plan: makes the plan; called after the leftovers of earlier runs are settled.
            facts: what the run is made of.

        Raises:
            SealtoolError: the run had to stop; what was published is recorded, the rest is pending.
        """
        report = IssueReport(new_run_id(self.edge.now(), self.edge.random_bytes))
        insist_on_continuity(self.ledger, self.output)
        self.output.prepare()
        self.output.remove_leftovers()
        self.ledger.begin_run(report.run_id, facts, at=self.edge.now())
        self._step("run begun")
        try:
            self._settle(report)
            planned = plan()
            self._record_register(planned, facts, report)
            reservations = self._reservations(planned, report)
            with asyncio.Runner() as runner:
                try:
                    self._produce(runner, reservations, report)
                    self._write_manifest(runner, facts, report)
                finally:
                    if self._sealer is not None:
                        runner.run(self._sealer.aclose())
        except BaseException as error:
            state = RunState.INTERRUPTED if isinstance(error, KeyboardInterrupt) else RunState.FAILED
            with contextlib.suppress(SealtoolError):  # what stopped the run is the news, not what follows from it
                self.ledger.end_run(report.run_id, state, report.counts(), at=self.edge.now(), message=str(error))
            raise
        self.ledger.end_run(report.run_id, RunState.FINISHED, report.counts(), at=self.edge.now())
        self._step("run ended")
        return planned, report

    # --- what an earlier run left ---------------------------------------------------------------------

    def _settle(self, report: IssueReport) -> None:
        """Finds out which sealed certificates were published, and which manifests were completed."""
        by_certificate: dict[CertificateId, list[LedgerDocument]] = {}
        for document in self.ledger.sealed_documents():
            by_certificate.setdefault(document.certificate_id, []).append(document)
        unpublished: list[CertificateId] = []
        for certificate_id, documents in by_certificate.items():
            present = [document for document in documents if self._is_published(document.path, document.sha256)]
            if len(present) == len(documents):
                report.recovered.append(certificate_id)
                continue
            for document in present:  # one language of two: never acknowledged, and made again together
                self.output.withdraw(document.path)
            unpublished.append(certificate_id)
        self.ledger.record_issued(report.run_id, report.recovered, at=self.edge.now())
        self.ledger.record_unpublished(report.run_id, unpublished, at=self.edge.now())
        for manifest in self.ledger.unconfirmed_manifests():
            present_files = [path for path, digest in manifest.files.items() if self._is_published(path, digest)]
            if len(present_files) == len(manifest.files):
                digest = manifest.files[_manifest_path(manifest.run_id)]
                self.ledger.confirm_manifest(manifest.run_id, digest, at=self.edge.now())
                continue
            for path in present_files:
                self.output.withdraw(path)
            self.ledger.withdraw_manifest(manifest.run_id, at=self.edge.now())
        self._step("leftovers settled")

    def _is_published(self, path: str, sha256: str) -> bool:
        present = self.output.sha256(path)
        if present is None:
            return False
        if present != sha256:
            raise unexpected_file(self.output.root / path)
        self.output.secure(path)
        return True

    # --- decisions ------------------------------------------------------------------------------------

    def _record_register(self, plan: Plan, facts: RunFacts, report: IssueReport) -> None:
        report.open_questions = plan.open_questions
        # What an issued certificate says stays in the register until a human has decided.
        contested = {entry.person_and_level for entry in (*plan.having(Action.CHANGED), *plan.having(Action.LOST))}
        assessments = [pair for pair in plan.assessments if (pair[0], str(pair[1].level)) not in contested]
        if assessments:
            report.register_lines = self.ledger.record_register(
                report.run_id, assessments, facts.rules_version, at=self.edge.now()
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

    def _produce(self, runner: asyncio.Runner, reservations: Sequence[Reservation], report: IssueReport) -> None:
        if not reservations:
            return
        total = len(reservations)
        self.edge.on_progress(0, total)

        def hand_on(certificates: Sequence[SealedCertificate]) -> None:
            self._publish(certificates, report)
            self.edge.on_progress(len(report.issued), total)

        orders = map(self._orders, reservations)
        report.failures = runner.run(self.press.make(self._sealing(), orders, hand_on, self._step))
        self.edge.on_progress(total, total)

    def _orders(self, reservation: Reservation) -> tuple[CertificateOrder, ...]:
        sets = [(language,) for language in Language] if self.one_file_per_language else [tuple(Language)]
        today = self.edge.today()
        return tuple(
            CertificateOrder(reservation.certificate_id, reservation.decision, today, languages) for languages in sets
        )

    def _publish(self, certificates: Sequence[SealedCertificate], report: IssueReport) -> None:
        """Hash into the ledger, file into the folder, word into the ledger: in this order, three commits for all."""
        if not certificates:
            return
        files = [file for certificate in certificates for file in certificate]
        self.ledger.record_sealed(report.run_id, [_document(file) for file in files], at=self.edge.now())
        self._step("hashes recorded")
        for file in files:
            self.output.publish(_document_path(file.order), file.pdf.content)
            self._step("file published")
        levels = {file.order.certificate_id: file.order.decision.level for file in files}
        self.ledger.record_issued(report.run_id, list(levels), at=self.edge.now())
        report.issued |= levels
        self._step("certificates issued")

    # --- the manifest ---------------------------------------------------------------------------------

    def _write_manifest(self, runner: asyncio.Runner, facts: RunFacts, report: IssueReport) -> None:
        """Lists every issued document that no manifest lists yet; none is written where there is none."""
        entries = self.ledger.entries_without_manifest()
        if not entries:
            return
        path = _manifest_path(report.run_id)
        manifest = self._manifest(entries, facts, report)
        content = manifest.to_json()
        seal = runner.run(self.press.seal_manifest(self._sealing(), content))
        self._step("manifest sealed")
        # The JSON comes last: where it is, its seal and its twin are.
        files = {f"{path}.p7s": seal, path.removesuffix(".json") + ".csv": manifest.to_csv(), path: content}
        digests = {name: sha256_hex(data) for name, data in files.items()}
        self.ledger.announce_manifest(report.run_id, [entry.path for entry in entries], digests, at=self.edge.now())
        self._step("manifest announced")
        for name, data in files.items():
            self.output.publish(name, data)
            self._step("manifest file published")
        self.ledger.confirm_manifest(report.run_id, digests[path], at=self.edge.now())
        report.manifest = path
        self._step("manifest confirmed")

    def _manifest(self, entries: Iterable[ManifestEntry], facts: RunFacts, report: IssueReport) -> Manifest:
        sequence, head = self.ledger.head()
        previous = self.ledger.last_manifest()
        valide = ValideEntry(address=self.imprint.valide_address, expected_verdict=self.imprint.valide_expected_verdict)
        return Manifest(
            run=RunEntry(
                run_id=report.run_id,
                created_at=self.edge.now().astimezone(UTC),
                tool_version=self.imprint.tool_version,
                rules_version=facts.rules_version,
                rules_sha256=facts.rules_sha256,
                inputs=tuple(InputFile(name=one.name, sha256=one.sha256, rows=one.rows) for one in facts.sources),
                counts=report.counts(),
                ledger_sequence=sequence,
                ledger_head=head,
                previous_manifest=previous and PreviousManifest(run_id=previous[0], sha256=previous[1]),
            ),
            documents=tuple(_document_entry(entry, valide) for entry in entries),
        )

    def _sealing(self) -> Sealing:
        """The sealer, made when it is first needed: a run with nothing to seal asks for no passphrase."""
        if self._sealer is None:
            self._sealer = self.press.sealing()
        return self._sealer

    def _step(self, name: str) -> None:
        self.edge.on_step(name)


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
    )


def _document_path(order: CertificateOrder) -> str:
    suffix = "" if len(order.languages) > 1 else f".{order.languages[0]}"
    return f"{order.issued_on.year}/{order.decision.level}/{order.certificate_id}{suffix}.pdf"


def _manifest_path(run_id: RunId) -> str:
    return f"{MANIFESTS}/{run_id}.json"


def _document_entry(entry: ManifestEntry, valide: ValideEntry) -> DocumentEntry:
    facts: Mapping[str, Any] = {
        "certificate_id": entry.certificate_id,
        "path": entry.path,
        "sha256": entry.sha256,
        "bytes": entry.size,
        "pages": entry.pages,
        "level": entry.level,
        "area": entry.area,
        "languages": entry.languages,
        "state": str(entry.state),
        "predecessor": entry.predecessor_id,
        "successor": entry.successor_id,
        "seal": SealEntry.model_validate(entry.seal),
        "valide": valide,
    }
    return DocumentEntry.model_validate(facts)
