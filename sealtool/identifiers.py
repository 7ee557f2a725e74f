"""Names that leave the house: certificate ids and run ids.

A certificate id is four groups of five characters, ``7K3M9-PQ2XA-0DV4T-8HJ5C``: nineteen random characters of
Crockford's base 32 (95 bits) and one check character, ISO 7064 MOD 37,36 over the other nineteen. It says
nothing about anybody.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from sealtool.model import CertificateId, RunId

RandomBytes = Callable[[int], bytes]
"""A source of cryptographically strong random bytes, such as :func:`os.urandom`."""

_RANDOM_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECK_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_GROUP: Final = 5
_RANDOM_CHARACTERS: Final = 19
_RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")
_CERTIFICATE_ID = re.compile(r"(?:[0-9A-Z]{5}-){3}[0-9A-Z]{5}")


def new_certificate_id(random_bytes: RandomBytes) -> CertificateId:
    """An id that nobody can guess. 256 is a multiple of 32, so every character is equally likely.

    Drawn again until its check character, too, is one that nobody mistakes for another on the telephone.
    """
    while True:
        body = "".join(_RANDOM_ALPHABET[byte % 32] for byte in random_bytes(_RANDOM_CHARACTERS))
        whole = body + _check_character(body)
        if whole[-1] in _RANDOM_ALPHABET:
            break
    return CertificateId("-".join(whole[start : start + _GROUP] for start in range(0, len(whole), _GROUP)))


def parse_certificate_id(text: str) -> CertificateId | None:
    """The id in canonical form, forgiving case, spaces and missing hyphens; None where it is no id."""
    compact = re.sub(r"[\s-]", "", text).upper()
    whole = "-".join(compact[start : start + _GROUP] for start in range(0, len(compact), _GROUP))
    if not _CERTIFICATE_ID.fullmatch(whole) or _check_character(compact[:-1]) != compact[-1]:
        return None
    return CertificateId(whole)


def new_run_id(now: datetime, random_bytes: RandomBytes) -> RunId:
    """A run id that sorts by time: start in UTC and 24 random bits."""
    return RunId(f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{random_bytes(3).hex()}")


def is_run_id(text: str) -> bool:
    """Whether it has the form of a run id."""
    return _RUN_ID.fullmatch(text) is not None


def start_of_run(run_id: RunId) -> datetime:
    """The moment that a run id begins with, in UTC."""
    return datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _check_character(body: str) -> str:
    """ISO 7064 MOD 37,36 (hybrid system) check character."""
    product = 36
    for character in body:
        total = (product + _CHECK_ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _CHECK_ALPHABET[(37 - product) % 36]
