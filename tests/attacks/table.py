"""The published table: every attack beside what each judge says of it (docs/attacks.md)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealtool.model import PadesLevel
from tests.attacks.catalogue import Attack, Group, shop_evidence
from tests.attacks.every import ATTACKS
from tests.attacks.judges import JUDGES, Case, Word
from tests.attacks.workshop import LEVELS, Workshop

OURS = "sealtool verify"

_HEAD = """\
# Attacks

{count} ways to make a certificate say something else, or to make something else look like a certificate; each was
carried out, and the result handed to `sealtool verify` and to four programs that nobody here wrote. The classes are
those of the public research on signed PDF files ("1 Trillion Dollar Refund", 2019; "Shadow Attacks", 2021; "Certified
PDF", 2021), and what else a forger may try with seals, certificates and time stamps. The attacks are in
`tests/attacks/`, `make test` tries them all on `sealtool verify`, `make attacks` writes this page anew, and `make
interop` holds it true.

- [In one look](#in-one-look)
- [How to read it](#how-to-read-it)
- [Where DSS and `sealtool verify` differ, and why](#where-dss-and-sealtool-verify-differ-and-why)
- [All of them](#all-of-them)

## In one look

| judge | version | good | noticed | bad | crash |
|---|---|---|---|---|---|
{summary}

Untampered files: {bases}.

Besides, by `make fuzz`: every byte of small files at each level changed one at a time (by default a sample of about
7,000 changes), and thousands of structural changes to PDF objects and to the signed message. None passed here.

## How to read it

| word | meaning |
|---|---|
| good | the judge calls the seal valid, and says nothing against the file |
| noticed | it calls the seal valid, and says something beside it: bytes not covered, edits since, a second seal |
| bad | not valid, not concluded, or no seal found |
| crash | no answer, but an error that was not meant as one |

- `sealtool verify` is told with the first of its reasons ([auditor's guide](auditor.md#reason-codes)).
- `pdfsig` and `mutool` are asked without any trusted authority: they judge the bytes, not who sealed them.
- `mutool` cannot judge document time stamps, so it notices "edits since signing" on each archived file.
- pyHanko is asked with `validate_pdf_signature`, its default policies for differences and algorithms, the same
  anchor, revocation lists and moment; its word is the `bottom_line`, "noticed" where that covers less than the file.
- DSS is asked with its default policy, the same anchor, lists and moment. "Noticed" is TOTAL_PASSED with a scope that
  is not the full file, a second signature, a time stamp that did not pass, or a warning about the content.
- The level is that of the seal that was attacked. Where a line says *stamped*, a time stamp of a trusted authority
  covers the forgery: anybody can buy one.

## Where DSS and `sealtool verify` differ, and why

A general validator answers whether a signature is valid; `sealtool verify` answers whether a file is, to its last
byte, a certificate as it was issued. So DSS is milder, by design, where the sealed revision is intact and something
follows it: its verdict is about that revision, and who reads the scope and the warnings is told.

{differences}

"""

NOTES: Mapping[Group, str] = {
    Group.APPENDED: "The sealed revision is intact; DSS tells by the scope (PARTIAL) that bytes follow it.",
    Group.UPDATE: "Likewise. DSS compares pages and objects before and after, and warns, or fails where pages differ "
    "in number; an update is no reason to fail as such.",
    Group.STAMPED: "The time stamp is sound and covers the whole file, so even the scope is full. What remains are the "
    "warnings about changed objects; none for changes that archiving might make, too.",
    Group.SHADOW: "As for other updates: the change is warned of, not failed.",
    Group.FORGERY: "The seal's dictionary was written once more, unchanged, which DSS does not mind.",
    Group.FIELDS: "A second signature, an empty field or another field name is nothing bad in general; a certificate "
    "has one seal, in one field.",
    Group.UNPROTECTED: "The value of the seal can be written in other ways that mean the same. `sealtool verify` "
    "accepts the one that sealing writes: otherwise two different files would be the same certificate.",
    Group.STRUCTURE: "Objects that no table lists are nothing to a program that follows the tables. Programs that "
    "repair files show them.",
    Group.INSIDE: "Sealed as they are, so they are validly sealed. They are no certificates: these hold one record, "
    "plain links, and nothing that acts.",
    Group.SIGNER: "DSS's default policy is not about seals of one organisation, sets no limit to the age of a "
    "revocation list, and follows the latest of several answers.",
    Group.TIME: "DSS judges the time stamp apart from the seal, and finds validation data also in older revisions; "
    "here, a time stamp that does not hold is an objection to the file, and so is a time in the wrong order.",
    Group.BROKEN: "The sealed revision is there as a whole; what was cut stood behind it.",
}


@dataclass(frozen=True)
class Row:
    """A line of the table: what a judge is called, and what it said."""

    name: str
    level: PadesLevel
    group: Group | None
    description: str
    words: Mapping[str, str]


def carried_out(shop: Workshop, folder: Path) -> list[tuple[Attack | PadesLevel, Case]]:
    """Every attack as a file; first, by their level, the untampered ones."""
    found: list[tuple[Attack | PadesLevel, Case]] = []
    folder.mkdir()
    for what in (*LEVELS, *ATTACKS):
        evidence = what.forged(shop) if isinstance(what, Attack) else shop_evidence(shop, shop.issued[what])
        path = folder / f"{len(found):03}.pdf"
        path.write_bytes(evidence.content)
        found.append((what, Case(path, evidence)))
    return found


def judged(shop: Workshop, folder: Path, judges: Sequence[str] = tuple(JUDGES)) -> list[Row]:
    """Every file before each of the judges named."""
    files = carried_out(shop, folder / "files")
    words: dict[str, list[str]] = {}
    for number, name in enumerate(judges):
        place = folder / f"judge-{number}"
        place.mkdir()
        words[name] = JUDGES[name].ask([case for _, case in files], place)
    return [_row(what, {name: words[name][index] for name in judges}) for index, (what, _) in enumerate(files)]


def _row(what: Attack | PadesLevel, words: Mapping[str, str]) -> Row:
    if isinstance(what, Attack):
        return Row(what.name, what.level, what.group, what.description, words)
    return Row("untampered", what, None, "", words)


def written(rows: Sequence[Row], versions: Mapping[str, str]) -> str:
    """The page, in Markdown."""
    attacks = [row for row in rows if row.group is not None]
    head = _HEAD.format(
        count=len(attacks),
        summary="\n".join(_summary(name, version, attacks) for name, version in versions.items()),
        bases="; ".join(
            f"{row.level}: " + ", ".join(f"{name} *{word}*" for name, word in row.words.items())
            for row in rows
            if row.group is None
        ),
        differences="\n".join(_differences(attacks)),
    )
    return head + "## All of them\n" + "".join(_section(group, attacks, list(versions)) for group in Group)


def _summary(name: str, version: str, attacks: Sequence[Row]) -> str:
    counts = Counter(row.words[name].split()[0] for row in attacks)
    numbers = [f"**{counts[word]}**" if word == Word.GOOD else str(counts[word]) for word in Word]
    return f"| {name} | {version} | {' | '.join(numbers)} |"


def _differences(attacks: Sequence[Row]) -> list[str]:
    lines = ["| attacks | good | noticed | of | why |", "|---|---|---|---|---|"]
    for group in Group:
        counts = Counter(row.words["DSS"] for row in attacks if row.group is group)
        if counts[Word.GOOD] + counts[Word.NOTICED]:
            numbers = (counts[Word.GOOD], counts[Word.NOTICED], counts.total())
            lines.append(f"| {group} | {' | '.join(map(str, numbers))} | {NOTES[group]} |")
    return lines


def _section(group: Group, attacks: Sequence[Row], judges: Sequence[str]) -> str:
    lines = [f"\n### {group}\n", f"| attack | what was done | seal | {' | '.join(judges)} |"]
    lines.append("|---" * (3 + len(judges)) + "|")
    for row in attacks:
        if row.group is group:
            words = " | ".join(row.words[name] for name in judges)
            lines.append(f"| {row.name} | {row.description} | {row.level} | {words} |")
    return "\n".join(lines) + "\n"


_VERSION = re.compile(r"^\| ([^|]+?) \| ([0-9][^|]*?) \| \*\*\d+\*\* \|", re.MULTILINE)


def recorded_versions(page: str) -> dict[str, str]:
    """The judges of the published page."""
    return dict(_VERSION.findall(page))


def recorded_words(page: str) -> dict[str, dict[str, str]]:
    """By attack and judge, what the published page says."""
    judges = list(recorded_versions(page))
    found = {}
    for line in page[page.index("## All of them") :].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 + len(judges) and cells[0] != "attack":
            found[cells[0]] = dict(zip(judges, cells[3:], strict=True))
    return found
