"""A lost ledger, rebuilt from the manifests and the sealed files, every one of which our own verifier has to pass."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Final

from sealtool.auditing.manifests import JudgeSeal, ManifestJudgement, judge_manifest, seal_of, table_of
from sealtool.canonical import sha256_hex
from sealtool.continuity import insist_on_continuity
from sealtool.errors import LedgerInconsistentError
from sealtool.identifiers import new_run_id, start_of_run
from sealtool.keeping import LedgerKeeping, examine
from sealtool.ledger import (
    CertificateState,
    Found,
    FoundCertificate,
    FoundDocument,
    FoundManifest,
    RunFacts,
    rebuilding_at,
    write_rebuilt,
)
from sealtool.manifest import DocumentEntry, Manifest, parse_manifest, seal_as_json
from sealtool.model import (
    Area,
    CertificateId,
    Decision,
    Language,
    Level,
    PersonId,
    RunId,
    SourceFile,
    Verdict,
    Verification,
)
from sealtool.publishing import MANIFESTS, OutputFolder
from sealtool.running import Edge, RunEvent
from sealtool.verification.decisions import certified_decision

Judge = Callable[[bytes, str | None], Verification]
"""Sealed bytes and the SHA-256 they ought to have, if it is known -> judgement. Runs in a worker process."""

_DOUBT: Final = "What is not beyond doubt cannot become the ledger's word: nothing was made."


@dataclass(frozen=True, slots=True)
class OutputReader:
    """Reads an output folder, and believes only what our own verifier has passed.

    Attributes:
        output: the folder.
        executor: where files are judged.
        judge: judges a certificate.
        judge_seal: judges the seal of a manifest.
        on_progress: told how many files are judged, and of how many.
    """

    output: OutputFolder
    executor: Executor
    judge: Judge
    judge_seal: JudgeSeal
    on_progress: Callable[[int, int], None]

    def read(self) -> Found:
        """All that the folder tells.

        Raises:
            LedgerInconsistentError: something in it is missing, doubtful or contradicts something else.
            OutputError: the folder cannot be read.
        """
        manifests = self._manifests()
        listed = {entry.path: (RunId(one.run.run_id), entry) for _, one in manifests for entry in one.documents}
        present = self.output.documents()
        if missing := sorted(listed.keys() - present):
            raise _doubtful(
                f"Of the documents that the manifests list, {len(missing)} are not in {self.output.root}, first "
                f"{missing[0]}: nobody could tell whom they were issued to.",
                advice="Restore these files from a backup, and call again.",
            )
        first = {entry.certificate_id: one.run.run_id for _, one in reversed(manifests) for entry in one.documents}
        files = list(self._judged({path: entry for path, (_, entry) in listed.items()}, sorted(present)))
        return Found(
            manifests=tuple(_manifest(path, one) for path, one in manifests),
            certificates=tuple(_in_succession(_certificates(files, listed, first))),
        )

    # --- manifests --------------------------------------------------------------------------------

    def _manifests(self) -> list[tuple[Path, Manifest]]:
        """Every manifest, in order; each passed, and each naming the one before it."""
        names = self.output.manifests()
        paths = [self.output.root / name for name in names]
        if not paths:
            raise _doubtful(
                f"There is no manifest in {self.output.root / MANIFESTS}, and only manifests pin the ledger that was "
                "lost.",
                advice="Restore the folder of manifests, and call again.",
            )
        digests = {path.name: self.output.sha256(name) or "" for path, name in zip(paths, names, strict=True)}
        for path in paths:
            judgement: ManifestJudgement = judge_manifest(path, self.judge_seal).in_chain(digests)
            if judgement.verification.verdict is not Verdict.PASSED:
                raise _doubtful(
                    f"The manifest {path.name} does not pass: {_reasons(judgement.verification)}",
                    advice="See `sealtool verify`, restore what is missing, and call again.",
                )
        return [(path, parse_manifest(path.read_bytes())) for path in paths]

    # --- documents --------------------------------------------------------------------------------

    def _judged(self, listed: Mapping[str, DocumentEntry], paths: list[str]) -> Iterator[_File]:
        waiting = [
            self.executor.submit(_read, self.judge, self.output, path, listed[path].sha256 if path in listed else None)
            for path in paths
        ]
        for done, (path, one) in enumerate(zip(paths, waiting, strict=True), start=1):
            verification, decision = one.result()
            if decision is None or verification.certificate is None:
                raise _doubtful(
                    f"The document {path} does not pass: {_reasons(verification)}",
                    advice="See `sealtool verify`. Restore the right file, or put away one that nobody issued.",
                )
            facts = verification.certificate
            if Path(path).name.partition(".")[0] != facts.certificate_id or Path(path).parts[1] != facts.level:
                raise _doubtful(
                    f"The document {path} certifies another thing than its name says: {facts.certificate_id} at "
                    f"{facts.level}.",
                    advice="Give it back its name, or put it away.",
                )
            self.on_progress(done, len(paths))
            replaces = None if facts.replaces is None else CertificateId(facts.replaces)
            yield _File(path, verification, decision, date.fromisoformat(facts.issued_on), replaces)


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    verification: Verification
    decision: Decision
    issued_on: date
    replaces: CertificateId | None

    @property
    def certificate_id(self) -> CertificateId:
        return CertificateId(Path(self.path).name.partition(".")[0])

    @property
    def certified(self) -> tuple[object, ...]:
        """What every file of a certificate has to say."""
        return (self.decision, self.issued_on, self.replaces)


def _read(judge: Judge, output: OutputFolder, path: str, sha256: str | None) -> tuple[Verification, Decision | None]:
    """Runs in a worker process."""
    content = output.read(path) or b""
    verification = judge(content, sha256)
    if verification.verdict is not Verdict.PASSED:
        return verification, None
    return verification, certified_decision(content)


def _certificates(
    files: Iterable[_File], listed: Mapping[str, tuple[RunId, DocumentEntry]], first: Mapping[str, str]
) -> Iterator[FoundCertificate]:
    by_certificate: dict[CertificateId, list[_File]] = {}
    for file in files:
        by_certificate.setdefault(file.certificate_id, []).append(file)
    for certificate_id, several in by_certificate.items():
        one = several[0]
        if any(file.certified != one.certified for file in several):
            raise _doubtful(
                f"The files of certificate {certificate_id} certify different things.",
                advice="Restore the right ones, and call again.",
            )
        documents = tuple(_document(file, listed.get(file.path)) for file in several)
        languages = sorted(language for document in documents for language in document.languages)
        if languages != sorted(Language):
            raise _doubtful(
                f"The files of certificate {certificate_id} are in {', '.join(languages)}, and have to be in "
                f"{', '.join(Language)}, each once: a run died before all were there, or one is missing or too many.",
                advice="Restore what is missing. What no manifest lists and a run left half done, put away: the next "
                "`sealtool issue` makes the certificate anew.",
            )
        # The newest manifest that lists a file has the last word on its state (ADR 0006).
        words = (listed[file.path] for file in several if file.path in listed)
        said = max(words, key=lambda word: word[0], default=None)
        entry = None if said is None else said[1]
        run = first.get(certificate_id)
        yield FoundCertificate(
            certificate_id=certificate_id,
            decision=one.decision,
            issued_on=one.issued_on,
            state=CertificateState.ISSUED if entry is None else CertificateState(entry.state),
            predecessor_id=one.replaces,
            successor_id=None if entry is None or entry.successor is None else CertificateId(entry.successor),
            run_id=None if run is None else RunId(run),
            documents=documents,
        )


def _in_succession(found: Iterable[FoundCertificate]) -> Iterator[FoundCertificate]:
    """Those of the same person, level and area one behind the other, from the first to the newest."""
    alike: dict[tuple[PersonId, Level, Area | None], list[FoundCertificate]] = {}
    for one in found:
        decision = one.decision
        alike.setdefault((decision.person.person_id, decision.level, decision.area), []).append(one)
    for several in alike.values():
        yield from _chain(several)


def _chain(several: Sequence[FoundCertificate]) -> Iterator[FoundCertificate]:
    """The order comes from the files: each names the one it replaces, also where no manifest lists it yet."""
    successors = {one.predecessor_id: one for one in several}
    chain: list[FoundCertificate] = []
    newest = successors.get(None)
    while newest is not None:
        chain.append(newest)
        newest = successors.get(newest.certificate_id)
    if len(chain) < len(several):
        ids = ", ".join(sorted(one.certificate_id for one in several))
        raise _doubtful(
            f"The certificates {ids} are for one person, level and area, and do not all follow one from another: one "
            "between them is missing, or one too many is there.",
            advice="Restore the folder as it was, and call again.",
        )
    for generation, (one, successor) in enumerate(itertools.zip_longest(chain, chain[1:])):
        yield replace(one if successor is None else _replaced(one, successor.certificate_id), generation=generation)


def _replaced(one: FoundCertificate, successor: CertificateId) -> FoundCertificate:
    """Ended by its successor. Where the manifests do not know that yet, the next one lists its files again."""
    if one.successor_id == successor:
        return one
    state = CertificateState.SUPERSEDED if one.state is CertificateState.ISSUED else one.state
    documents = tuple(replace(document, manifest_run=None) for document in one.documents)
    return replace(one, state=state, successor_id=successor, documents=documents)


def _document(file: _File, listed: tuple[RunId, DocumentEntry] | None) -> FoundDocument:
    if listed is not None:
        run_id, entry = listed
        return FoundDocument(
            path=file.path,
            sha256=entry.sha256,
            size=entry.size,
            pages=entry.pages,
            languages=entry.languages,
            seal=entry.seal.model_dump(mode="json"),
            manifest_run=run_id,
            provable_until=entry.provable_until,
        )
    suffix = Path(file.path).name.partition(".")[2].removesuffix("pdf").rstrip(".")
    return FoundDocument(
        path=file.path,
        sha256=file.verification.sha256,
        size=file.verification.size,
        pages=file.verification.pages or 1,
        languages=(suffix,) if suffix else tuple(map(str, Language)),
        seal=seal_as_json(file.verification),
        manifest_run=None,
        provable_until=file.verification.provable_until,
    )


def _manifest(path: Path, manifest: Manifest) -> FoundManifest:
    run, content = manifest.run, path.read_bytes()
    files = {f"{MANIFESTS}/{one.name}": sha256_hex(one.read_bytes()) for one in (path, seal_of(path), table_of(path))}
    return FoundManifest(
        run_id=RunId(run.run_id),
        created_at=run.created_at,
        tool_version=run.tool_version,
        rules_version=run.rules_version,
        rules_sha256=run.rules_sha256,
        sources=tuple(SourceFile(one.name, one.sha256, one.rows) for one in run.inputs),
        counts=run.counts,
        files=files,
        sha256=sha256_hex(content),
        ledger_sequence=run.ledger_sequence,
        ledger_head=run.ledger_head,
    )


def rebuild(keeping: LedgerKeeping, reader: OutputReader, edge: Edge, facts: RunFacts) -> Found:
    """Writes the ledger anew, and lets it take its place only when it stands before the folder it came from.

    Raises:
        LedgerError: there is a ledger, or the folder leaves a doubt.
        OutputError: the folder cannot be read.
    """
    with rebuilding_at(keeping.url, aside=keeping.aside, password=keeping.password) as ledger:
        found = reader.read()
        newest = start_of_run(found.manifests[-1].run_id) + timedelta(seconds=1)
        run_id = new_run_id(max(edge.now().astimezone(UTC), newest), edge.random_bytes)
        edge.tell(RunEvent.RUN_BEGUN, run_id=run_id, asked_for=facts.command)
        write_rebuilt(ledger, run_id, facts, found, at=edge.now())
        insist_on_continuity(ledger, reader.output)
        if findings := examine(ledger, reader.output).findings:
            raise _doubtful(f"What was written does not agree with the manifests: {findings[0].message}", advice="")
    edge.tell(RunEvent.RUN_ENDED, counts={"rebuilt": len(found.certificates)})
    return found


def _reasons(verification: Verification) -> str:
    return " ".join(f"{reason.code}: {reason.message}" for reason in verification.reasons[:3]) or verification.verdict


def _doubtful(what: str, *, advice: str) -> LedgerInconsistentError:
    return LedgerInconsistentError(f"{what} {_DOUBT}", advice=advice)
