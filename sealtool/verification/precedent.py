"""Judging like cases alike: the seals of one key differ in little, and most of a judgement is about what they share.

The library judges a message by its form, by the chain of its certificates at one moment, by the digest of what it
signs, and by its signature. For two messages that are the same but for digest and signature value, judged with the same
material at moments between which nothing begins or ends (:mod:`sealtool.verification.stretches`), form and chain come
out the same. So where the library has passed one of them, two questions are left for the other: does it name the right
digest, and is its signature good? Where either is not so, and for whatever else differs, the library judges from the
beginning. A precedent can spare work; it cannot change an outcome.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Generic, TypeVar

from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.sig_validate import DEFAULT_SIGNATURE_VALIDATOR, SignatureValidationContext

from sealtool.verification.message import Message, attribute_values, digest_of

T = TypeVar("T")

_KEPT: Final = 256
_PARTICULAR: Final = ("serial_number", "nonce", "message_imprint", "gen_time")


@dataclass(frozen=True, slots=True)
class Case:
    """A message, and what it should be over.

    Attributes:
        likeness: what another message must share to be like this one; empty where none can be.
        holds: whether what this one has of its own is right: its digests and its signature.
    """

    likeness: tuple[bytes, ...]
    holds: Callable[[], bool]


def case_of_seal(seal: Message, digest: bytes) -> Case:
    """A seal that should be over content with this digest; its time stamp, which is judged by itself, left out."""
    unsigned = seal.signer_info["unsigned_attrs"]
    own = [_named_digest(seal), seal.signature, *([unsigned.contents] if unsigned else [])]
    return Case(_without(seal.encoded, own), lambda: _named_digest(seal) == digest and _is_signed(seal))


def case_of_time_stamp(stamp: Message, imprint: Callable[[str], bytes]) -> Case:
    """A time stamp that should be over what ``imprint`` gives the digest of, by the name of the algorithm.

    When it was given is no part of the likeness: that is the moment at which it is judged.
    """
    info = stamp.time_stamp_info
    content = stamp.signed_data["encap_content_info"]["content"].contents
    stamped = info["message_imprint"]
    algorithm = stamped["hash_algorithm"]
    common = _without(stamp.encoded, [_named_digest(stamp), stamp.signature, content])
    if common:
        fields = (name for name in info if name not in _PARTICULAR)
        common += (*(info[name].dump() for name in fields), algorithm.dump())

    def holds() -> bool:
        return (
            stamped["hashed_message"].native == imprint(algorithm["algorithm"].native)
            and _named_digest(stamp) == digest_of((content,), stamp.digest_name)
            and _is_signed(stamp)
        )

    return Case(common, holds)


class Precedents(Generic[T]):
    """What was passed before, by all that it depended on. The oldest make room for the newest."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, T] = OrderedDict()

    def find(self, key: bytes) -> T | None:
        """What was passed under this key; None where nothing was."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: bytes, passed: T) -> None:
        """Remembers what was passed."""
        self._kept[key] = passed
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def key_of(*groups: Iterable[bytes]) -> bytes:
    """One key for groups of bytes: another for whatever differs in any of them, in their number or order."""
    digest = sha256()
    for group in groups:
        parts = tuple(group)
        digest.update(len(parts).to_bytes(8))
        for part in parts:
            digest.update(len(part).to_bytes(8))
            digest.update(part)
    return digest.digest()


def _without(encoded: bytes, own: Iterable[bytes]) -> tuple[bytes, ...]:
    """A message around what is its own, with the lengths of that; empty where that does not stand there once.

    What is cut out is whole values; so who has the same rest, and values of the same length, has the same structure.
    """
    pieces = [encoded]
    lengths = []
    for value in own:
        found = [at for at, piece in enumerate(pieces) for _ in range(piece.count(value))] if value else []
        if len(found) != 1:
            return ()
        (at,) = found
        before, _, behind = pieces[at].partition(value)
        pieces[at : at + 1] = [before, behind]
        lengths.append(len(value).to_bytes(8))
    return (*lengths, *pieces)


def _named_digest(message: Message) -> bytes:
    """The digest that is signed; empty where there is not exactly one."""
    values = list(attribute_values(message.signer_info["signed_attrs"], "message_digest"))
    return bytes(values[0].native) if len(values) == 1 else b""


def _is_signed(message: Message) -> bool:
    signer = message.signer_info
    try:
        DEFAULT_SIGNATURE_VALIDATOR.validate_signature(
            message.signature,
            signer["signed_attrs"].untag().dump(),
            message.signer.public_key,
            signer["signature_algorithm"],
            context=SignatureValidationContext(contextual_md_algorithm=message.digest_name),
        )
    except InvalidSignature:
        return False
    return True
