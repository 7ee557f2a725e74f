"""What a deployment may choose about the reading of its exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from sealtool.errors import ConfigurationError
from sealtool.registry.layout import CANONICAL_COLUMNS

Encoding = Literal["utf-8", "windows-1252"]


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """How an export is to be read.

    Attributes:
        encoding: of all CSV files of the export; a byte order mark is allowed with ``utf-8``.
        aliases: further header names, each with the canonical English column it stands for.
        max_shrink: the share of its rows, 0 to 1, that a file may lose since the last run.

    Raises:
        ConfigurationError: one of them means nothing.
    """

    encoding: Encoding = "utf-8"
    aliases: Mapping[str, str] = field(default_factory=dict)
    max_shrink: float = 0.10

    def __post_init__(self) -> None:
        if self.encoding not in get_args(Encoding):
            raise ConfigurationError(
                f"registry.encoding is {self.encoding!r}, which this program does not read.",
                advice=f"Write one of {', '.join(get_args(Encoding))}.",
            )
        # written so that NaN fails too
        if not 0 <= self.max_shrink <= 1:
            raise ConfigurationError(
                f"registry.max_shrink is {self.max_shrink}, but it is a share of rows.",
                advice="Write a number from 0 to 1, such as 0.10 for a tenth.",
            )
        for header, column in self.aliases.items():
            if column not in CANONICAL_COLUMNS:
                raise ConfigurationError(
                    f"registry.aliases gives the header {header!r} the meaning {column!r}, which is no column.",
                    advice=f"Use one of {', '.join(sorted(CANONICAL_COLUMNS))}.",
                )
