"""What a seal looks like: level, digest, and what is said about it. Pure values."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sealtool.model import PadesLevel


class DigestAlgorithm(StrEnum):
    """Digest algorithms a seal may use; the values are the names the CMS libraries know (ETSI TS 119 312)."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """An explicit signature policy: makes the seal an EPES (EN 319 122-1, 5.2.9).

    Attributes:
        oid: the policy, dotted.
        digest: hash of the policy document.
        digest_algorithm: algorithm of that hash (``sha1`` for the AGE policy 1.9).
        uri: where the policy can be read; empty for none.
    """

    oid: str
    digest: bytes
    digest_algorithm: str
    uri: str = ""


KNOWN_POLICIES: Mapping[str, SignaturePolicy] = MappingProxyType(
    {
        # Política de Firma Electrónica y de Certificados de la Administración General del Estado, version 1.9. Its
        # publisher names the document by a SHA-1; no seal rests on that, it only tells documents apart.
        "AGE-1.9": SignaturePolicy(
            oid="2.16.724.1.3.1.1.2.1.9",
            digest=base64.b64decode("G7roucf600+f03r/o0bAOQ6WAs0="),
            digest_algorithm="sha1",
            uri="https://sede.060.gob.es/politica_de_firma_anexo_1.pdf",
        )
    }
)
"""Policies that a configuration may name."""


@dataclass(frozen=True, slots=True)
class SealingProfile:
    """How to seal.

    Attributes:
        level: the level every document must reach; one that cannot be reached is an error, never a lower level.
        digest: for the document, the seal and its time stamps.
        reason: why it was sealed (``/Reason``); empty for none.
        location: where (``/Location``); empty for none.
        contact: how to reach who sealed (``/ContactInfo``); empty for none.
        policy: the signature policy, None for none.
    """

    level: PadesLevel
    digest: DigestAlgorithm = DigestAlgorithm.SHA256
    reason: str = ""
    location: str = ""
    contact: str = ""
    policy: SignaturePolicy | None = None

    @property
    def stamped(self) -> bool:
        """Whether the level demands a time stamp of the seal (EN 319 142-1, 6.3: from B-T on)."""
        return self.level is not PadesLevel.B_B

    @property
    def long_term(self) -> bool:
        """Whether the level demands validation data in the document (EN 319 142-1, 6.3: from B-LT on)."""
        return self.level.carries_validation_data

    @property
    def archival(self) -> bool:
        """Whether the level demands a document time stamp over everything (EN 319 142-1, 6.3: B-LTA)."""
        return self.level is PadesLevel.B_LTA
