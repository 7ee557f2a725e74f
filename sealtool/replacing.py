"""Files that are written again and again under the same name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from sealtool.errors import OutputError, UsageError

_ENOUGH = 4096
"""Bytes by which an earlier file is known."""

_METRICS: Final = b"# HELP sealtool_"
"""What every file of metrics begins with that was written here."""


def insist_on_replaceable(output: Path, is_earlier: Callable[[bytes], bool], what: str) -> None:
    """A newer file takes the place of an earlier one of its kind, and of nothing else: a slip must not cost a ledger.

    Args:
        output: where it is to go.
        is_earlier: whether a file that begins so is of that kind.
        what: how messages call the kind.

    Raises:
        UsageError: something else is there.
        OutputError: nobody can tell what is there.
    """
    try:
        beginning = _beginning_of(output)
    except OSError as error:
        raise OutputError(
            f"{output} cannot be written or read: {error.strerror or error}. Nothing was written.",
            advice="Name another file, or look at its permissions and those of its folder.",
        ) from error
    if beginning is not None and not is_earlier(beginning):
        raise UsageError(
            f"{output} is there already, and it is no {what}. Nothing was written.",
            advice="Name another file, or move this one away.",
        )


def insist_on_place_for_metrics(path: Path) -> None:
    """Metrics take the place of metrics, or of an empty file.

    Raises:
        UsageError: something else is there.
        OutputError: nobody can tell what is there.
    """
    insist_on_replaceable(path, lambda beginning: not beginning or beginning.startswith(_METRICS), "file of metrics")


def _beginning_of(output: Path) -> bytes | None:
    if output.is_symlink() or (output.exists() and not output.is_file()):
        raise UsageError(f"{output} is no regular file, so nothing was written.", advice="Name another file.")
    if not output.exists():
        return None
    with output.open("rb") as file:
        return file.read(_ENOUGH)
