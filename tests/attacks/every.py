"""All attacks, in the order of the published table."""

from __future__ import annotations

from tests.attacks import forged_seals, insiders, raw_bytes, signers_and_times, updates
from tests.attacks.catalogue import Attack, Group, flattened

_ORDER = list(Group)

ATTACKS: tuple[Attack, ...] = tuple(
    sorted(
        flattened(room.attacks() for room in (raw_bytes, updates, insiders, forged_seals, signers_and_times)),
        key=lambda attack: _ORDER.index(attack.group),
    )
)
