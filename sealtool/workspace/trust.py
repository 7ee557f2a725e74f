"""Whom the verifier trusts, by the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from sealtool.errors import ConfigurationError
from sealtool.settings import Settings

if TYPE_CHECKING:
    from sealtool.verification import Trust


def insist_on_anchors(anchors: Sequence[Path]) -> None:
    """Refuses to go on where nobody is trusted; reads nothing.

    Raises:
        ConfigurationError: no trust anchor is configured.
    """
    if not anchors:
        raise ConfigurationError(
            "No trust anchor is configured, so nothing can be verified.",
            advice="Set trust.anchors to the certificates of the authorities that issued seal and time stamps.",
        )


def read_trust(settings: Settings, trusted_lists: Sequence[Path], *, now: datetime) -> Trust:
    """Whom to trust, with these trusted lists.

    Raises:
        ConfigurationError: no trust anchor is configured, or one cannot be read; or a trusted list cannot be
            believed.
    """
    from sealtool.verification import load_trust

    handed_in = (*settings.trust.anchors, *trusted_lists)
    insist_on_anchors(handed_in)
    lists = [Path(file) for pattern in settings.revocation.crls for file in sorted(glob(pattern))]  # noqa: PTH207 - absolute
    return load_trust([*handed_in, *lists], settings.trust.organizations, now=now)
