"""Keeping what was issued provable: validation data and a fresh archive time stamp before the old one runs out.

A document of the ledger is renewed like it was issued, in three durable steps (docs/adr/0008): its new hash is
announced, its file is replaced, the renewal is confirmed. Whatever stops a run, and between whatever two steps, the
next one finds either the old file or the new one, and the ledger knows both.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sealtool.canonical import sha256_hex
from sealtool.errors import SealtoolError
from sealtool.ledger import DocumentOnRecord, Renewed, RunFacts
from sealtool.listing import Imprint, Listing, RunSeal
from sealtool.manifest import seal_as_json
from sealtool.model import Reason, RunId
from sealtool.preservation import Candidate, Extended, Kept, Preservation, RefusalCode, Refused, left_alone
from sealtool.publishing import replace_file
from sealtool.regular_files import real_path
from sealtool.running import Edge, Recording, RunEvent

SCHEMA: Final = "sealtool.extension/1"


@dataclass(slots=True)
class ExtensionReport:
    """What became of each file."""

    run_id: RunId | None = None
    """None where the ledger had no part in it."""
    renewed: list[Extended] = field(default_factory=list)
    """Documents of the ledger."""
    copies: list[Extended] = field(default_factory=list)
    """Files elsewhere: their hashes are not those that manifests list."""
    kept: list[Kept] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    recovered: tuple[str, ...] = ()
    """Renewed by a run that was stopped before it could say so."""
    manifest: str | None = None
    """Path of the manifest below the output folder; None when there was nothing to list."""

    @property
    def found_nothing(self) -> bool:
        """Whether there was no file that anything could have been done with."""
        return not (self.renewed or self.copies or self.kept or self.refused or self.recovered or self.manifest)

    def take(self, others: Iterable[Kept | Refused]) -> None:
        """Adds files that were not extended."""
        for one in others:
            if isinstance(one, Kept):
                self.kept.append(one)
            else:
                self.refused.append(one)

    def counts(self) -> dict[str, int]:
        """The figures for ledger and manifest: of documents of the ledger, and all that was refused."""
        return {"renewed": len(self.renewed), "recovered": len(self.recovered), "refused": len(self.refused)}

    def as_json(self) -> dict[str, Any]:
        """The document of ``extend --json``."""
        return {
            "schema": SCHEMA,
            "run_id": self.run_id,
            "extended": [
                *(_extended_as_json(one, on_record=True) for one in self.renewed),
                *(_extended_as_json(one, on_record=False) for one in self.copies),
            ],
            "unchanged": [
                {"path": one.candidate.name, "provable_until": one.provable_until.isoformat()} for one in self.kept
            ],
            "refused": [
                {
                    "path": one.candidate.name,
                    "reasons": [{"code": str(reason.code), "message": reason.message} for reason in one.reasons],
                }
                for one in self.refused
            ],
            "recovered": list(self.recovered),
            "manifest": self.manifest,
        }


@dataclass(slots=True)
class Renewing:
    """One run over documents of the ledger. Construct it inside ``ledger.exclusive()`` and call :meth:`run` once.

    Attributes:
        recording: of the run.
        imprint: what goes into its manifest.
        preservation: extends files.
        seal: of the manifest.
    """

    recording: Recording
    imprint: Imprint
    preservation: Preservation
    seal: RunSeal

    def run(
        self,
        runner: asyncio.Runner,
        choose: Callable[[], Sequence[DocumentOnRecord]],
        facts: RunFacts,
        report: ExtensionReport,
    ) -> None:
        """Renews the documents that need it, and lists them anew.

        Args:
            runner: of the event loop.
            choose: the documents asked for; called after the leftovers of earlier runs are settled.
            facts: what the run is made of.
            report: told what became of each.

        Raises:
            SealtoolError: the run had to stop; what was renewed is recorded, the rest is as it was.
        """
        report.run_id = run_id = self.recording.new_run_id()
        with self.recording.run(run_id, facts, report.counts) as settled:
            report.recovered = settled.renewed
            chosen = choose()
            needed = [one for one in chosen if not self._is_fresh(one)]
            fresh = [one for one in chosen if self._is_fresh(one)]
            self._take([left_alone(self._candidate(one), one.provable_until) for one in fresh], report)
            listing = Listing(self.recording, self.imprint, self.seal.of_manifest)
            try:
                self._renew(runner, run_id, needed, report)
            except (SealtoolError, KeyboardInterrupt):
                # Until a manifest lists a renewed file anew, an audit finds another hash than the one listed.
                with contextlib.suppress(SealtoolError):
                    report.recovered += self.recording.settle_renewed(run_id)
                with contextlib.suppress(SealtoolError):
                    listing.write(run_id, facts, report.counts())
                raise
            report.manifest = listing.write(run_id, facts, report.counts())

    def _is_fresh(self, document: DocumentOnRecord) -> bool:
        """Whether the ledger alone can tell that nothing is to be done, if the file is the one on record.

        Of what is due none is fresh: only what was named is opened for that.
        """
        return document.is_noted and self.preservation.need.is_met_by(document.pades_level, document.provable_until)

    def _candidate(self, document: DocumentOnRecord) -> Candidate:
        return Candidate(self.recording.output.root / document.path, document.path, document.sha256)

    def _renew(
        self,
        runner: asyncio.Runner,
        run_id: RunId,
        documents: Sequence[DocumentOnRecord],
        report: ExtensionReport,
    ) -> None:
        if not documents:
            return
        # A renewed file that no manifest could list would not pass an audit, so the seal is tried first.
        self.seal.prepare()
        edge, total = self.recording.edge, len(documents)
        edge.on_progress(0, total)

        def hand_on(extended: Sequence[Extended]) -> None:
            self._replace(run_id, extended)
            report.renewed += extended
            edge.on_progress(len(report.renewed), total)

        others = runner.run(self.preservation.extend(map(self._candidate, documents), hand_on))
        self._take(others, report)
        self._note(run_id, documents, others)
        edge.on_progress(total, total)

    def _take(self, others: Sequence[Kept | Refused], report: ExtensionReport) -> None:
        report.take(others)
        for one in _refused(others):
            self.recording.edge.tell(RunEvent.DOCUMENT_REFUSED, path=one.candidate.name, reasons=_codes(one))

    def _replace(self, run_id: RunId, extended: Sequence[Extended]) -> None:
        """New hash into the ledger, file into the folder, word into the ledger: in this order, for all together."""
        if not extended:
            return
        ledger, output, edge = self.recording.ledger, self.recording.output, self.recording.edge
        ledger.announce_renewals(run_id, [_renewed(one) for one in extended], at=edge.now())
        edge.on_step("renewals announced")
        for one in extended:
            output.replace(one.candidate.name, one.content, replaces=one.before.sha256)
            edge.on_step("document replaced")
        ledger.confirm_renewals(run_id, [one.candidate.name for one in extended], at=edge.now())
        edge.on_step("renewals confirmed")
        for one in extended:
            edge.tell(RunEvent.DOCUMENT_RENEWED, path=one.candidate.name, **_renewal(one))

    def _note(self, run_id: RunId, documents: Sequence[DocumentOnRecord], others: Iterable[Kept | Refused]) -> None:
        """What the verifier found of documents whose row only guessed: they need not be opened again."""
        guessed = {one.path for one in documents if not one.is_noted}
        found = [
            (one.candidate.name, one.provable_until)
            for one in others
            if isinstance(one, Kept) and one.candidate.name in guessed
        ]
        if found:
            self.recording.ledger.note_provable_until(run_id, found, at=self.recording.edge.now())


def extend_copies(
    runner: asyncio.Runner, preservation: Preservation, files: Iterable[Path], report: ExtensionReport, edge: Edge
) -> None:
    """Extends files that are not the ledger's, each in its place and in one step.

    The log does not say where they are: whoever keeps copies may call them by the names of their holders.

    Raises:
        SealtoolError: a service cannot be reached, or a file cannot be replaced; what was replaced stays.
    """

    def hand_on(extended: Sequence[Extended]) -> None:
        for one in extended:
            replace_file(one.candidate.path, one.content, replaces=one.before.sha256)
            report.copies.append(one)
            preservation.on_step("copy replaced")
            edge.tell(RunEvent.COPY_EXTENDED, **_renewal(one))

    candidates = (Candidate(path, str(path)) for path in files)
    try:
        others = runner.run(preservation.extend(candidates, hand_on))
        for one in _refused(others):
            edge.tell(RunEvent.COPY_REFUSED, reasons=_codes(one))
        report.take(others)
    finally:  # no ledger counts copies, so nobody else tells of them
        edge.tell(RunEvent.RUN_ENDED, counts={**report.counts(), "copies": len(report.copies)})


def _renewal(one: Extended) -> dict[str, Any]:
    return {
        "certificate_id": one.after.certificate and one.after.certificate.certificate_id,
        "provable_until": one.after.provable_until and one.after.provable_until.isoformat(),
    }


def _refused(others: Iterable[Kept | Refused]) -> Iterator[Refused]:
    return (one for one in others if isinstance(one, Refused))


def _codes(refused: Refused) -> list[str]:
    return [str(reason.code) for reason in refused.reasons]


@dataclass(frozen=True, slots=True)
class Found:
    """The files that paths lead to.

    Attributes:
        documents: those in the output folder, relative to it.
        copies: those elsewhere.
        refused: links, which are not followed, and folders that cannot be read.
    """

    documents: tuple[str, ...]
    copies: tuple[Path, ...]
    refused: tuple[Refused, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.documents or self.copies or self.refused)


def find_files(paths: Iterable[Path], output: Path) -> Found:
    """Every PDF named or below a folder named. No link is followed, whether named or found."""
    root = real_path(output)
    documents: set[str] = set()
    copies: set[Path] = set()
    refused: dict[Path, Refused] = {}

    def refuse(path: Path, code: RefusalCode, why: str) -> None:
        place = real_path(path.parent) / path.name
        refused[place] = Refused(Candidate(place, str(path)), (Reason(code, why),))

    for path in paths:
        for file in _pdf_files(path, refuse):
            place = real_path(file.parent) / file.name
            if place.is_symlink():
                refuse(file, RefusalCode.NOT_A_REGULAR_FILE, "It is a link. Name the file itself.")
            elif place.is_relative_to(root):
                documents.add(place.relative_to(root).as_posix())
            else:
                copies.add(place)
    return Found(tuple(sorted(documents)), tuple(sorted(copies)), tuple(refused[one] for one in sorted(refused)))


def _pdf_files(path: Path, refuse: Callable[[Path, RefusalCode, str], None]) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    try:
        entries = sorted(path.iterdir())
        folders = {entry for entry in entries if entry.is_dir() and not entry.is_symlink()}
    except OSError as error:
        refuse(path, RefusalCode.UNREADABLE, f"It cannot be read: {error.strerror or error}.")
        return
    for entry in entries:
        if entry in folders:
            yield from _pdf_files(entry, refuse)
        elif entry.name.lower().endswith(".pdf"):
            yield entry


def chosen_documents(
    on_record: Iterable[DocumentOnRecord], names: Collection[str], report: ExtensionReport
) -> list[DocumentOnRecord]:
    """The documents of these names; a file in the output folder that the ledger does not know is refused."""
    known = {one.path: one for one in on_record}
    for name in sorted(set(names) - known.keys()):
        reason = Reason(
            RefusalCode.NOT_ON_RECORD,
            "It lies in the output folder, and the ledger does not know it. Find out who put it there.",
        )
        report.refused.append(Refused(Candidate(Path(name), name), (reason,)))
    return [known[name] for name in sorted(set(names) & known.keys())]


def _renewed(extended: Extended) -> Renewed:
    after = extended.after
    if after.provable_until is None:  # pragma: no cover - what passed at B-LTA has an end
        raise ValueError("what was not judged sound cannot be recorded")
    return Renewed(
        path=extended.candidate.name,
        replaces=extended.before.sha256,
        sha256=after.sha256,
        size=after.size,
        seal=seal_as_json(after),
        provable_until=after.provable_until,
    )


def _extended_as_json(one: Extended, *, on_record: bool) -> dict[str, Any]:
    before, after = one.before, one.after
    return {
        "path": one.candidate.name,
        "certificate_id": after.certificate and after.certificate.certificate_id,
        "on_record": on_record,
        "pades_level_before": before.pades_level and str(before.pades_level),
        "pades_level": after.pades_level and str(after.pades_level),
        "provable_until_before": before.provable_until and before.provable_until.isoformat(),
        "provable_until": after.provable_until and after.provable_until.isoformat(),
        "sha256_before": before.sha256,
        "sha256": sha256_hex(one.content),
    }
