"""The check of an installation, before it matters: each part is looked at by itself, and none stops the others."""

from sealtool.checkup.checks import CHECK_NAMES, CLUSTER_CHECK_NAMES, checks_of
from sealtool.checkup.findings import Check, CheckUp, Finding, State, examine
from sealtool.checkup.installation import Installation

__all__ = [
    "CHECK_NAMES",
    "CLUSTER_CHECK_NAMES",
    "Check",
    "CheckUp",
    "Finding",
    "Installation",
    "State",
    "checks_of",
    "examine",
]
