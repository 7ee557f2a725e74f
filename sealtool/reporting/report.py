"""What every report says besides the judgements: what was judged, when, by what, and on whose word."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from sealtool.auditing import Audit


@dataclass(frozen=True, slots=True)
class Anchor:
    """A certificate of an authority that was trusted as such."""

    subject: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Report:
    """An audit with its circumstances.

    Attributes:
        asked: the paths as the user named them.
        judged_at: the moment of judgement, aware.
        anchors: whom was trusted; nothing inside the files was.
        organizations: whose seals counted; empty where any organisation's did.
        by_trusted_lists: whether trusted lists were asked, too.
    """

    audit: Audit
    asked: tuple[str, ...]
    judged_at: datetime
    tool_version: str
    anchors: tuple[Anchor, ...]
    organizations: tuple[str, ...] = ()
    by_trusted_lists: bool = False


def anchors_of(certificates: Iterable[bytes]) -> tuple[Anchor, ...]:
    """The anchors (DER) as a report shows them."""
    return tuple(
        Anchor(x509.load_der_x509_certificate(der).subject.rfc4514_string(), hashlib.sha256(der).hexdigest())
        for der in certificates
    )


def printable(text: str) -> str:
    """The same, with what does not print as an escape: no name can forge a line, or break a document."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
