"""Judging like cases alike: the seals of one key differ in little, and most of a judgement is about what they share.

The library judges a message by its form, by the chain of its certificates at one moment, by the digest of what it
signs, and by its signature. For two messages that are the same but for digest and signature value, judged with the same
material at moments between which nothing begins or ends (:mod:`sealtool.verification.stretches`), form and chain come
out the same. So where the library has passed one of them, two questions are left for the other: does it name the right
digest, and is its signature good? Where either is not so, and for whatever else differs, the library judges from the
beginning. A precedent can spare work; it cannot change an outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sealtool.verification.message import Message, digest_of
from sealtool.verification.signatures import is_signed

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
    return Case(seal.likeness, lambda: seal.named_digest == digest and _is_signed(seal))


def case_of_time_stamp(stamp: Message, imprint: Callable[[str], bytes]) -> Case:
    """A time stamp that should be over what ``imprint`` gives the digest of, by the name of the algorithm.

    When it was given is no part of the likeness: that is the moment at which it is judged.
    """
    info = stamp.time_stamp_info
    content = stamp.signed_data["encap_content_info"]["content"].contents
    stamped = info["message_imprint"]
    algorithm = stamped["hash_algorithm"]
    common = stamp.likeness
    if common:
        fields = (name for name in info if name not in _PARTICULAR)
        common += (*(info[name].dump() for name in fields), algorithm.dump())

    def holds() -> bool:
        return (
            stamped["hashed_message"].native == imprint(algorithm["algorithm"].native)
            and stamp.named_digest == digest_of((content,), stamp.digest_name)
            and _is_signed(stamp)
        )

    return Case(common, holds)


def _is_signed(message: Message) -> bool:
    signer = message.signer_info
    return is_signed(
        signer["signed_attrs"].untag().dump(),
        message.signature,
        message.signer.public_key,
        signer["signature_algorithm"],
        digest_name=message.digest_name,
    )
