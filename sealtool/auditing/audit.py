"""The course of an audit: look what is there, judge each manifest once, then each file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from sealtool.auditing.certificates import JudgeCertificate, judge_file, judge_stray, of_listed_state
from sealtool.auditing.judgements import Audit, FileJudgement, decodable, doubted, not_judged
from sealtool.auditing.manifests import (
    JudgeSeal,
    ListedDocument,
    ManifestJudgement,
    is_in_its_place,
    judge_manifest,
)
from sealtool.auditing.reasons import FileReason
from sealtool.auditing.survey import Survey, survey
from sealtool.errors import UsageError, WorkerLostError
from sealtool.model import Verdict, Verification
from sealtool.workers import call_in

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Auditing:
    """Judges certificates and manifests, in the executor.

    Attributes:
        executor: where files are opened and judged.
        judge_certificate: must be importable in a worker process, as must ``judge_seal``.
        in_flight: how many files are worked on at a time.
        on_progress: told how many certificates are judged, and of how many.
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
            WorkerLostError: a worker process was ended from outside.
        """
        asked = list(paths)
        found = survey(asked)
        try:
            judged = asyncio.run(self._judge(found))
        except WorkerLostError as error:
            raise WorkerLostError(
                "A process that judged files was ended from outside, as the system does when memory runs out. The "
                "audit is not complete, so nothing is said.",
                advice="Call again with --workers 1, or with fewer files.",
            ) from error
        if not judged:
            raise UsageError(
                f"There is no certificate and no manifest in {', '.join(map(decodable, asked))}, so nothing was "
                "verified.",
                advice="Name a sealed PDF, a manifest, or a folder that holds some.",
            )
        return Audit(tuple(FileJudgement(path, judged[path]) for path in sorted(judged)))

    async def _judge(self, found: Survey) -> dict[Path, Verification]:
        slots = asyncio.Semaphore(self.in_flight)
        manifests = await self._judge_manifests(sorted(found.manifests | found.siblings), slots)
        listed = newest_word(manifests)
        certificates = found.certificates | {
            document.path for one in manifests if one.path in found.manifests for document in one.documents
        }
        extra = found.strays - listed.keys()
        judged = {path: not_judged(code, detail) for path, (code, detail) in found.findings.items()}
        judged |= await self._judge_files(certificates, extra, listed, slots)
        for one in manifests:  # those that only lie beside are named where they do not pass
            if one.path in found.manifests or one.verification.verdict is not Verdict.PASSED:
                judged[one.path] = one.verification
        return judged

    async def _judge_manifests(self, paths: Sequence[Path], slots: asyncio.Semaphore) -> list[ManifestJudgement]:
        async def judge(path: Path) -> ManifestJudgement:
            async with slots:
                return await call_in(self.executor, judge_manifest, path, self.judge_seal)

        return _chained(await asyncio.gather(*map(judge, paths)))

    async def _judge_files(
        self,
        certificates: Iterable[Path],
        extra: frozenset[Path],
        listed: Mapping[Path, ListedDocument],
        slots: asyncio.Semaphore,
    ) -> dict[Path, Verification]:
        paths = sorted(extra.union(certificates))
        done = 0

        async def judge(path: Path) -> Verification:
            nonlocal done
            document = listed.get(path)
            async with slots:
                if path in extra:
                    verification = await call_in(self.executor, judge_stray, path, self.judge_certificate)
                else:
                    sha256 = document and document.sha256
                    verification = await call_in(self.executor, judge_file, path, sha256, self.judge_certificate)
            done += 1
            self.on_progress(done, len(paths))
            if path in extra:
                return doubted(verification, FileReason.NOT_IN_MANIFEST)
            said = document and of_listed_state(document.state, document.successor)
            return doubted(verification, *said) if said else verification

        return dict(zip(paths, await asyncio.gather(*map(judge, paths)), strict=True))


def newest_word(manifests: Iterable[ManifestJudgement]) -> dict[Path, ListedDocument]:
    """What the newest sound manifest says of each document. Run ids, which the seal protects, sort by time."""
    return {
        document.path: document
        for one in sorted(manifests, key=lambda judgement: judgement.run_id)
        for document in one.documents
    }


def _chained(manifests: Iterable[ManifestJudgement]) -> list[ManifestJudgement]:
    """Each with what its predecessor tells. A manifest handed over by itself need not bring it."""
    homes: dict[Path, dict[str, str]] = {}
    judged = list(manifests)
    for one in judged:
        homes.setdefault(one.path.parent, {})[one.path.name] = one.verification.sha256
    return [one.in_chain(homes[one.path.parent]) if is_in_its_place(one.path) else one for one in judged]
