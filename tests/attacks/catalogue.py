"""What an attack is, and how the groups of them are put down: one named case each.

The classes are those of the public research on signed PDF files ("1 Trillion Dollar Refund", 2019; "Shadow Attacks",
2021; "Certified PDF: evil annotation and sneaky signature", 2021), carried over to our certificates from their
descriptions, and what else a forger may try with a seal, its certificate and its time stamps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sealtool.model import PadesLevel
from sealtool.verification import Trust
from tests.attacks.workshop import LEVELS, Workshop


class Group(StrEnum):
    """In the order of the published table; the value is its heading."""

    APPENDED = "Behind the end of the file"
    UPDATE = "Changed by an incremental update"
    STAMPED = "Changed by an update, with a sound time stamp bought over it"
    SHADOW = "Prepared before sealing, switched afterwards (shadow attacks)"
    WRAPPING = "Signature wrapping"
    FORGERY = "Universal signature forgery"
    FIELDS = "Other seals, fields and permissions"
    UNPROTECTED = "Changed in place"
    STRUCTURE = "Tricks with the structure of the file"
    INSIDE = "Sealed, but showing or doing something of its own"
    SIGNER = "Certificates and algorithms"
    TIME = "Time stamps and validation data"
    BROKEN = "Broken, cut or no certificate at all"


@dataclass(frozen=True)
class Evidence:
    """A file, and what a judge of it may rely on."""

    content: bytes
    trust: Trust
    now: datetime


Make = Callable[[Workshop], Evidence]


@dataclass(frozen=True)
class Attack:
    """One way to deceive.

    Attributes:
        name: unique; names the test and the row of the table.
        description: what was done, one sentence.
        level: of the seal that was attacked.
        sound: the file before the decisive step; it passes.
        forged: the file that must not pass.
        codes: reason codes of which at least one must be given.
    """

    name: str
    group: Group
    description: str
    level: PadesLevel
    sound: Make
    forged: Make
    codes: frozenset[str]


@dataclass(frozen=True)
class OnIssued:
    """Declares attacks on certificates of the real ``issue`` command."""

    group: Group
    codes: tuple[str, ...]
    levels: tuple[PadesLevel, ...] = LEVELS

    def __call__(
        self, name: str, description: str, change: Callable[[bytes, Workshop], bytes], *codes: str
    ) -> list[Attack]:
        """One attack for each level; ``codes`` in place of those of the group."""
        return [
            Attack(
                f"{name}, {level}",
                self.group,
                description,
                level,
                lambda shop, level=level: shop_evidence(shop, shop.issued[level]),  # type: ignore[misc]
                lambda shop, level=level: shop_evidence(shop, change(shop.issued[level], shop)),  # type: ignore[misc]
                frozenset(codes or self.codes),
            )
            for level in self.levels
        ]


def shop_evidence(shop: Workshop, content: bytes) -> Evidence:
    return Evidence(content, shop.trust, shop.now)


def flattened(groups: Iterable[Iterable[Attack]]) -> tuple[Attack, ...]:
    return tuple(attack for group in groups for attack in group)
