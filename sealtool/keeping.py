"""Keeping the ledger for ten years: held against its events and manifests, copied, put back, brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sealtool import __version__
from sealtool.canonical import sha256_hex
from sealtool.continuity import insist_on_continuity
from sealtool.errors import LedgerError, LedgerInconsistentError
from sealtool.ledger import (
    Custody,
    FindingCode,
    Ledger,
    LedgerFinding,
    ListedDocument,
    Restored,
    create_ledger,
    migrate_ledger,
    open_ledger,
    restoring,
)
from sealtool.ledger.backup import Backup
from sealtool.ledger.opening import SCHEMA_HEAD
from sealtool.manifest import DocumentEntry, Manifest, parse_manifest
from sealtool.model import RunId
from sealtool.publishing import MANIFESTS, OutputFolder

SCHEMA: Final = "sealtool.ledger-verification/1"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was looked at, and all that speaks against it.

    Attributes:
        events: number of the newest event.
        head: its hash.
        manifests: how many were held against the ledger.
        rebuilt: what a rebuilt ledger says of its beginning; None of one that was never lost.
    """

    findings: tuple[LedgerFinding, ...]
    events: int
    head: str
    manifests: int
    rebuilt: Mapping[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        """The document of ``ledger verify --json``."""
        rebuilt = self.rebuilt and {
            name: self.rebuilt[name] for name in ("at", "manifest", "ledger_sequence", "ledger_head")
        }
        return {
            "schema": SCHEMA,
            "ledger": {"events": self.events, "head": self.head, "rebuilt": rebuilt},
            "manifests": self.manifests,
            "findings": [
                {
                    "code": str(one.code),
                    "sequence": one.sequence,
                    "kind": one.kind,
                    "certificate_id": one.certificate_id,
                    "message": one.message,
                }
                for one in self.findings
            ],
        }


@dataclass(frozen=True, slots=True)
class LedgerKeeping:
    """A ledger by its address, and the output folder that belongs to it."""

    url: str
    output: OutputFolder
    now: Callable[[], datetime]
    password: Callable[[], str] | None = None

    def create(self) -> None:
        """Makes a first, empty ledger.

        Raises:
            LedgerError: there is one, or documents were issued already, of which an empty one would know nothing.
        """
        if self.output.exists() and (present := self.output.documents()):
            raise LedgerError(
                f"{self.output.root} holds {len(present)} documents, of which a new ledger would know nothing: "
                "it would issue them again. Nothing was made.",
                advice="Restore the ledger with `sealtool ledger restore`, or have it written anew from that folder "
                "with `sealtool ledger rebuild`.",
            )
        create_ledger(self.url, self.password).close()

    def verify(self) -> Examination:
        """Holds the whole chain of events against itself, the tables against it, and every manifest against both."""
        with open_ledger(self.url, self.password) as ledger:
            return examine(ledger, self.output)

    def back_up(self, file: Path) -> Backup:
        """Copies the ledger into a new file, also while a run goes on."""
        self.output.insist_on_elsewhere(file)
        with open_ledger(self.url, self.password) as ledger:
            return Custody(ledger).back_up(file, tool_version=__version__, at=self.now())

    def migrate(self, file: Path) -> tuple[str, Backup | None]:
        """Brings the ledger to the version of this sealtool, after a backup.

        Returns:
            The version before, and the backup; None where the ledger was up to date.
        """
        self.output.insist_on_elsewhere(file)
        with migrate_ledger(self.url, self.password) as (ledger, version):
            if version == SCHEMA_HEAD:
                return version, None
            return version, Custody(ledger).back_up(file, tool_version=__version__, at=self.now(), version=version)

    def restore(self, file: Path) -> Restored:
        """Puts a backup in the place of the ledger, where it is sound, belongs to the output folder and loses nothing.

        Raises:
            LedgerError: it is not, or does. Nothing was changed.
        """
        with restoring(self.url, file, aside=self.aside, password=self.password) as restored:
            examination = examine(restored.ledger, self.output)
            if examination.findings:
                raise LedgerInconsistentError(
                    f"The backup {file} holds a ledger that is not as sealtool left it: "
                    f"{examination.findings[0].message} ({len(examination.findings)} in all.) Nothing was changed.",
                    advice="Take another backup; if there is none, `sealtool ledger rebuild` writes the ledger anew.",
                )
            insist_on_continuity(restored.ledger, self.output)
        return restored

    @property
    def aside(self) -> str:
        """The word under which a ledger is kept that gives way to another one."""
        return f"before-{self.now():%Y%m%d-%H%M%S}"


def examine(ledger: Ledger, output: OutputFolder) -> Examination:
    """Everything that speaks against a ledger, by itself and by the manifests of the output folder."""
    custody = Custody(ledger)
    manifests = output.manifests()
    events, head = custody.head()
    return Examination(
        findings=(*custody.findings(), *_against_manifests(ledger, custody, output)),
        events=events,
        head=head,
        manifests=len(manifests),
        rebuilt=custody.rebuilt_from(),
    )


def _against_manifests(ledger: Ledger, custody: Custody, output: OutputFolder) -> Iterator[LedgerFinding]:
    on_record, listed = custody.manifests(), custody.listed_documents()
    pins = {one["run_id"]: one for one in (custody.rebuilt_from() or {}).get("manifests", ())}
    newest: dict[str, tuple[RunId, DocumentEntry]] = {}
    present = [path.removeprefix(f"{MANIFESTS}/") for path in output.manifests()]
    for name in present:
        try:
            content = output.read(f"{MANIFESTS}/{name}") or b""
            manifest = parse_manifest(content)
        except (ValueError, LedgerInconsistentError) as error:
            yield LedgerFinding(FindingCode.MANIFEST_UNREADABLE, f"The manifest {name} cannot be read: {error}.")
            continue
        run_id = RunId(manifest.run.run_id)
        yield from _pin(ledger, manifest, pins.get(run_id))
        yield from _recorded(name, sha256_hex(content), on_record.get(run_id))
        newest |= {entry.path: (run_id, entry) for entry in manifest.documents}
    for run_id in on_record.keys() - {RunId(name.removesuffix(".json")) for name in present}:
        yield LedgerFinding(FindingCode.MANIFEST_MISSING, f"The manifest of run {run_id} is not there any more.")
    for path, document in listed.items():
        yield from _listing(path, document, newest.get(path))


def _pin(ledger: Ledger, manifest: Manifest, at_rebuilding: Mapping[str, Any] | None) -> Iterator[LedgerFinding]:
    """What is wrong with the event that a manifest pins; a rebuilt ledger keeps those of before in its first event."""
    run = manifest.run
    kept = at_rebuilding and (at_rebuilding["ledger_sequence"], at_rebuilding["ledger_head"])
    if ledger.event_hash(run.ledger_sequence) != run.ledger_head and kept != (run.ledger_sequence, run.ledger_head):
        yield LedgerFinding(
            FindingCode.MANIFEST_DIFFERS,
            f"The manifest of run {run.run_id} was written when event {run.ledger_sequence} was "
            f"{run.ledger_head[:12]}…; this ledger does not have it.",
            run.ledger_sequence,
        )


def _recorded(name: str, sha256: str, files: Mapping[str, str] | None) -> Iterator[LedgerFinding]:
    if files is None:
        yield LedgerFinding(FindingCode.MANIFEST_UNKNOWN, f"No run of this ledger wrote the manifest {name}.")
    elif files.get(f"{MANIFESTS}/{name}") != sha256:
        yield LedgerFinding(
            FindingCode.MANIFEST_DIFFERS, f"The manifest {name} is not the one that the ledger recorded."
        )


def _listing(
    path: str, document: ListedDocument, listed: tuple[RunId, DocumentEntry] | None
) -> Iterator[LedgerFinding]:
    """What is wrong between a document on record and the newest manifest that lists it."""
    if document.manifest_run is None:
        return  # as it is now, no manifest lists it yet
    certificate_id = document.entry.certificate_id
    if listed is None or listed[0] != document.manifest_run:
        yield LedgerFinding(
            FindingCode.LISTING_DIFFERS,
            f"The ledger says that the manifest of run {document.manifest_run} is the newest that lists {path}; it is "
            f"{'none' if listed is None else f'that of run {listed[0]}'}.",
            certificate_id=certificate_id,
        )
        return
    entry, row = listed[1], document.entry
    pairs = {
        "certificate_id": (entry.certificate_id, row.certificate_id),
        "sha256": (entry.sha256, row.sha256),
        "bytes": (entry.size, row.size),
        "pages": (entry.pages, row.pages),
        "languages": (entry.languages, row.languages),
        "level": (entry.level, row.level),
        "area": (entry.area, row.area),
        "seal": (entry.seal.model_dump(mode="json"), row.seal),
    }
    if wrong := [name for name, (in_manifest, in_ledger) in pairs.items() if in_manifest != in_ledger]:
        yield LedgerFinding(
            FindingCode.LISTING_DIFFERS,
            f"The ledger and the manifest of run {listed[0]} say different things of {path}: {', '.join(wrong)}.",
            certificate_id=certificate_id,
        )
