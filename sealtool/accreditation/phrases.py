"""How explanations put days, hours, areas and rows of the registry into words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from sealtool.model import Activity, Area, DirectGrant

_LONGEST_TITLE = 60


def hours_in_words(hours: Decimal) -> str:
    """``20 h``, ``7.5 h``: no trailing zeros, no exponent."""
    text = f"{hours:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} h"


def listed(parts: Sequence[str], conjunction: str = "and") -> str:
    """``1, 2 and 3``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {conjunction} {parts[-1]}"


def areas_in_words(areas: Iterable[Area]) -> str:
    """``area 2``, ``areas 2 and 3``."""
    numbers = [str(int(area)) for area in areas]
    return f"{'area' if len(numbers) == 1 else 'areas'} {listed(numbers)}"


def number_of_areas(count: int) -> str:
    """``1 area``, ``2 areas``."""
    return f"{count} {'area' if count == 1 else 'areas'}"


def titled(activity: Activity) -> str:
    """``ACT-3 "Title"``: the title on one line, cut where it is long."""
    title = " ".join(activity.title.split())
    if len(title) > _LONGEST_TITLE:
        title = f"{title[: _LONGEST_TITLE - 1]}…"
    return f'{activity.activity_id} "{title}"' if title else activity.activity_id


def grant_in_words(grant: DirectGrant) -> str:
    """``test T-1 of 2024-05-01 (B1, area 4)``."""
    scope = "all areas" if grant.area is None else f"area {int(grant.area)}"
    return f"{grant_name(grant)} ({grant.level}, {scope})"


def grant_name(grant: DirectGrant) -> str:
    """``test T-1 of 2024-05-01``; without the reference where the registry has none."""
    return " ".join(filter(None, (grant.procedure.value, grant.reference, f"of {grant.granted_on}")))
