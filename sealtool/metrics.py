"""The figures of a run for Prometheus: a file for the textfile collector of the node exporter. It names nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from sealtool import __version__
from sealtool.errors import ExitCode, SealtoolError
from sealtool.publishing import write_in_place
from sealtool.replacing import insist_on_place_for_metrics
from sealtool.standing import Figures

_READABLE: Final = 0o644
"""The node exporter runs as a user of its own."""

_OF_RUNS: Final = {
    "sealtool_last_run_timestamp_seconds": "When the newest run of a command ended.",
    "sealtool_last_success_timestamp_seconds": "When a run of a command last did its work (exit code 0 or 1).",
    "sealtool_last_run_duration_seconds": "How long the newest run of a command took.",
    "sealtool_last_run_exit_code": "The exit code of the newest run of a command.",
    "sealtool_last_run_count": "What the newest run of a command counted.",
    "sealtool_last_run_issued": "Certificates that the newest run of a command issued, by level.",
}
"""What each command says of itself, and the others leave as it is."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What there is to say of a run when it is over.

    Attributes:
        counts: as the ledger has them; empty where the run never began.
        issued: certificates by level.
    """

    command: str
    exit_code: int
    duration_seconds: float
    counts: Mapping[str, int]
    issued: Mapping[str, int]


def write_metrics(path: Path, run: RunFigures, figures: Callable[[], Figures], now: datetime) -> None:
    """Writes the file anew, whole or not at all, and never in the place of something else.

    Args:
        path: of the file.
        run: the run that is over.
        figures: counts what is in the ledger; where it cannot be read, the file says nothing of it.
        now: the end of the run.

    Raises:
        UsageError: something else is there. It is left as it is.
        OutputError: the file cannot be written.
    """
    insist_on_place_for_metrics(path)
    families = {name: GaugeMetricFamily(name, text) for name, text in _OF_RUNS.items()}
    before = list(_samples_before(path))
    for name, labels, value in before:
        if labels.get("command") != run.command:
            families[name].add_sample(name, labels, value)
    for name, labels, value in _samples_of(run, now, before):
        families[name].add_sample(name, {"command": run.command, **labels}, value)
    try:
        counted = list(_families_of(figures()))
    except SealtoolError:
        counted = []
    collected = _Collected([_info(), *families.values(), *counted])
    write_in_place(path, [generate_latest(collected)], mode=_READABLE)


_Sample = tuple[str, dict[str, str], float]


def _samples_before(path: Path) -> Iterator[_Sample]:
    """What the runs of before said of themselves; nothing where there is no such file, or it cannot be read."""
    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except Exception:  # noqa: BLE001 - in a file that somebody changed a parser may stumble over anything
        return
    for family in families:
        for sample in family.samples:
            if sample.name in _OF_RUNS and "command" in sample.labels:
                yield sample.name, dict(sample.labels), sample.value


def _samples_of(run: RunFigures, now: datetime, before: Iterable[_Sample]) -> Iterator[_Sample]:
    yield "sealtool_last_run_timestamp_seconds", {}, now.timestamp()
    if run.exit_code in {ExitCode.DONE, ExitCode.NEEDS_HUMAN}:
        yield "sealtool_last_success_timestamp_seconds", {}, now.timestamp()
    else:
        yield from (
            (name, {}, value)
            for name, labels, value in before
            if name == "sealtool_last_success_timestamp_seconds" and labels["command"] == run.command
        )
    yield "sealtool_last_run_duration_seconds", {}, run.duration_seconds
    yield "sealtool_last_run_exit_code", {}, float(run.exit_code)
    for kind, number in sorted(run.counts.items()):
        yield "sealtool_last_run_count", {"kind": kind}, float(number)
    for level, number in sorted(run.issued.items()):
        yield "sealtool_last_run_issued", {"level": level}, float(number)


def _families_of(figures: Figures) -> Iterator[Metric]:
    """What the ledger holds, whatever command was the last."""
    certificates = GaugeMetricFamily(
        "sealtool_certificates", "Certificates in the ledger, by level and state.", labels=["level", "state"]
    )
    for level, state, count in figures.certificates:
        certificates.add_metric([level, str(state)], count)
    yield certificates
    yield GaugeMetricFamily(
        "sealtool_certificates_pending", "Certificates that are decided and not published yet.", value=figures.pending
    )
    yield GaugeMetricFamily(
        "sealtool_documents_due_for_renewal", "Documents that run out within run.renew_days.", value=figures.due
    )
    if figures.next_renewal is not None:
        yield GaugeMetricFamily(
            "sealtool_next_renewal_timestamp_seconds",
            "Until when the document that runs out first can be proven.",
            value=datetime.fromisoformat(figures.next_renewal.provable_until).timestamp(),
        )
    if figures.seal_valid_until is not None:
        yield GaugeMetricFamily(
            "sealtool_seal_certificate_expiry_timestamp_seconds",
            "Until when the certificate behind the newest seal is valid.",
            value=figures.seal_valid_until.timestamp(),
        )


def _info() -> Metric:
    info = GaugeMetricFamily("sealtool_info", "Always 1; the version that wrote this file.", labels=["version"])
    info.add_metric([__version__], 1)
    return info


@dataclass(frozen=True, slots=True)
class _Collected(Collector):
    families: list[Metric]

    def collect(self) -> Iterable[Metric]:
        """Hands over what was collected; families of which nothing is to be said are left out."""
        return [family for family in self.families if family.samples]
