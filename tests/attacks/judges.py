"""What others say of the same files: Poppler, MuPDF, plain pyHanko and DSS, each in one of four words."""

from __future__ import annotations

import asyncio
import io
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import SignatureCoverageLevel, async_validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext

from sealtool.model import Verdict
from sealtool.verification import Trust, verify_certificate
from tests.attacks.catalogue import Evidence
from tests.interop.java_judges import DssVerdict, Task, ask_dss, made_ready, require

_PATIENCE_SECONDS = 60


class Word(StrEnum):
    """What a judge makes of a file.

    GOOD: nothing is said against it. NOTICED: the seal is called valid, and something said beside it. BAD: not
    valid, or no seal found. CRASH: no answer at all.
    """

    GOOD = "good"
    NOTICED = "noticed"
    BAD = "bad"
    CRASH = "crash"


@dataclass(frozen=True)
class Case:
    """A file to be judged, as it lies on the disk."""

    path: Path
    evidence: Evidence


@dataclass(frozen=True)
class Judge:
    """A program, the version it says it has, and what it says of files."""

    name: str
    version: Callable[[], str]
    ask: Callable[[Sequence[Case], Path], list[str]]


def _said(*command: object) -> tuple[int, str]:
    answer = subprocess.run(
        [str(part) for part in command], capture_output=True, check=False, timeout=_PATIENCE_SECONDS
    )
    return answer.returncode, (answer.stdout + answer.stderr).decode("utf-8", "replace")


def _each(judge: Callable[[Case], str]) -> Callable[[Sequence[Case], Path], list[str]]:
    def ask(cases: Sequence[Case], _: Path) -> list[str]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(judge, cases))

    return ask


def _one_by_one(judge: Callable[[Case], str]) -> Callable[[Sequence[Case], Path], list[str]]:
    return lambda cases, _: [judge(case) for case in cases]


# --- this tool ------------------------------------------------------------------------------


def _sealtool(case: Case) -> str:
    evidence = case.evidence
    verification = verify_certificate(evidence.content, evidence.trust, now=evidence.now)
    if verification.verdict is Verdict.PASSED:
        return Word.GOOD
    return f"{Word.BAD} `{verification.reasons[0].code}`"


# --- Poppler and MuPDF: asked without trust, so they judge the bytes alone --------------------


def _pdfsig(case: Case) -> str:
    code, answer = _said("pdfsig", case.path)
    if code < 0:
        return Word.CRASH
    # it knows no document time stamps, and says so
    found = [one for one in answer.split("Signature #")[1:] if "Signature Type: unknown" not in one]
    if not found or any("Signature Validation: Signature is Valid." not in one for one in found):
        return Word.BAD
    whole = "- Total document signed" in answer.split("Signature #")[-1]
    return Word.GOOD if whole and len(found) == 1 else Word.NOTICED


def _mutool(case: Case) -> str:
    code, answer = _said("mutool", "sign", "-v", case.path)
    if code < 0:
        return Word.CRASH
    found = answer.split("Verifying signature")[1:]
    seals = [one for one in found if "Signature is not signed" not in one]
    if not seals or any("Digest error" in one or "since signing" not in one for one in seals):
        return Word.BAD
    unchanged = all("The document is unchanged since signing." in one for one in seals)
    return Word.GOOD if unchanged and len(found) == 1 else Word.NOTICED


# --- plain pyHanko --------------------------------------------------------------------------


def _pyhanko(case: Case) -> str:
    try:
        return asyncio.run(_validated(case.evidence))
    except (SignatureValidationError, PdfError):
        return Word.BAD  # its own words for "not valid" and "not readable"
    except Exception:  # noqa: BLE001 - whatever else comes out of it was not meant as an answer
        return Word.CRASH


async def _validated(evidence: Evidence) -> str:
    seals = PdfFileReader(io.BytesIO(evidence.content)).embedded_regular_signatures
    if not seals:
        return Word.BAD
    words = {await _one_seal(seal, evidence) for seal in seals}
    if Word.BAD in words:
        return Word.BAD
    return Word.NOTICED if Word.NOTICED in words or len(seals) > 1 else Word.GOOD


async def _one_seal(seal: object, evidence: Evidence) -> Word:
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(one) for one in evidence.trust.anchors],
        crls=list(evidence.trust.revocation_lists),
        allow_fetching=False,
        revocation_mode="require",
        moment=evidence.now,
    )
    status = await async_validate_pdf_signature(seal, context)
    if not status.bottom_line:
        return Word.BAD
    harmless = status.modification_level in (None, ModificationLevel.NONE, ModificationLevel.LTA_UPDATES)
    covered = status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    archived = status.modification_level is ModificationLevel.LTA_UPDATES
    return Word.GOOD if harmless and (covered or archived) else Word.NOTICED


# --- DSS ------------------------------------------------------------------------------------

_OF_THE_TEST_CERTIFICATES = (
    "AIA",
    "revocation",
    "Revocation",
    "crlDistributionPoints",
    "distribution",
    "authority info",
)


def _dss(cases: Sequence[Case], folder: Path) -> list[str]:
    """One run for each trust; the words in the order of the cases."""
    made_ready("dss")
    runs: dict[Trust, list[Case]] = {}
    for case in cases:
        runs.setdefault(case.evidence.trust, []).append(case)
    places = [folder / f"trust-{number}" for number in range(len(runs))]
    words: dict[Path, str] = {}
    with ThreadPoolExecutor(2) as pool:
        for answers in pool.map(_one_trust, runs, runs.values(), places):
            words |= answers
    return [words[case.path] for case in cases]


def _one_trust(trust: Trust, cases: Sequence[Case], place: Path) -> dict[Path, str]:
    place.mkdir()
    (anchor,) = trust.anchors
    (place / "anchor.pem").write_bytes(x509.load_der_x509_certificate(anchor).public_bytes(Encoding.PEM))
    for index, one in enumerate(trust.revocation_lists):
        (place / f"{index}.crl").write_bytes(one)
    tasks = [Task(case.path, alone=not trust.revocation_lists, at=case.evidence.now) for case in cases]
    verdicts = ask_dss(place / "anchor.pem", sorted(place.glob("*.crl")), tasks, place)
    return {case.path: _dss_word(verdict) for case, verdict in zip(cases, verdicts, strict=True)}


def _dss_word(verdict: DssVerdict) -> Word:
    if verdict.indication != "TOTAL_PASSED":
        return Word.BAD
    warned = [one for one in verdict.warnings if not any(known in one for known in _OF_THE_TEST_CERTIFICATES)]
    stamped = all(stamp == "PASSED" for stamp in verdict.stamps)
    return Word.GOOD if verdict.whole and verdict.signatures == 1 and stamped and not warned else Word.NOTICED


def _dss_version() -> str:
    (jar,) = (made_ready("dss") / "libraries").glob("dss-pades-[0-9]*.jar")
    return jar.stem.removeprefix("dss-pades-")


def _spoken(pattern: str, *command: str) -> Callable[[], str]:
    def ask() -> str:
        require(command[0])
        found = re.search(pattern, _said(*command)[1])
        assert found, command
        return found[1]

    return ask


JUDGES: Mapping[str, Judge] = {
    judge.name: judge
    for judge in (
        Judge("sealtool verify", lambda: version("sealtool"), _one_by_one(_sealtool)),
        Judge("pdfsig", _spoken(r"version ([0-9.]+)", "pdfsig", "-v"), _each(_pdfsig)),
        Judge("mutool sign -v", _spoken(r"version ([0-9.]+)", "mutool", "-v"), _each(_mutool)),
        Judge("pyHanko", lambda: version("pyhanko"), _one_by_one(_pyhanko)),
        Judge("DSS", _dss_version, _dss),
    )
}
