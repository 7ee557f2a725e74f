"""The incremental update that carries a seal, and nothing else."""

from __future__ import annotations

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter


class SealWriter(IncrementalPdfFileWriter):
    """Leaves the document's own description alone.

    The library would stamp a modification date into Info and write the XMP packet anew with every update: the seal
    would no longer be over the document as it was laid out, its PDF/A identification would be at the library's mercy,
    and the archive time stamp would change a page description that was already sealed.
    """

    def _update_meta(self) -> None:
        """Nothing: a seal describes itself."""
