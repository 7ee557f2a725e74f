"""How things stand: the runs, the certificates by state, and what needs a human.

``sealtool status`` shows it, monitoring asks for it as JSON, and the metrics of a run take their figures from here. The
pydantic models below are the format of ``status --json``; the published JSON Schema is made from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from sealtool.continuity import broken_continuity, missing_files
from sealtool.errors import OutputError
from sealtool.ledger import UNPUBLISHED, CertificateState, Ledger, RunState, RunSummary
from sealtool.model import Level
from sealtool.published import Part, schema_of
from sealtool.publishing import OutputFolder

SCHEMA: Final = "sealtool.status/1"

_RUNS_SHOWN: Final = 5
_RUNS_REMEMBERED: Final = 400
"""More than a year of nights."""

Moment = Annotated[str, Field(description="ISO 8601, in UTC", json_schema_extra={"format": "date-time"})]


class FindingCode(StrEnum):
    """What may need a human. The codes are for monitoring, and stay."""

    LEDGER_CHANGED = "LEDGER_CHANGED"
    LEDGER_CONTRADICTED = "LEDGER_CONTRADICTED"
    FILES_MISSING = "FILES_MISSING"
    MANIFEST_MISSING = "MANIFEST_MISSING"
    OUTPUT_UNREADABLE = "OUTPUT_UNREADABLE"
    CERTIFICATES_PENDING = "CERTIFICATES_PENDING"
    RUN_STOPPED = "RUN_STOPPED"
    PEOPLE_HELD = "PEOPLE_HELD"
    CERTIFICATES_CONTESTED = "CERTIFICATES_CONTESTED"
    RENEWAL_DUE = "RENEWAL_DUE"


class Finding(Part):
    """Something that needs a human."""

    code: FindingCode
    message: str


class RunStanding(Part):
    """A run as the ledger remembers it."""

    run_id: str
    command: str = Field(description="with what it was asked for; nobody is named")
    state: RunState
    started_at: Moment
    finished_at: Moment | None = Field(description="null where it was ended from outside, or goes on")
    counts: Mapping[str, int | str] = Field(description="figures by name; `message` says what stopped it")


class NewestRun(RunStanding):
    """The newest run of a command."""

    age_seconds: int = Field(description="since its end, or since its start where it has none")


class CertificateCount(Part):
    """How many certificates of a level are in a state."""

    level: str
    state: CertificateState
    count: int


class RenewalMonth(Part):
    """How many documents can be proven until some day of a month."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    documents: int
    first: str = Field(description="path below the output folder")


class NextRenewal(Part):
    """The document that runs out first."""

    path: str
    provable_until: Moment


class LedgerHead(Part):
    """The newest event of the ledger."""

    events: int
    head: str


class Standing(Part):
    """The document of ``status --json``."""

    schema_name: Literal["sealtool.status/1"] = Field(default=SCHEMA, serialization_alias="schema")
    as_of: Moment
    tool_version: str
    running: bool = Field(description="whether a run goes on")
    runs: tuple[RunStanding, ...] = Field(description="the newest runs, newest first")
    newest: Mapping[str, NewestRun] = Field(description="by command: issue, extend, reissue, revoke, ledger")
    certificates: tuple[CertificateCount, ...]
    pending: int = Field(description="certificates that are decided and not published yet")
    renewals: tuple[RenewalMonth, ...]
    due_for_renewal: int = Field(description="documents that run out within `run.renew_days`")
    next_renewal: NextRenewal | None
    seal_certificate_valid_until: Moment | None = Field(description="of the newest seal; null before the first")
    ledger: LedgerHead
    needs_human: tuple[Finding, ...]

    @property
    def is_inconsistent(self) -> bool:
        """Whether ledger and output folder are not, or no longer, what sealtool left."""
        return any(
            one.code in {FindingCode.LEDGER_CHANGED, FindingCode.LEDGER_CONTRADICTED} for one in self.needs_human
        )

    def as_json(self) -> dict[str, Any]:
        """As it is published."""
        return self.model_dump(mode="json", by_alias=True)


def json_schema() -> dict[str, Any]:
    """The published JSON Schema."""
    return schema_of(Standing, "status:1")


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is to count in a ledger without following its chain or looking at files.

    Attributes:
        certificates: by level and state.
        due: documents that run out soon, with the first of them.
        next_renewal: the document that runs out first, soon or not.
        seal_valid_until: the end of the certificate behind the newest seal.
    """

    certificates: tuple[tuple[str, CertificateState, int], ...]
    due: int
    next_renewal: NextRenewal | None
    seal_valid_until: datetime | None

    @property
    def pending(self) -> int:
        """Certificates that are decided and not published yet."""
        return sum(count for _, state, count in self.certificates if state in UNPUBLISHED)


def figures_of(ledger: Ledger, *, now: datetime, renew_days: int) -> Figures:
    """Counts what there is."""
    first = ledger.documents_on_record(limit=1)
    return Figures(
        certificates=ledger.counts_by_level_and_state(),
        due=len(ledger.documents_on_record(until=now + timedelta(days=renew_days))),
        next_renewal=NextRenewal(path=first[0].path, provable_until=_moment(first[0].provable_until))
        if first
        else None,
        seal_valid_until=ledger.newest_seal_valid_until(),
    )


def standing_of(ledger: Ledger, output: OutputFolder, *, now: datetime, renew_days: int, tool_version: str) -> Standing:
    """Looks at everything: also whether the chain of events is whole, and whether every issued file is there."""
    findings = _about_files(ledger, output)
    figures = figures_of(ledger, now=now, renew_days=renew_days)
    remembered, running = ledger.last_runs(_RUNS_REMEMBERED), ledger.is_held()
    sequence, head = ledger.head()
    end = figures.seal_valid_until
    newest: dict[str, RunSummary] = {}
    for run in remembered:
        newest.setdefault(run.command.split()[0], run)
    return Standing(
        as_of=_moment(now),
        tool_version=tool_version,
        running=running,
        runs=tuple(RunStanding(**_facts(run, running=running)) for run in remembered[:_RUNS_SHOWN]),
        newest={
            command: NewestRun(**_facts(run, running=running), age_seconds=_age(run, now))
            for command, run in sorted(newest.items())
        },
        certificates=tuple(
            CertificateCount(level=level, state=state, count=count) for level, state, count in figures.certificates
        ),
        pending=figures.pending,
        renewals=tuple(
            RenewalMonth(month=one.month, documents=one.documents, first=one.first)
            for one in ledger.renewals_by_month()
        ),
        due_for_renewal=figures.due,
        next_renewal=figures.next_renewal,
        seal_certificate_valid_until=None if end is None else _moment(end),
        ledger=LedgerHead(events=sequence, head=head),
        needs_human=(
            *findings,
            *_open_questions(figures, remembered, running=running),
            *_due_renewals(figures, renew_days),
        ),
    )


def _facts(run: RunSummary, *, running: bool) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "command": run.command,
        "state": _state(run, running=running),
        "started_at": _instant(run.started_at),
        "finished_at": None if run.finished_at is None else _instant(run.finished_at),
        "counts": dict(run.counts),
    }


def _age(run: RunSummary, now: datetime) -> int:
    return int((now - (run.finished_at or run.started_at)).total_seconds())


def _instant(when: datetime) -> str:
    """As the ledger writes it."""
    return when.isoformat(timespec="microseconds")


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).isoformat()


def _state(run: RunSummary, *, running: bool) -> RunState:
    """A run that never ended is over all the same when nobody holds the ledger."""
    return RunState.INTERRUPTED if run.state is RunState.RUNNING and not running else run.state


# --- what needs a human ---------------------------------------------------------------------------------


def _about_files(ledger: Ledger, output: OutputFolder) -> list[Finding]:
    """What is wrong with ledger and files; where these cannot be looked at, that, and all else is told as well."""
    try:
        return _inconsistencies(ledger, output) or _missing_files(ledger, output)
    except OutputError as error:
        return [Finding(code=FindingCode.OUTPUT_UNREADABLE, message=str(error))]


def _inconsistencies(ledger: Ledger, output: OutputFolder) -> list[Finding]:
    """What says that ledger and output folder are not, or no longer, what sealtool left."""
    if broken := ledger.broken_link():
        message = f"The ledger was changed outside sealtool: {broken}. Restore it from a backup."
        return [Finding(code=FindingCode.LEDGER_CHANGED, message=message)]
    if contradiction := broken_continuity(ledger, output):
        return [Finding(code=FindingCode.LEDGER_CONTRADICTED, message=str(contradiction))]
    return []


def _missing_files(ledger: Ledger, output: OutputFolder) -> list[Finding]:
    documents, manifests = missing_files(ledger, output)
    kinds = (
        (FindingCode.FILES_MISSING, "Of the issued files", documents),
        (FindingCode.MANIFEST_MISSING, "Of the manifests, their seals and tables", manifests),
    )
    return [
        Finding(
            code=code,
            message=f"{of_what}, {len(missing)} are missing from {output.root}, first {missing[0]}. Restore them from "
            "a backup.",
        )
        for code, of_what, missing in kinds
        if missing
    ]


def _open_questions(figures: Figures, runs: Sequence[RunSummary], *, running: bool) -> list[Finding]:
    """What waits for somebody, although nothing is broken."""
    questions = []
    if figures.pending and not running:
        waiting = _counted(figures.pending, "certificate is", "certificates are")
        message = f"{waiting} pending: an `issue` for the same levels and people takes them up."
        questions.append(Finding(code=FindingCode.CERTIFICATES_PENDING, message=message))
    if runs and _state(runs[0], running=running) in {RunState.FAILED, RunState.INTERRUPTED}:
        why = runs[0].counts.get("message") or "it was ended from outside."
        message = f"The last run, {runs[0].run_id} ({runs[0].command}), was stopped before its end: {why}"
        questions.append(Finding(code=FindingCode.RUN_STOPPED, message=message))
    complete = _newest_for_each_level(runs)
    # an export is read as a whole, whatever level is asked for, so the newest run knows all who are held
    questions += [_held(run) for run in complete[:1] if run.counts.get("held")]
    questions += [_contested(run, number) for run in complete if (number := _contradicted(run))]
    return questions


def _newest_for_each_level(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """The newest finished runs for everybody that together cover all levels there were, newest first: what one of them
    left open is not settled by a later run for one person, or for another level."""
    found: dict[str, RunSummary] = {}
    for run in runs:
        words = run.command.split()
        if run.state is RunState.FINISHED and "for" not in words and "areas" not in words:
            for level in set(words) & set(Level):
                found.setdefault(level, run)
    return list({run.run_id: run for run in found.values()}.values())


def _held(run: RunSummary) -> Finding:
    held = _counted(run.counts["held"], "person was", "people were")
    message = (
        f"At the run {run.run_id} {held} held by problems of the registry ({run.counts.get('problems', 0)}): "
        "`sealtool check` lists them."
    )
    return Finding(code=FindingCode.PEOPLE_HELD, message=message)


def _contradicted(run: RunSummary) -> int:
    return int(run.counts.get("changed", 0) + run.counts.get("lost", 0))


def _contested(run: RunSummary, number: int) -> Finding:
    certificates = _counted(number, "issued certificate", "issued certificates")
    message = (
        f"At the run {run.run_id} the registry contradicted {certificates}: `sealtool plan` lists them, and a human "
        "decides."
    )
    return Finding(code=FindingCode.CERTIFICATES_CONTESTED, message=message)


def _due_renewals(figures: Figures, days: int) -> list[Finding]:
    """What runs out soon: afterwards no time stamp can bring it back."""
    first = figures.next_renewal
    if not figures.due or first is None:
        return []
    documents = _counted(figures.due, "document", "documents")
    message = (
        f"{documents} can be proven for less than {days} days, the first until {first.provable_until[:10]} "
        f"({first.path}). What ran out cannot be renewed any more, so call `sealtool extend --due` before."
    )
    return [Finding(code=FindingCode.RENEWAL_DUE, message=message)]


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
