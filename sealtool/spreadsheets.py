"""CSV for spreadsheets: what tells them UTF-8, and what keeps them from computing."""

from __future__ import annotations

from typing import Final

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def as_text(cell: str, first_of_formula: tuple[str, ...]) -> str:
    """A text that a spreadsheet takes for text: one apostrophe more in front of what it might compute (CWE-1236).

    Args:
        cell: the text.
        first_of_formula: what such a text may begin with.
    """
    return f"'{cell}" if cell.startswith(first_of_formula) else cell
