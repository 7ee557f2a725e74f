"""An explanation as text: what an operator reads to a teacher on the telephone."""

from __future__ import annotations

from collections.abc import Iterator

from sealtool.accreditation.findings import AreaExplanation, Finding, FindingCode, LevelExplanation
from sealtool.accreditation.phrases import listed
from sealtool.model import Area

_OTHER_WAY = FindingCode.MAY_BE_GRANTED
"""Said once, behind all missing areas."""

_TOLD_BELOW = frozenset(
    {
        FindingCode.INDICATOR_OF_LEFT_OUT_ACTIVITY,
        FindingCode.GRANT_OF_LOWER_LEVEL,
        FindingCode.GRANT_NOT_LAWFUL,
    }
)
"""Reasons that concern several areas alike: the part on what was left out gives them in full, once."""


def render_text(explanation: LevelExplanation) -> str:
    """The explanation of one level in plain English, several lines, no newline at the end.

    Areas that lack the same things are told together. It names neither the person nor the DNI/NIE.
    """
    lines = [_verdict(explanation), *_covered(explanation), *_missing(explanation)]
    for heading, findings in (("left out:", explanation.left_out), ("not needed:", explanation.not_needed)):
        if findings:
            lines += [f"  {heading}", *(f"    - {_sentence(finding)}" for finding in findings)]
    lines.append(f"  rules: {explanation.rules_version}, {explanation.rules_title}")
    return "\n".join(_printable(line) for line in lines)


def _verdict(explanation: LevelExplanation) -> str:
    level, held = explanation.level, [str(int(area.area)) for area in explanation.assessment.areas]
    if explanation.by_area:
        verdict = f"accredited area by area; held: {listed(held) if held else 'none'}"
    elif explanation.accredited_on is not None:
        verdict = f"accredited since {explanation.accredited_on}, the day of the last area"
    else:
        verdict = f"not accredited; {len(held)} of {len(Area)} areas are covered"
    return f"{level}: {verdict} [{explanation.clause}]"


def _covered(explanation: LevelExplanation) -> Iterator[str]:
    return (f"  {_name(area)}: {area.text}" for area in explanation.areas if area.covered is not None)


def _missing(explanation: LevelExplanation) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[AreaExplanation]] = {}
    for area in explanation.areas:
        if area.covered is None:
            alike.setdefault(tuple(_reasons(area)), []).append(area)
    for reasons, areas in alike.items():
        names = "all six areas" if len(areas) == len(Area) else listed([_name(area) for area in areas])
        yield f"  {names}: missing"
        yield from (f"    - {reason}" for reason in reasons)
    other_ways = {_sentence(one) for area in explanation.areas for one in area.missing if one.code is _OTHER_WAY}
    yield from (f"  what is missing {other_way}" for other_way in other_ways)


def _reasons(area: AreaExplanation) -> Iterator[str]:
    told_elsewhere = {*_TOLD_BELOW, _OTHER_WAY}
    yield from (_sentence(finding) for finding in area.missing if finding.code not in told_elsewhere)
    below = [subject for finding in area.missing if finding.code in _TOLD_BELOW for subject in finding.subjects]
    if below:
        yield f"named in {listed(below)}: left out, as told below"


def _name(area: AreaExplanation) -> str:
    return f"area {int(area.area)} ({area.title})"


def _printable(line: str) -> str:
    """The line without characters a terminal would obey: titles, ids and references are what others typed."""
    return "".join(character for character in line if character.isprintable())


def _sentence(finding: Finding) -> str:
    return f"{finding.text} [{finding.clause}]" if finding.clause else finding.text
