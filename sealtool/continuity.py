"""Whether ledger and output folder tell one story. A ledger restored from an old backup does not know what was
issued since, and would issue it again; so nothing is done until a human has looked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from sealtool.errors import LedgerInconsistentError
from sealtool.identifiers import parse_certificate_id
from sealtool.ledger import Ledger
from sealtool.manifest import parse_manifest
from sealtool.publishing import MANIFESTS, OutputFolder

_ROLLED_BACK = (
    "Do not issue. Most likely the ledger was restored from an old backup: restore a newer one, together with its "
    "-wal file, or have the missing part entered again by hand."
)
_NAMED: Final = 5


def broken_continuity(ledger: Ledger, output: OutputFolder) -> LedgerInconsistentError | None:
    """What :func:`insist_on_continuity` raises, None when nothing speaks against going on."""
    try:
        insist_on_continuity(ledger, output)
    except LedgerInconsistentError as error:
        return error
    return None


def insist_on_continuity(ledger: Ledger, output: OutputFolder) -> None:
    """Raises what speaks against going on.

    The newest manifest pins an event of the ledger; from there on the chain of events is followed. Certificates have to
    stand as the events tell: on which there are depends what is issued. Every document in the output folder must be
    known to the ledger. A missing document or manifest is not looked at here (``status`` does), unless all are missing:
    then the folder itself is not the right one, or nothing pins the ledger any more.

    Raises:
        LedgerInconsistentError: ledger and output folder contradict each other.
        OutputError: the output folder cannot be read.
    """
    issued = ledger.issued_paths()  # before the folder is looked at, to which a run that goes on may add
    present = output.documents()
    if issued and not issued & present:
        raise LedgerInconsistentError(
            f"The ledger knows {len(issued)} issued documents, but none of them is in {output.root}: the folder was "
            "moved, or its disk is not mounted.",
            advice="Put the folder back, or correct output.folder.",
        )
    if broken := ledger.broken_link(after=_pinned(ledger, output)):
        raise LedgerInconsistentError(
            f"The ledger was changed outside sealtool: {broken}.", advice="Restore it from a backup."
        )
    if contradiction := ledger.contradiction():
        raise LedgerInconsistentError(
            f"The ledger was changed outside sealtool: {contradiction}.",
            advice="See what was changed with `sealtool ledger verify`, and restore it from a backup.",
        )
    if unknown := sorted(present - ledger.document_paths()):
        raise _unknown(output, unknown)


def _pinned(ledger: Ledger, output: OutputFolder) -> int:
    """The event of this ledger that the newest manifest pins, 0 before the first."""
    on_record = ledger.last_manifest()
    manifest = max(output.manifests(), default=None)
    if manifest is None:
        if on_record is None:
            return 0
        raise LedgerInconsistentError(
            f"The ledger knows of manifests, but {output.root / MANIFESTS} holds none of them, so nothing tells "
            "whether it is the ledger that wrote the newest one.",
            advice="Restore the folder of manifests from a backup.",
        )
    try:
        run = parse_manifest(output.read(manifest) or b"").run
    except ValueError as error:
        raise LedgerInconsistentError(
            f"The newest manifest {manifest} cannot be read ({error}), so nobody can tell whether the ledger is "
            "the one that wrote it.",
            advice="Restore the manifest from a backup.",
        ) from error
    if ledger.event_hash(run.ledger_sequence) != run.ledger_head:
        raise LedgerInconsistentError(
            f"The manifest {manifest} was written when the ledger had event {run.ledger_sequence} "
            f"({run.ledger_head[:12]}…); this ledger does not have it.",
            advice=_ROLLED_BACK,
        )
    return run.ledger_sequence


def missing_files(ledger: Ledger, output: OutputFolder) -> tuple[Sequence[str], Sequence[str]]:
    """The issued documents that are not there, and what is not there of manifests; looks at names alone."""
    documents = ledger.issued_paths() - output.documents()
    return sorted(documents), sorted(ledger.manifest_files() - output.beside_manifests())


def _unknown(output: OutputFolder, paths: Sequence[str]) -> LedgerInconsistentError:
    """What to make of documents that the ledger does not know: what is called as certificates are was issued."""
    if certificates := [path for path in paths if _is_called_as_certificates_are(path)]:
        documents = "1 document" if len(certificates) == 1 else f"{len(certificates)} documents"
        return LedgerInconsistentError(
            f"{output.root} holds {documents} that the ledger does not know, first {certificates[0]}.",
            advice=_ROLLED_BACK,
        )
    named = ", ".join(paths[:_NAMED]) + (f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else "")
    return LedgerInconsistentError(
        f"{output.root} holds what is no certificate by its name, so somebody else put it there: {named}.",
        advice="Move it away: only what was issued, and manifests, belong there. Then call again.",
    )


def _is_called_as_certificates_are(path: str) -> bool:
    name = PurePosixPath(path).name.partition(".")[0]
    return parse_certificate_id(name) == name
