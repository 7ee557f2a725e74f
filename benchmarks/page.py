"""The published page: what was measured, as ratios beside their targets."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- measured -->", "<!-- /measured -->"

Row = tuple[str, str, str]
"""What, measured, target."""


def machine() -> dict[str, Any]:
    """What it was measured on, as far as it matters."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: version(name) for name in ("weasyprint", "pyhanko", "cryptography")},
    }


def write(document: Mapping[str, Any]) -> None:
    """Puts the tables into the page; the words around them stay."""
    text = PAGE.read_text(encoding="utf-8")
    tables = "\n".join(_lines(document))
    pattern = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: f"{_BEGIN}\n{tables}\n{_END}", text), encoding="utf-8")


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    facts = document["machine"]
    yield (
        f"{facts['cores']} cores, Python {facts['python']}, WeasyPrint {facts['weasyprint']}, "
        f"pyHanko {facts['pyhanko']}.\n"
    )
    yield "| what | measured | target |"
    yield "|---|---|---|"
    for name, rows in _ROWS.items():
        if name in document["measured"]:
            for row in rows(document["measured"][name]):
                yield f"| {' | '.join(row)} |"


def _issuing(m: Mapping[str, Any]) -> Iterator[Row]:
    shell = _each(m["shell_loop"])
    yield "(a) shell loop of `weasyprint` and `pyhanko sign addsig`", _ms(m["shell_loop"]), ""
    yield (
        "(b) plain Python loop with stock calls",
        f"{_ms(m['plain_loop'])}, {shell / _each(m['plain_loop']):.0f} × (a)",
        "",
    )
    for key, words in (("one_worker", "one worker"), ("two_workers", "two workers")):
        target = "120 × (a), aim 250 ×" if key == "two_workers" else ""
        yield f"(c) `sealtool issue`, {words}", f"{_ms(m[key])}, **{shell / _each(m[key]):.0f} × (a)**", target
    yield "two workers : one worker", f"{_each(m['one_worker']) / _each(m['two_workers']):.2f}", "1.8"
    yield "processor time of (c), each", f"{_processor_ms(m['two_workers']):.1f} ms", ""


def _levels(m: Mapping[str, Any]) -> Iterator[Row]:
    file = _each(m["b_b"])
    yield "B-LTA, authority with 100 ms latency : B-B", f"{file / _each(m['b_lta_slow_authority']):.2f}", "0.8"
    if "slow_authority" in m:  # measured since it takes its share of the same cores
        yield "processor time of the authority, each certificate", f"{_processor_ms(m['slow_authority']):.1f} ms", ""
    yield "key on a SoftHSM token : in a file", f"{file / _each(m['b_b_token']):.2f}", "0.8"


def _memory(m: Mapping[str, Any]) -> Iterator[Row]:
    for key in ("short_run", "long_run"):
        target = "300 MB" if key == "long_run" else ""
        yield f"largest process of a run of {m[key]['count']:,} certificates", f"{m[key]['peak_mib']:.0f} MiB", target


def _planning(m: Mapping[str, Any]) -> Iterator[Row]:
    for key in ("single", "double"):
        target = "20 s, 2 GB for 1,000,000" if key == "double" else ""
        yield (
            f"plan of {m[key]['count']:,} participations",
            f"{m[key]['seconds']:.1f} s, {m[key]['peak_mib']:.0f} MiB",
            target,
        )
    yield "twice the rows", f"{m['double']['seconds'] / m['single']['seconds']:.2f} × the time", "2.2 ×"
    yield (
        "a night with nothing new : its plan",
        f"{m['night_with_nothing_new']['processor_seconds'] / m['plan_of_a_night']['processor_seconds']:.2f}",
        "about 1",
    )


def _verifying(m: Mapping[str, Any]) -> Iterator[Row]:
    for key, target in (("b_lt", "100"), ("b_lta", "40")):
        level = key.upper().replace("_", "-")
        yield (
            f"`verify`, {m[key]['count']:,} files at {level}, two workers",
            f"{m[key]['count'] / m[key]['seconds']:.0f} a second, {m[key]['peak_mib']:.0f} MiB",
            f"{target} a second",
        )


def _start_up(m: Mapping[str, Any]) -> Iterator[Row]:
    for key, words, target in (("help", "`sealtool --help`", "0.15 s"), ("status", "`sealtool status`", "0.5 s")):
        yield words, f"{m[key]['processor_seconds']:.2f} s of processor time", target


_ROWS = {
    "issuing": _issuing,
    "levels": _levels,
    "memory": _memory,
    "planning": _planning,
    "verifying": _verifying,
    "start_up": _start_up,
}


def _each(timing: Mapping[str, Any]) -> float:
    return float(timing["seconds"]) / float(timing["count"])


def _processor_ms(timing: Mapping[str, Any]) -> float:
    return 1000 * float(timing["processor_seconds"]) / float(timing["count"])


def _ms(timing: Mapping[str, Any]) -> str:
    return f"{1000 * _each(timing):.1f} ms each"
