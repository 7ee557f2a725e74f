"""Writes the results in docs/scaling.md anew, from the inputs that stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Final

Inputs = Mapping[str, float]

PAGE: Final = Path(__file__).parent.parent / "docs" / "scaling.md"
HOSTS: Final = (1, 2, 4, 8)
"""Cores of a sealing host."""
NIGHT: Final = 8
"""Hours."""
OFFICES: Final = {
    "a region, 30,000 teachers": (30_000, 1),
    "the country, 800,000, as one office": (800_000, 1),
    "the country as 19 offices side by side": (800_000, 19),
}
"""Teachers, and machines among which they are divided."""


def inputs_of(page: str) -> dict[str, float]:
    """The values of the first table."""
    return {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| ([0-9.]+) \|", page, re.MULTILINE)}


def rate_alone(inputs: Inputs, cores: int) -> float:
    """Certificates a second of a host by itself: one core seals, the others lay out and check."""
    others = inputs["lay_out"] + inputs["check"]
    if cores == 1:
        return 1000 / (inputs["seal"] + others)
    return min(1000 / inputs["seal"], (cores - 1) * 1000 / others)


def rate_with_cluster(inputs: Inputs, cores: int) -> float:
    """The most that it can do with as many workers as it likes: one core seals, the others prove."""
    sealing, proving = inputs["seal"] + inputs["traffic"], _proof(inputs)
    if cores == 1:
        return 1000 / (sealing + proving)
    return min(1000 / sealing, (cores - 1) * 1000 / proving)


def workers_for(inputs: Inputs, cores: int) -> int:
    """Cores of workers with which it gets there."""
    return ceil(rate_with_cluster(inputs, cores) * (inputs["lay_out"] + inputs["check"]) / 1000)


def workers_for_audit(inputs: Inputs) -> int:
    """Cores of workers that one core of the host can keep busy with files to verify."""
    return ceil(inputs["check"] / (inputs["traffic"] / 2 + inputs["own_checks"] * inputs["check"]))


def _proof(inputs: Inputs) -> float:
    return inputs["lay_out"] + inputs["own_checks"] * inputs["check"]


def scale(inputs: Inputs, teachers: int, machines: int) -> dict[str, str]:
    """What so many teachers take, divided among so many machines."""
    certificates = teachers * inputs["levels"]
    rate = rate_alone(inputs, int(inputs["cores"]))
    hours = certificates / machines / rate / 3600
    stored = inputs["certificate"] + inputs["manifest"] + inputs["ledger"]
    return {
        "certificates": f"{certificates:,.0f}",
        "machines": f"{machines}",
        "hours": f"{hours:,.1f}",
        f"machines for a night of {NIGHT} hours": f"{max(machines, ceil(certificates / rate / 3600 / NIGHT))}",
        "planning on each, seconds": f"{teachers / machines * inputs['rows'] / 1e6 * inputs['plan']:,.0f}",
        "signatures a second, on each": f"{rate:,.1f}",
        "time stamps a second, on each": f"{rate * inputs['stamps']:,.1f}",
        "certificates in flight, on each": f"{ceil(rate * inputs['stamps'] * inputs['stamp_seconds'])}",
        "storage, GB": f"{certificates * stored / 1e6:,.0f}",
        "a renewal adds, GB": f"{certificates * inputs['renewal'] / 1e6:,.0f}",
        "time stamps, €": f"{certificates * inputs['stamps'] * inputs['stamp_price']:,.0f}",
        "each renewal, €": f"{certificates * inputs['stamp_price']:,.0f}",
    }


def with_results(page: str) -> str:
    """The page with its results worked out."""
    inputs = inputs_of(page)
    hosts = [_host(inputs, cores) for cores in HOSTS]
    scales = [scale(inputs, *each) for each in OFFICES.values()]
    page = _put(page, "hosts", ["cores", "certificates a second", "in a night", "with a cluster", "its workers"], hosts)
    page = _put(
        page,
        "limits",
        ["", ""],
        [
            ["files a second that one core can verify", f"{1000 / inputs['check']:.1f}"],
            ["workers of an audit until one core of the host is full", str(workers_for_audit(inputs))],
            ["signatures of SoftHSM that the fastest host uses", f"{100 * _fastest(inputs) / inputs['softhsm']:.1f} %"],
        ],
    )
    return _put(page, "scales", ["", *OFFICES], [[row, *(each[row] for each in scales)] for row in scales[0]])


def _host(inputs: Inputs, cores: int) -> list[str]:
    alone, most = rate_alone(inputs, cores), rate_with_cluster(inputs, cores)
    return [str(cores), f"{alone:.1f}", f"{alone * 3600 * NIGHT:,.0f}", f"{most:.1f}", str(workers_for(inputs, cores))]


def _fastest(inputs: Inputs) -> float:
    return max(rate_alone(inputs, cores) for cores in HOSTS)


def _put(page: str, name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", rf"\g<1>{table}\g<2>", page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_results(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(PAGE)
