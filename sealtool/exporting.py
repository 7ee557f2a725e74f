"""What was issued, for the archive: in the exchange format of the Esquema Nacional de Interoperabilidad."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sealtool.eni import eni_document, eni_metadata
from sealtool.errors import LedgerInconsistentError
from sealtool.ledger import Ledger, ManifestEntry
from sealtool.listing import seal_on_record
from sealtool.manifest import SealEntry, sealed_at
from sealtool.publishing import OutputFolder


@dataclass(slots=True)
class ExportReport:
    """What an export did.

    Attributes:
        written: names of the files that are new, or new again because their document was renewed.
        unchanged: how many were there already.
        findings: documents that were left out, and why: what is in the output folder is not what was issued.
    """

    written: list[str] = field(default_factory=list)
    unchanged: int = 0
    findings: list[str] = field(default_factory=list)


def export_eni(ledger: Ledger, output: OutputFolder, target: Path, organ: str) -> ExportReport:
    """Writes an XML file for every document that was ever issued, superseded and withdrawn ones included.

    Args:
        ledger: says what was issued.
        output: where the documents are.
        target: the folder of the XML files; made where it is not there.
        organ: DIR3 code of the issuing office.

    Raises:
        OutputError: a file cannot be read or written, or the target lies in the output folder.
    """
    output.insist_on_elsewhere(target)
    exported, report = OutputFolder(target), ExportReport()
    exported.prepare()
    for entry in ledger.entries():
        content = _content(output, entry.path)
        if content is None or sha256(content).hexdigest() != entry.sha256:
            trouble = "is missing" if content is None else "is not the file that was issued"
            report.findings.append(f"{entry.path} {trouble}; it was not exported.")
            continue
        _export(entry, seal_on_record(entry, ledger.name), content, exported, organ, report)
    return report


def _content(output: OutputFolder, path: str) -> bytes | None:
    """What has that name; nothing of what is no file, and so not what was issued."""
    try:
        return output.read(path)
    except LedgerInconsistentError:
        return b""


def _export(  # noqa: PLR0913, PLR0917 - what one document needs
    entry: ManifestEntry, seal: SealEntry, content: bytes, exported: OutputFolder, organ: str, report: ExportReport
) -> None:
    metadata = eni_metadata(organ, entry.certificate_id, entry.languages, sealed_at(seal))
    name, document = f"{metadata['Identificador']}.xml", eni_document(metadata, content)
    present = exported.sha256(name)
    if present == sha256(document).hexdigest():
        report.unchanged += 1
        return
    if present is None:
        exported.publish(name, document)
    else:
        exported.replace(name, document, replaces=present)
    report.written.append(name)
