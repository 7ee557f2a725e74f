"""Judging one manifest: its seal, its form, its table, and its place in the chain of manifests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from sealtool.auditing.files import FileRefusedError, read_file
from sealtool.auditing.judgements import doubted, not_judged
from sealtool.auditing.reasons import FileReason
from sealtool.identifiers import is_run_id
from sealtool.model import CertifiedFacts, Verdict, Verification
from sealtool.publishing import MANIFESTS

if TYPE_CHECKING:
    from sealtool.manifest import Manifest, PreviousManifest

JudgeSeal = Callable[[bytes, bytes], Verification]
"""Content and its detached seal -> judgement. Runs in a worker process."""

MAX_BYTES: Final = 256 * 1024 * 1024
"""A document takes about 1.5 KB in a manifest, so this is a run of well over a hundred thousand certificates."""


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """What a sound manifest says of one file."""

    path: Path
    sha256: str
    state: Literal["issued", "superseded", "revoked"]
    successor: str | None
    certificate_id: str
    level: str
    area: int | None

    def contradicts(self, facts: CertifiedFacts) -> bool:
        """Whether the record of the file is of another certificate, level or area."""
        return (facts.certificate_id, facts.level, facts.area) != (self.certificate_id, self.level, self.area)


@dataclass(frozen=True, slots=True)
class ManifestJudgement:
    """A manifest that was judged.

    Attributes:
        run_id: of the run that wrote it, empty where its seal or form is not sound; ids sort by time.
        previous: the manifest before it, as it names it.
        documents: what it lists; nothing where its seal or form is not sound.
    """

    path: Path
    verification: Verification
    run_id: str = ""
    previous: PreviousManifest | None = None
    documents: tuple[ListedDocument, ...] = ()

    def in_chain(self, beside: Mapping[str, str]) -> ManifestJudgement:
        """The same, having looked for the manifest before it.

        Args:
            beside: the manifests of the same folder, by name of the file, with their SHA-256.
        """
        if self.previous is None:
            return self
        name = f"{self.previous.run_id}.json"
        present = beside.get(name)
        if present == self.previous.sha256:
            return self
        code = FileReason.PREVIOUS_MANIFEST_DIFFERS if present else FileReason.PREVIOUS_MANIFEST_MISSING
        return replace(self, verification=doubted(self.verification, code, f"It is {name}."))


def is_in_its_place(manifest: Path) -> bool:
    """Whether it lies where ``issue`` puts manifests: beside all others, below the folder they speak of."""
    return manifest.parent.name == MANIFESTS


def output_folder(home: Path) -> Path:
    """The folder that the paths in manifests are relative to, given the folder of the manifests."""
    return home.parent if home.name == MANIFESTS else home


def seal_of(manifest: Path) -> Path:
    """The detached seal of a manifest."""
    return manifest.with_name(f"{manifest.name}.p7s")


def table_of(manifest: Path) -> Path:
    """The CSV twin of a manifest."""
    return manifest.with_name(f"{manifest.name.removesuffix('.json')}.csv")


def part_of_manifest(path: Path) -> str:
    """What to name instead of a file that is judged together with a manifest; empty where it is none."""
    if path.name.endswith(".json.p7s"):
        return "It is the seal of a manifest: name the manifest itself, the .json beside it."
    if path.suffix == ".csv" and is_run_id(path.stem):
        return "It is the table of a manifest: name the manifest itself, the .json beside it."
    return ""


def judge_manifest(path: Path, judge_seal: JudgeSeal) -> ManifestJudgement:
    """Judges a manifest by itself. Its list counts only where its seal and its form are sound."""
    from sealtool.manifest import parse_manifest  # noqa: PLC0415 - most files that are judged are no manifests

    content = b""
    try:
        content = read_file(path, most=MAX_BYTES)
        seal = read_file(seal_of(path))
    except FileRefusedError as refused:
        code, detail = refused.code, refused.detail
        if content and code is FileReason.FILE_MISSING:
            code = FileReason.MANIFEST_SEAL_MISSING
        elif content:
            detail = f"{detail} This is about the seal of the manifest (.p7s).".strip()
        return ManifestJudgement(path, not_judged(code, detail, content=content))
    verification = judge_seal(content, seal)
    if verification.verdict is not Verdict.PASSED:
        return ManifestJudgement(path, verification)
    try:
        manifest = parse_manifest(content)
    except ValueError as error:
        return ManifestJudgement(path, doubted(verification, FileReason.MANIFEST_UNREADABLE, f"It says: {error}."))
    return ManifestJudgement(
        path,
        _with_table(path, manifest, verification),
        run_id=manifest.run.run_id,
        previous=manifest.run.previous_manifest,
        documents=_documents(path, manifest),
    )


def _with_table(path: Path, manifest: Manifest, verification: Verification) -> Verification:
    """The table is not sealed, so it is worth what the manifest says: the same to the byte, or not to be relied on."""
    try:
        table = read_file(table_of(path), most=MAX_BYTES)
    except FileRefusedError as refused:
        if refused.code is not FileReason.FILE_MISSING:
            return doubted(verification, refused.code, f"{refused.detail} This is about the table (.csv).".strip())
        # handed over by itself, a manifest needs no table
        return doubted(verification, FileReason.CSV_MISSING) if is_in_its_place(path) else verification
    return verification if table == manifest.to_csv() else doubted(verification, FileReason.CSV_DIFFERS)


def _documents(path: Path, manifest: Manifest) -> tuple[ListedDocument, ...]:
    """What it lists. The form of a manifest leaves no way out of the folder."""
    folder = output_folder(path.parent)
    return tuple(
        ListedDocument(
            folder / PurePosixPath(entry.path),
            entry.sha256,
            entry.state,
            entry.successor,
            entry.certificate_id,
            entry.level,
            entry.area,
        )
        for entry in manifest.documents
    )
