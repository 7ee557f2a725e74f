"""The manifest of a run: every document of which no earlier manifest speaks as it is now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sealtool.canonical import sha256_hex
from sealtool.eni import eni_metadata
from sealtool.ledger import ManifestEntry, RunFacts, changed_outside
from sealtool.manifest import (
    DocumentEntry,
    InputFile,
    Manifest,
    PreviousManifest,
    RunEntry,
    SealEntry,
    ValideEntry,
    sealed_at,
)
from sealtool.model import RunId
from sealtool.press import Press, Sealing
from sealtool.publishing import manifest_path
from sealtool.running import Recording, RunEvent


@dataclass(frozen=True, slots=True)
class Imprint:
    """What goes into every manifest besides the documents."""

    tool_version: str
    valide_address: str
    valide_expected_verdict: str
    eni_organ: str


@dataclass(slots=True)
class RunSeal:
    """The seal of a run, in the run's event loop. The key is loaded, and a passphrase asked for, when it is needed."""

    runner: asyncio.Runner
    press: Callable[[], Press]
    _sealer: Sealing | None = None

    def prepare(self) -> None:
        """Does all that may fail before the first manifest.

        Raises:
            SealtoolError: the key or a service cannot be used.
        """
        self.runner.run(self.loaded().prepare())

    def of_manifest(self, content: bytes) -> bytes:
        """A detached seal that our own verifier has passed; SealtoolError where there is none."""
        return self.runner.run(self.press().seal_manifest(self.loaded(), content))

    @property
    def is_loaded(self) -> bool:
        """Whether something needed it."""
        return self._sealer is not None

    def close(self) -> None:
        """Lets go of connections."""
        if self._sealer is not None:
            self.runner.run(self._sealer.aclose())

    def loaded(self) -> Sealing:
        """What seals; SealtoolError where the key cannot be had."""
        if self._sealer is None:
            self._sealer = self.press().sealing()
        return self._sealer


@dataclass(frozen=True, slots=True)
class Listing:
    """Writes the manifest of a run.

    Attributes:
        recording: of the run.
        imprint: what goes into every manifest.
        seal: content -> its detached seal, which our own verifier has passed.
    """

    recording: Recording
    imprint: Imprint
    seal: Callable[[bytes], bytes]

    def write(self, run_id: RunId, facts: RunFacts, counts: Mapping[str, int]) -> str | None:
        """Lists every document that no manifest lists yet, or no longer as it is.

        Returns:
            Path of the manifest below the output folder; None where there is nothing to list, and none is written.

        Raises:
            SealtoolError: it could not be sealed or written; the next run lists its documents.
        """
        ledger, output, edge = self.recording.ledger, self.recording.output, self.recording.edge
        entries = ledger.entries_without_manifest()
        if not entries:
            return None
        path = manifest_path(run_id)
        manifest = self._manifest(entries, run_id, facts, counts)
        content = manifest.to_json()
        seal = self.seal(content)
        edge.on_step("manifest sealed")
        # The JSON comes last: where it is, its seal and its twin are.
        files = {f"{path}.p7s": seal, path.removesuffix(".json") + ".csv": manifest.to_csv(), path: content}
        digests = {name: sha256_hex(data) for name, data in files.items()}
        ledger.announce_manifest(run_id, [entry.path for entry in entries], digests, at=edge.now())
        edge.on_step("manifest announced")
        for name, data in files.items():
            output.publish(name, data)
            edge.on_step("manifest file published")
        ledger.confirm_manifest(run_id, digests[path], at=edge.now())
        edge.on_step("manifest confirmed")
        edge.tell(RunEvent.MANIFEST_WRITTEN, path=path, documents=len(entries))
        return path

    def _manifest(
        self, entries: Iterable[ManifestEntry], run_id: RunId, facts: RunFacts, counts: Mapping[str, int]
    ) -> Manifest:
        ledger = self.recording.ledger
        sequence, head = ledger.head()
        previous = ledger.last_manifest()
        valide = ValideEntry(address=self.imprint.valide_address, expected_verdict=self.imprint.valide_expected_verdict)
        return Manifest(
            run=RunEntry(
                run_id=run_id,
                created_at=self.recording.edge.now().astimezone(UTC),
                tool_version=self.imprint.tool_version,
                rules_version=facts.rules_version,
                rules_sha256=facts.rules_sha256,
                inputs=tuple(InputFile(name=one.name, sha256=one.sha256, rows=one.rows) for one in facts.sources),
                counts=counts,
                ledger_sequence=sequence,
                ledger_head=head,
                previous_manifest=previous and PreviousManifest(run_id=previous[0], sha256=previous[1]),
            ),
            documents=tuple(_document_entry(entry, valide, self.imprint.eni_organ, ledger.name) for entry in entries),
        )


def seal_on_record(entry: ManifestEntry, ledger: str) -> SealEntry:
    """What the ledger of that name says of a seal.

    Raises:
        LedgerInconsistentError: somebody wrote something else there.
    """
    try:
        return SealEntry.model_validate(entry.seal)
    except ValueError as error:
        raise changed_outside(ledger, f"document {entry.path}", error) from error


def _document_entry(entry: ManifestEntry, valide: ValideEntry, organ: str, ledger: str) -> DocumentEntry:
    seal = seal_on_record(entry, ledger)
    facts: dict[str, Any] = {
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
        "seal": seal,
        "provable_until": entry.provable_until,
        "eni": eni_metadata(organ, entry.certificate_id, entry.languages, sealed_at(seal)),
        "valide": valide,
    }
    try:
        return DocumentEntry.model_validate(facts)
    except ValueError as error:
        raise changed_outside(ledger, f"document {entry.path}", error) from error
