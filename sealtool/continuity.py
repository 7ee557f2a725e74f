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
from sealtool.publishing import OutputFolder

_ROLLED_BACK = (
    "Do not issue. Most likely the ledger was restored from an old backup: restore a newer one, together with its "
    "-wal file, or have the missing part entered again by hand."
)
_NAMED: Final = 5


def insist_on_continuity(ledger: Ledger, output: OutputFolder) -> None:
    """Raises what :func:`broken_continuity` finds.

    Raises:
        LedgerInconsistentError: ledger and output folder contradict each other.
        OutputError: the output folder cannot be read.
    """
    finding = broken_continuity(ledger, output)
    if finding is not None:
        raise finding


def broken_continuity(ledger: Ledger, output: OutputFolder) -> LedgerInconsistentError | None:
    """What speaks against going on, None when nothing does.

    The newest manifest pins an event of the ledger; from there on the chain of events is followed. Every document
    in the output folder must be known to the ledger. A missing document is not looked at here (``status`` does),
    unless all are missing: then the folder itself is not the right one.
    """
    known = ledger.document_paths()
    present = output.documents() if output.exists() else frozenset()
    issued = ledger.issued_paths()
    if issued and not issued & present:
        return LedgerInconsistentError(
            f"The ledger knows {len(issued)} issued documents, but none of them is in {output.root}: the folder was "
            "moved, or its disk is not mounted.",
            advice="Put the folder back, or correct output.folder.",
        )
    pinned = 0
    manifest = max(output.manifests(), default=None)
    if manifest is not None:
        try:
            run = parse_manifest(output.read(manifest) or b"").run
        except ValueError as error:
            return LedgerInconsistentError(
                f"The newest manifest {manifest} cannot be read ({error}), so nobody can tell whether the ledger is "
                "the one that wrote it.",
                advice="Restore the manifest from a backup.",
            )
        pinned = run.ledger_sequence
        if ledger.event_hash(pinned) != run.ledger_head:
            return LedgerInconsistentError(
                f"The manifest {manifest} was written when the ledger had event {pinned} "
                f"({run.ledger_head[:12]}…); this ledger does not have it.",
                advice=_ROLLED_BACK,
            )
    if broken := ledger.broken_link(after=pinned):
        return LedgerInconsistentError(
            f"The ledger was changed outside sealtool: {broken}.", advice="Restore it from a backup."
        )
    if unknown := sorted(present - known):
        return _unknown(output, unknown)
    return None


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
