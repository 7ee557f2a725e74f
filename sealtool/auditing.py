"""Judging what was published: sealed files, folders of them, and manifests. Needs no ledger and no network."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from sealtool.errors import UsageError
from sealtool.manifest import Manifest, parse_manifest
from sealtool.model import Reason, Verdict, Verification
from sealtool.publishing import MANIFESTS

SCHEMA: Final = "sealtool.verification/1"

JudgeCertificate = Callable[[bytes, str | None], Verification]
"""Sealed bytes and the SHA-256 they ought to have, if it is known -> judgement. Runs in a worker process."""

JudgeSeal = Callable[[bytes, bytes], Verification]
"""Content and its detached seal -> judgement."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class FileJudgement:
    """What is to be said of one file."""

    path: Path
    verification: Verification

    def as_json(self) -> dict[str, Any]:
        """One entry of ``verify --json``."""
        one = self.verification
        return {
            "path": str(self.path),
            "sha256": one.sha256,
            "verdict": str(one.verdict),
            "sub_indication": one.sub_indication,
            "reasons": [{"code": reason.code, "message": reason.message} for reason in one.reasons],
            "pades_level": one.pades_level and str(one.pades_level),
            "sealed_at": one.sealed_at and one.sealed_at.isoformat(),
            "seal": one.seal and {"subject": one.seal.subject, "serial_number": one.seal.serial_number},
            "certificate": one.certificate
            and {
                "certificate_id": one.certificate.certificate_id,
                "level": one.certificate.level,
                "area": one.certificate.area,
            },
        }


@dataclass(frozen=True, slots=True)
class Audit:
    """The judgements of all files asked for, in order of path."""

    files: tuple[FileJudgement, ...]

    @property
    def summary(self) -> dict[str, int]:
        """How many files got each verdict."""
        counts = Counter(one.verification.verdict for one in self.files)
        return {str(verdict): counts[verdict] for verdict in Verdict}

    @property
    def passed(self) -> bool:
        """Whether every file passed."""
        return all(one.verification.verdict is Verdict.PASSED for one in self.files)

    def as_json(self) -> dict[str, Any]:
        """The document of ``verify --json``."""
        return {"schema": SCHEMA, "files": [one.as_json() for one in self.files], "summary": self.summary}


@dataclass(slots=True)
class Auditing:
    """Judges files; certificates in the executor, manifests here.

    Attributes:
        executor: where certificates are judged.
        judge_certificate: must be importable in a worker process.
        in_flight: how many files are worked on at a time.
    """

    executor: Executor
    judge_certificate: JudgeCertificate
    judge_seal: JudgeSeal
    in_flight: int
    on_progress: Progress = lambda _done, _total: None

    def run(self, paths: Iterable[Path]) -> Audit:
        """Judges files, every certificate and manifest in folders, and whatever the manifests list.

        Raises:
            UsageError: there is nothing to judge, which must not look like a success.
        """
        asked = list(paths)
        certificates, manifests = _sort(asked)
        judged: dict[Path, Verification] = {}
        expected: dict[Path, str] = {}
        unlisted: set[Path] = set()
        for path in sorted(manifests):
            judged[path], manifest = self._judge_manifest(path)
            if manifest is not None:
                listed = _listed_files(path, manifest)
                expected.update(listed)
                unlisted |= self._unlisted_files(path, listed)
        certificates |= expected.keys() | unlisted
        if not certificates and not judged:
            raise UsageError(
                f"There is no certificate and no manifest in {', '.join(map(str, asked))}, so nothing was verified.",
                advice="Name a sealed PDF, a manifest, or a folder that holds some.",
            )
        judged.update(asyncio.run(self._judge_all(sorted(certificates), expected)))
        for path in unlisted:
            judged[path] = _doubt(judged[path], _NOT_LISTED)
        return Audit(tuple(FileJudgement(path, judged[path]) for path in sorted(judged)))

    async def _judge_all(self, paths: list[Path], expected: Mapping[Path, str]) -> dict[Path, Verification]:
        loop, slots = asyncio.get_running_loop(), asyncio.Semaphore(self.in_flight)
        done = 0

        async def judge(path: Path) -> Verification:
            nonlocal done
            async with slots:
                verification = await loop.run_in_executor(
                    self.executor, judge_file, path, expected.get(path), self.judge_certificate
                )
            done += 1
            self.on_progress(done, len(paths))
            return verification

        return dict(zip(paths, await asyncio.gather(*map(judge, paths)), strict=True))

    def _judge_manifest(self, path: Path) -> tuple[Verification, Manifest | None]:
        """The judgement of a manifest, and the manifest itself where its seal and form are sound."""
        try:
            content, seal = path.read_bytes(), path.with_name(f"{path.name}.p7s").read_bytes()
        except OSError as error:
            missing = Path(str(error.filename)).suffix == ".p7s"
            code, what = ("MANIFEST_SEAL_MISSING", "seal") if missing else ("UNREADABLE", "file")
            message = f"The {what} of the manifest cannot be read ({error.strerror}), so nothing vouches for it."
            return _no_data(Reason(code, message)), None
        verification = self.judge_seal(content, seal)
        if verification.verdict is not Verdict.PASSED:
            return verification, None
        try:
            return verification, parse_manifest(content)
        except ValueError as error:
            message = f"The manifest is sealed, but this version cannot read it: {error}."
            return _doubt(verification, Reason("MANIFEST_UNREADABLE", message)), None

    def _unlisted_files(self, path: Path, listed: Collection[Path]) -> set[Path]:
        """The certificates beside the listed ones that no sound manifest of the same folder lists."""
        unknown = {file for file in _output_folder(path).rglob("*.pdf") if file not in listed}
        for sibling in path.parent.glob("*.json"):
            if unknown and sibling != path:
                _, manifest = self._judge_manifest(sibling)
                unknown -= _listed_files(sibling, manifest).keys() if manifest is not None else set()
        return unknown


def judge_file(path: Path, sha256: str | None, judge: JudgeCertificate) -> Verification:
    """Reads and judges one file; a file that cannot be read is a judgement, too."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return _no_data(Reason("FILE_MISSING", "The manifest lists this file, but it is not there."))
    except OSError as error:
        return _no_data(Reason("UNREADABLE", f"The file cannot be read: {error.strerror or error}."))
    return judge(content, sha256)


_NOT_LISTED: Final = Reason(
    "NOT_IN_MANIFEST",
    "The file lies among issued certificates, but no manifest lists it: ask the issuer before relying on it.",
)


def _sort(paths: Iterable[Path]) -> tuple[set[Path], set[Path]]:
    """Certificates and manifests among the paths and in the folders; an odd file is judged as a certificate."""
    certificates: set[Path] = set()
    manifests: set[Path] = set()
    for path in paths:
        if path.is_dir():
            certificates |= {file.resolve() for file in path.rglob("*.pdf")}
            manifests |= {file.resolve() for file in path.rglob("*.json") if file.parent.name == MANIFESTS}
        elif path.suffix == ".json":
            manifests.add(path.resolve())
        else:
            certificates.add(path.resolve())
    return certificates, manifests


def _output_folder(manifest: Path) -> Path:
    return manifest.parent.parent if manifest.parent.name == MANIFESTS else manifest.parent


def _listed_files(path: Path, manifest: Manifest) -> dict[Path, str]:
    """The files a manifest lists, with their SHA-256. A sealed manifest never points out of its folder."""
    folder = _output_folder(path)
    return {(folder / PurePosixPath(entry.path)).resolve(): entry.sha256 for entry in manifest.documents}


def _no_data(reason: Reason) -> Verification:
    """EN 319 102-1, 5.1.3: without the data there is nothing to judge."""
    return Verification(
        sha256="", size=0, verdict=Verdict.INDETERMINATE, sub_indication="SIGNED_DATA_NOT_FOUND", reasons=(reason,)
    )


def _doubt(verification: Verification, reason: Reason) -> Verification:
    """The same judgement with a further reason, and no longer passed."""
    verdict = Verdict.INDETERMINATE if verification.verdict is Verdict.PASSED else verification.verdict
    sub_indication = verification.sub_indication or "GENERIC"
    return replace(
        verification, verdict=verdict, sub_indication=sub_indication, reasons=(*verification.reasons, reason)
    )
