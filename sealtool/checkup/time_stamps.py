"""The time stamp authorities, each by itself: the second one is needed on the day the first one fails."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from sealtool.checkup.findings import Finding, ok, problem, warning
from sealtool.checkup.installation import Installation
from sealtool.checkup.seal import SOON
from sealtool.errors import ConfigurationError, SealtoolError
from sealtool.model import PadesLevel
from sealtool.sealing import TimeStampAuthority, load_trust_anchors
from sealtool.sealing.trial import try_authority
from sealtool.sealing.trust import CLOCK_SKEW, Trust

TIME_STAMP_AUTHORITY: Final = "time-stamp-authority"


def time_stamp_authority(installation: Installation, authority: TimeStampAuthority) -> Finding:
    """Whether an authority stamps, is trusted, for how long, and what its clock says."""
    trust = Trust(load_trust_anchors(installation.settings.trust.anchors), (), installation.revocation())
    facts = asyncio.run(try_authority(authority, installation.profile(), trust, installation.now))
    days = (facts.first_end - installation.now()) // timedelta(days=1)
    trusted = "leads to a trust anchor" if facts.trusted else "was not judged, for want of trust anchors"
    said = (
        f"{authority.name} stamps; its certificate {trusted}, and the first one on the way ends "
        f"{facts.first_end:%Y-%m-%d} (in {days} days). Its clock differs from ours by {_seconds(facts.ahead)}."
    )
    if abs(facts.ahead) > CLOCK_SKEW:
        advice = "Set the clock of this machine (NTP); if it is right, ask the authority."
        return warning(TIME_STAMP_AUTHORITY, said, advice)
    if facts.first_end - installation.now() < SOON:
        return warning(
            TIME_STAMP_AUTHORITY,
            said,
            "Ask the authority for its successor. What it stamped needs another archive time stamp before then.",
        )
    return ok(TIME_STAMP_AUTHORITY, said)


def unusable(error: SealtoolError) -> Finding:
    """The authorities cannot be made ready at all."""
    return problem(TIME_STAMP_AUTHORITY, error)


def none_configured(installation: Installation) -> Finding:
    """No authority is named, which one level allows."""
    level = installation.settings.seal.level
    if level is PadesLevel.B_B:
        return ok(TIME_STAMP_AUTHORITY, "None is configured, and none is needed at B-B.")
    raise ConfigurationError(
        f"No time stamp authority is configured, and the level {level} cannot be reached without one.",
        advice="Set time_stamp.urls.",
    )


def _seconds(difference: timedelta) -> str:
    # time stamps often tell whole seconds
    return "no more than a second" if abs(difference) <= timedelta(seconds=1) else f"{difference.total_seconds():.0f} s"
