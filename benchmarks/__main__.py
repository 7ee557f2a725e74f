"""Measures sealtool beside the stock tools, on one machine, in one run; writes docs/performance.md and .json.

    python -m benchmarks [--full] [--only NAME …]

Ratios count: absolute times are those of the machine. ``--full`` takes the sizes that the targets name (5,000
certificates in one run, a million participations, 2,000 files to verify), some twenty minutes; without it, a few.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import page
from benchmarks.authority import slow_authority
from benchmarks.material import (
    REPOSITORY,
    Folder,
    ask_authority_at,
    found,
    found_with_token,
    orders,
    registry,
    written_out,
)
from benchmarks.ways import Timing, command, issue, plain_loop, shell_loop

_JSON = REPOSITORY / "docs" / "performance.json"
_LATENCY_MS = 100


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        stock: certificates for the shell loop.
        plain: certificates for the plain loop.
        people: of the registry that is issued from; about three in twenty get a B1 certificate.
        many: of the registry for the memory of a long run; a fifth of them for a short one.
        planned: people of the smaller of two plans; the other has twice as many. Ten participations each.
        verified: about how many files are verified.
    """

    stock: int
    plain: int
    people: int
    many: int
    planned: int
    verified: int


_BRIEF = Size(stock=4, plain=12, people=14_000, many=34_000, planned=10_000, verified=500)
_FULL = Size(stock=10, plain=40, people=34_000, many=34_000, planned=50_000, verified=2_000)


@dataclass(frozen=True)
class Bench:
    """A place to work in, and how much is to be done there."""

    place: Path
    size: Size

    def folder(self, name: str, *, level: str = "B-B", workers: int = 2) -> Folder:
        return found(self.place / name, level=level, workers=workers)

    def registry(self, people: int, participations: int | None = None) -> Path:
        path = self.place / f"registry-{people}"
        return path if path.exists() else registry(path, people=people, participations=participations)


Measured = dict[str, Timing]


def issuing(bench: Bench) -> Measured:
    """The same certificates by the stock tools, and by sealtool with one and two workers."""
    export = bench.registry(bench.size.people)
    one, two = bench.folder("one", workers=1), bench.folder("two")
    wanted = orders(one, export, bench.size.plain)
    pages = written_out(bench.place / "html", wanted)
    return {
        "shell_loop": shell_loop(one, pages[: bench.size.stock]),
        "plain_loop": plain_loop(one, pages),
        "one_worker": issue(one, export),
        "two_workers": issue(two, export),
    }


def levels(bench: Bench) -> Measured:
    """What a slow time stamp authority and a token cost, beside B-B with a key in a file."""
    export = bench.registry(bench.size.people)
    stamped = bench.folder("stamped", level="B-LTA")
    token, environment = found_with_token(bench.place / "token", level="B-B", workers=2)
    measured = {"b_b": issue(bench.folder("file"), export), "b_b_token": issue(token, export, environment)}
    with slow_authority(stamped.path, _LATENCY_MS) as authority:
        ask_authority_at(stamped, authority.url)
        issued = measured["b_lta_slow_authority"] = issue(stamped, export)
    measured["slow_authority"] = Timing(issued.seconds, authority.processor_seconds, issued.count)
    return measured


def memory(bench: Bench) -> Measured:
    """The largest process of a short run and of a long one."""
    folder = bench.folder("memory")
    return {
        "short_run": issue(folder, bench.registry(bench.size.many // 5)),
        "long_run": issue(folder, bench.registry(bench.size.many)),
    }


def planning(bench: Bench) -> Measured:
    """Plans of an export and of one twice its size, and a night that finds nothing new beside its plan."""
    folder, people = bench.folder("plan"), bench.size.planned
    single, double = (bench.registry(count, 10 * count) for count in (people, 2 * people))
    issued = bench.folder("nothing-new")
    night = bench.registry(bench.size.people)
    issue(issued, night)
    arguments = ("--level", "B1", "--registry", str(night))
    return {
        "single": _plan(folder, single, 10 * people),
        "double": _plan(folder, double, 20 * people),
        "plan_of_a_night": command(issued, ["plan", *arguments], done=(0, 1)),
        "night_with_nothing_new": command(issued, ["issue", *arguments], done=(0, 1)),
    }


def verifying(bench: Bench) -> Measured:
    """Folders of files at B-LT and B-LTA, with two workers."""
    export = bench.registry(bench.size.verified * 7)
    measured = {}
    for level in ("B-LT", "B-LTA"):
        folder = bench.folder(f"verify-{level}", level=level)
        count = issue(folder, export).count
        measured[level.lower().replace("-", "_")] = command(folder, ["verify", str(folder.output)], count=count)
    return measured


def start_up(bench: Bench) -> Measured:
    """Commands that do next to nothing; the best of five."""
    folder = bench.folder("start")
    best = {}
    for name, arguments in {"help": ["--help"], "status": ["status"]}.items():
        runs = [command(folder, arguments) for _ in range(5)]
        best[name] = min(runs, key=lambda timing: timing.processor_seconds)
    return best


PARTS: Mapping[str, Callable[[Bench], Measured]] = {
    part.__name__: part for part in (issuing, levels, memory, planning, verifying, start_up)
}


def _plan(folder: Folder, export: Path, participations: int) -> Timing:
    return command(folder, ["plan", "--registry", str(export)], count=participations, done=(0, 1))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures what was asked for, and keeps what was measured before of the rest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="in the sizes that the targets name")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="NAME", help=", ".join(PARTS))
    options = parser.parse_args(arguments)
    size = _FULL if options.full else _BRIEF
    measured: dict[str, Any] = json.loads(_JSON.read_text(encoding="utf-8"))["measured"] if _JSON.exists() else {}
    for name in options.only:
        print(f"==> {name}", flush=True)
        with tempfile.TemporaryDirectory() as place:
            found_here = PARTS[name](Bench(Path(place), size))
        measured[name] = {key: timing.as_json() for key, timing in found_here.items()}
        for key, timing in found_here.items():
            print(
                f"    {key}: {timing.count} in {timing.seconds:.2f} s, peak {timing.peak_mib or 0:.0f} MiB", flush=True
            )
    document = {"schema": "sealtool.performance/1", "machine": page.machine(), "measured": measured}
    _JSON.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    page.write(document)
    print(page.PAGE)


if __name__ == "__main__":
    main()
