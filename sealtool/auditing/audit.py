"""The course of an audit: look what is there, judge each manifest once, then each file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from sealtool.auditing.certificates import JudgeCertificate, judge_file, judge_stray, of_listed_state
from sealtool.auditing.elsewhere import Distance, DistantChambers
from sealtool.auditing.judgements import Audit, FileJudgement, decodable, doubted, explained, not_judged
from sealtool.auditing.manifests import (
    JudgeSeal,
    ListedDocument,
    ManifestJudgement,
    is_in_its_place,
    judge_manifest,
    part_of_manifest,
)
from sealtool.auditing.reasons import FileReason
from sealtool.auditing.sharing import Sharing
from sealtool.auditing.survey import Survey, survey
from sealtool.chambers import Cause, Chambers, GivenUp, Limits, Task
from sealtool.errors import UsageError
from sealtool.model import Verdict, Verification

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Judges:
    """Who judges seals. Both must be importable in another process."""

    certificate: JudgeCertificate
    seal: JudgeSeal


@dataclass(slots=True)
class Auditing:
    """Judges certificates and manifests, each in a process that can be lost.

    Attributes:
        processes: how many files are judged at a time.
        limits: what each file may cost.
        on_progress: told how many certificates are judged, and of how many.
        distance: workers on other machines that judge the files; None for those of this one.
    """

    judges: Judges
    processes: int = 1
    limits: Limits = field(default_factory=Limits)
    on_progress: Progress = lambda _done, _total: None
    distance: Distance | None = None

    def run(self, paths: Iterable[Path]) -> Audit:
        """Judges files, every certificate and manifest in folders, and whatever the manifests list.

        Raises:
            UsageError: there is nothing to judge, which must not look like a success.
            WorkerLostError: no process can be started to judge them.
        """
        asked = list(paths)
        with Chambers(self.judges, count=self.processes, limits=self.limits) as chambers:
            judged = self._judge(survey(asked), chambers)
        if not judged:
            raise UsageError(
                f"There is no certificate and no manifest in {', '.join(map(decodable, asked))}, so nothing was "
                "verified.",
                advice="Name a sealed PDF, a manifest, or a folder that holds some.",
            )
        return Audit(tuple(FileJudgement(path, judged[path]) for path in sorted(judged)))

    def _judge(self, found: Survey, chambers: Chambers[Judges]) -> dict[Path, Verification]:
        manifests = _judge_manifests(sorted(found.manifests | found.siblings), chambers)
        listed = newest_word(manifests)
        certificates = found.certificates | {
            document.path for one in manifests if one.path in found.manifests for document in one.documents
        }
        extra = found.strays - listed.keys()
        judged = {path: not_judged(code, detail) for path, (code, detail) in found.findings.items()}
        judged |= self._judge_files(certificates, extra, listed, chambers)
        for one in manifests:  # those that only lie beside are named where they do not pass
            if one.path in found.manifests or one.verification.verdict is not Verdict.PASSED:
                judged[one.path] = one.verification
        return judged

    def _judge_files(
        self,
        certificates: Iterable[Path],
        extra: frozenset[Path],
        listed: Mapping[Path, ListedDocument],
        own: Chambers[Judges],
    ) -> dict[Path, Verification]:
        sharing = Sharing()

        def said_of(path: Path, outcome: Verification | GivenUp) -> Verification:
            verification = _given_up(outcome) if isinstance(outcome, GivenUp) else sharing.shared(outcome)
            if path in extra:
                return doubted(verification, FileReason.NOT_IN_MANIFEST)
            if path not in listed:
                return explained(verification, part_of_manifest(path))
            said = of_listed_state(listed[path].state, listed[path].successor)
            verification = doubted(verification, *said) if said else verification
            if verification.certificate is not None and listed[path].contradicts(verification.certificate):
                return doubted(verification, FileReason.RECORD_DIFFERS, "It is the manifest that differs.")
            return verification

        paths = sorted(extra.union(certificates))
        expected = {path: document.sha256 for path, document in listed.items()}
        tasks = [Task(_stray, (path,)) if path in extra else Task(_file, (path, expected.get(path))) for path in paths]
        judged: dict[Path, Verification] = {}
        chambers = own if self.distance is None else self._distant_chambers(self.distance, own)
        for number, outcome in chambers.outcomes(tasks):
            judged[paths[number]] = said_of(paths[number], outcome)
            self.on_progress(len(judged), len(paths))
        return judged

    def _distant_chambers(self, distance: Distance, own: Chambers[Judges]) -> DistantChambers:
        return DistantChambers(distance, self.judges.certificate, self.limits, own)


def _given_up(outcome: GivenUp) -> Verification:
    match outcome.cause:
        case Cause.TOO_COSTLY:
            return not_judged(FileReason.TOO_COSTLY, outcome.detail)
        case Cause.CRASHED:
            return not_judged(FileReason.VERIFIER_CRASHED, outcome.detail)
        case _:
            assert_never(outcome.cause)


# What runs in the processes.


def _manifest(judges: Judges, path: Path) -> ManifestJudgement:
    return judge_manifest(path, judges.seal)


def _file(judges: Judges, path: Path, sha256: str | None) -> Verification:
    return judge_file(path, sha256, judges.certificate)


def _stray(judges: Judges, path: Path) -> Verification:
    return judge_stray(path, judges.certificate)


def _judge_manifests(paths: Sequence[Path], chambers: Chambers[Judges]) -> list[ManifestJudgement]:
    judged: dict[Path, ManifestJudgement] = {}
    for number, outcome in chambers.outcomes(Task(_manifest, (path,)) for path in paths):
        path = paths[number]
        if isinstance(outcome, GivenUp):
            judged[path] = ManifestJudgement(path, _given_up(outcome))
        else:
            judged[path] = outcome
    return _chained(judged[path] for path in paths)


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
