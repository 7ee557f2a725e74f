"""The ways to make the same certificates, each timed as a user would: by the clock on the wall."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import weasyprint
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko.sign.fields import SigSeedSubFilter

from benchmarks.material import Folder

_BIN = Path(sys.executable).parent
_PAGES = {"pdf_variant": "pdf/a-3a"}


@dataclass(frozen=True)
class Timing:
    """What some work took.

    Attributes:
        seconds: on the wall.
        processor_seconds: of all processes.
        count: how many things were made.
        peak_mib: the most memory that any one process had (resident); None where it was not looked at.
    """

    seconds: float
    processor_seconds: float
    count: int
    peak_mib: float | None = None

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    def as_json(self) -> dict[str, Any]:
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


def shell_loop(folder: Folder, pages: Sequence[Path]) -> Timing:
    """(a) The stock commands, one after the other, for each certificate."""
    pki = folder.path / "pki"

    def work() -> None:
        for page in pages:
            unsealed, sealed = page.with_suffix(".pdf"), page.with_suffix(".sealed.pdf")
            attachment = ("--attachment", str(page.with_suffix(".json")))
            style = ("--stylesheet", str(page.parent / "certificate.css"))
            _run(_BIN / "weasyprint", "--pdf-variant", "pdf/a-3a", *style, *attachment, page, unsealed)
            key = ("--passfile", pki / "seal.passphrase", unsealed, sealed, pki / "seal.p12")
            _run(_BIN / "pyhanko", "sign", "addsig", "--field", "Seal", "--use-pades", "pkcs12", *key)

    return timed(work, len(pages))


def plain_loop(folder: Folder, pages: Sequence[Path]) -> Timing:
    """(b) A loop in Python with the stock calls of the same libraries, key and fonts loaded once."""
    pki = folder.path / "pki"
    signer = SimpleSigner.load_pkcs12(str(pki / "seal.p12"), passphrase=(pki / "seal.passphrase").read_bytes().strip())
    metadata = PdfSignatureMetadata(field_name="Seal", subfilter=SigSeedSubFilter.PADES)

    def work() -> None:
        for page in pages:
            attachment = weasyprint.Attachment(page.with_suffix(".json"), relationship="Data")
            unsealed = weasyprint.HTML(page).write_pdf(
                stylesheets=[page.parent / "certificate.css"], attachments=[attachment], **_PAGES
            )
            sealed = sign_pdf(IncrementalPdfFileWriter(io.BytesIO(unsealed)), metadata, signer)
            page.with_suffix(".sealed.pdf").write_bytes(sealed.read())

    return timed(work, len(pages))


def issue(folder: Folder, export: Path, environment: Mapping[str, str] = os.environ) -> Timing:
    """(c) ``sealtool issue`` of every B1 certificate of a registry, from nothing to the manifest."""
    folder.start_afresh()
    timing = command(
        folder, ["issue", "--level", "B1", "--registry", str(export)], environment=environment, done=(0, 1)
    )
    count = len(list(folder.output.glob("*/B1/*.pdf")))
    return Timing(timing.seconds, timing.processor_seconds, count, timing.peak_mib)


def command(
    folder: Folder,
    arguments: Sequence[str],
    *,
    count: int = 1,
    environment: Mapping[str, str] = os.environ,
    done: Sequence[int] = (0,),
) -> Timing:
    """A command of the program, with the memory of its largest process."""
    program = [str(_BIN / "sealtool"), "--config", str(folder.configuration), *arguments]
    before, start = _spent(), time.perf_counter()
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment) as process:
        watch = _Watch(process.pid)
        watch.start()
        complaint = process.stderr.read() if process.stderr is not None else b""
        code = process.wait()
    watch.join()
    if code not in done:
        raise RuntimeError(f"{' '.join(program)} ended with exit code {code}: {complaint.decode(errors='replace')}")
    return Timing(time.perf_counter() - start, _spent() - before, count, watch.peak_mib)


def timed(work: Any, count: int) -> Timing:
    before, start = _spent(), time.perf_counter()
    work()
    return Timing(time.perf_counter() - start, _spent() - before, count)


def _run(*arguments: object) -> None:
    subprocess.run([str(one) for one in arguments], check=True, capture_output=True)


def _spent() -> float:
    """Processor time of this process and of all that it waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class _Watch(Thread):
    """Looks again and again how much memory a process and its children have."""

    def __init__(self, process_id: int) -> None:
        super().__init__(daemon=True)
        self._process_id = process_id
        self.peak_mib = 0.0

    def run(self) -> None:
        while (sizes := [_resident_mib(each) for each in _family(self._process_id)]) and sizes[0] is not None:
            self.peak_mib = max(self.peak_mib, *(size for size in sizes if size is not None))
            time.sleep(0.1)


def _family(process_id: int) -> list[int]:
    found = [process_id]
    for each in found:  # grows while it is walked
        try:
            children = Path(f"/proc/{each}/task/{each}/children").read_text()
        except OSError:
            continue
        found.extend(map(int, children.split()))
    return found


def _resident_mib(process_id: int) -> float | None:
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except OSError:
        return None
    kib = next((line.split()[1] for line in lines if line.startswith("VmRSS:")), None)
    return None if kib is None else int(kib) / 1024  # a process that has ended and was not waited for has none
