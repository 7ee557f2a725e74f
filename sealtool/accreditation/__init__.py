"""The law: pure functions from what the registry says of a person to what that person has obtained."""

from sealtool.accreditation.assessing import assess, assess_levels, decide
from sealtool.accreditation.explaining import explain
from sealtool.accreditation.findings import AreaExplanation, Finding, FindingCode, LevelExplanation
from sealtool.accreditation.parameter_files import available_rules, load_rules, parse_rules
from sealtool.accreditation.rules import Clause, Rules
from sealtool.accreditation.wording import render_text

__all__ = [
    "AreaExplanation",
    "Clause",
    "Finding",
    "FindingCode",
    "LevelExplanation",
    "Rules",
    "assess",
    "assess_levels",
    "available_rules",
    "decide",
    "explain",
    "load_rules",
    "parse_rules",
    "render_text",
]
