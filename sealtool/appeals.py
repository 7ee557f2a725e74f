"""Replacing and withdrawing issued certificates: what a human decides, and no run by itself.

A reissue is proposed first, holding nothing, so that a human can look at before and after for as long as it takes. Then
it is carried out like any issue (docs/adr/0011): decided and reserved, sealed, published, and, in one commit, issued
while the old certificate is superseded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sealtool.canonical import decision_fingerprint, key_of, named_decision_as_json, person_as_json
from sealtool.discretion import insist_on_discretion, insist_on_sound_texts
from sealtool.doubts import Printing
from sealtool.errors import AppealError, LedgerLockedError, SealtoolError, UsageError
from sealtool.identifiers import new_certificate_id, parse_certificate_id
from sealtool.issuing import IssueReport, Issuing
from sealtool.ledger import Act, ActKind, CertificateState, CertificateStory, Ledger, Reservation, RunFacts
from sealtool.model import CertificateId, Decision, Person, Registry
from sealtool.planning import Plan, items_of
from sealtool.registry.cells import name_oddity
from sealtool.running import RunEvent
from sealtool.upholding import OPTIONS, Content, Upheld, content_of

REISSUE_SCHEMA: Final = "sealtool.reissue/1"
REVOCATION_SCHEMA: Final = "sealtool.revocation/1"


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a human replaces or withdraws a certificate. No text may name its holder.

    Attributes:
        decided_by: who decided, a name or an office; empty where nobody was named, and the caller stands for it.
        called_by: the user of the system.
        reference: of the file of the case; may be empty.
    """

    reason: str
    called_by: str
    decided_by: str = ""
    reference: str = ""

    def act(self, kind: ActKind, content: Content | None = None) -> Act:
        """The same for the ledger."""
        return Act(
            kind=kind,
            reason=self.reason,
            decided_by=self.decided_by or self.called_by,
            called_by=self.called_by,
            reference=self.reference,
            upheld=() if content is None else content.upheld,
            overruled=None if content is None else content.overruled,
        )

    def as_json(self) -> dict[str, str]:
        """As the commands show it."""
        return {
            "reason": self.reason,
            "decided_by": self.decided_by or self.called_by,
            "called_by": self.called_by,
            "file": self.reference,
        }

    def insist_on_sound(self, people: Sequence[Person]) -> None:
        """UsageError where a text is no sound line or names the holder."""
        given = {"--reason": self.reason}
        given |= {"--file": self.reference} if self.reference else {}
        officials = {"--by": self.decided_by} if self.decided_by else {}
        insist_on_sound_texts({**given, **officials})
        insist_on_discretion(given, people, officials=officials)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A reissue as a human is asked to confirm it.

    Attributes:
        content: what the new certificate would say; None where the same call has done its work already.
        earliest: the first day on which anything counts.
        is_same: whether the new certificate would say what the one in force says.
    """

    story: CertificateStory
    grounds: Grounds
    content: Content | None
    registry: Registry
    earliest: date

    @property
    def certificate_id(self) -> CertificateId:
        """The certificate to be replaced."""
        return self.story.certificate.certificate_id

    @property
    def is_done(self) -> bool:
        """Whether the same call was stopped after its work, and may have left its manifest undone."""
        return self.content is None

    @property
    def is_same(self) -> bool:
        """Whether the certificate is in force, and the new one would say the same."""
        certificate = self.story.certificate
        return (
            self.content is not None
            and certificate.state is CertificateState.ISSUED
            and certificate.fingerprint == decision_fingerprint(self.content.decision)
        )

    @property
    def items(self) -> list[dict[str, Any]]:
        """Before and after, item by item, with those that were upheld against the registry marked."""
        if self.content is None:
            return []
        was, now = _items(self.story.decision), _items(self.content.decision)
        return [
            {"item": item, "was": was.get(item), "is": now.get(item), "upheld": item in self.content.upheld}
            for item in {**now, **was}
        ]

    @property
    def oddities(self) -> list[str]:
        """What is unusual in the name on the new certificate, part by part, in words that do not tell the name."""
        if self.content is None:
            return []
        parts = person_as_json(self.content.decision.person)
        del parts["person_id"]
        return [f"{part} {odd}" for part, name in parts.items() if (odd := name_oddity(name))]

    @property
    def early_day(self) -> str:
        """What is unusual in the day that was upheld; empty where nothing is."""
        if self.content is None or "accredited_on" not in self.content.upheld:
            return ""
        day = self.content.decision.accredited_on
        return (
            "" if day >= self.earliest else f"{day} is before {self.earliest}, when the first training began to count"
        )

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The items that would be different."""
        return [one for one in self.items if one["was"] != one["is"]]


@dataclass(frozen=True, slots=True)
class Reissue:
    """What became of a reissue."""

    proposal: Proposal
    report: IssueReport
    certificate_id: CertificateId | None
    """The new certificate; None where it could not be made, and stays pending."""

    def as_json(self) -> dict[str, Any]:
        """The document of ``reissue --json``."""
        certificate = self.proposal.story.certificate
        return {
            "schema": REISSUE_SCHEMA,
            "run_id": self.report.run_id,
            "certificate_id": self.certificate_id,
            "replaces": certificate.certificate_id,
            "person_id": certificate.person_id,
            "level": certificate.level,
            "area": certificate.area,
            "changes": self.proposal.changes,
            "grounds": self.proposal.grounds.as_json(),
            "failed": [
                {"certificate_id": one.certificate_id, "message": str(one.error)} for one in self.report.failures
            ],
            "manifest": self.report.manifest,
        }


@dataclass(frozen=True, slots=True)
class Revocation:
    """What became of a revocation. ``was_revoked`` tells that the same call had done its work before."""

    story: CertificateStory
    grounds: Grounds
    report: IssueReport
    was_revoked: bool

    def as_json(self) -> dict[str, Any]:
        """The document of ``revoke --json``."""
        certificate = self.story.certificate
        return {
            "schema": REVOCATION_SCHEMA,
            "run_id": self.report.run_id,
            "certificate_id": certificate.certificate_id,
            "person_id": certificate.person_id,
            "level": certificate.level,
            "area": certificate.area,
            "was_revoked": self.was_revoked,
            "grounds": self.grounds.as_json(),
            "manifest": self.report.manifest,
        }


# --- finding the certificate ----------------------------------------------------------------------------


def story_of(ledger: Ledger, text: str) -> CertificateStory:
    """The certificate that somebody names, with what became of it.

    Raises:
        UsageError: that is no id, or the ledger has no issued certificate with it.
    """
    certificate_id = parse_certificate_id(text)
    if certificate_id is None:
        raise UsageError(
            f"'{text}' is no certificate id: it has another form, or its check character does not fit.",
            advice="Copy it from the certificate, or from what `sealtool plan` shows.",
        )
    story = ledger.story(certificate_id)
    if story is None:
        raise UsageError(
            f"The ledger knows no certificate {certificate_id}.", advice="Check ledger.url: is it the right ledger?"
        )
    if story.certificate.state in {CertificateState.RESERVED, CertificateState.SEALED, CertificateState.RELEASED}:
        raise UsageError(
            f"Certificate {certificate_id} was never issued (it is {story.certificate.state}).",
            advice="The next `sealtool issue` settles what is pending.",
        )
    return story


def _insist_on_newest(story: CertificateStory, verb: str) -> None:
    """UsageError where another certificate has taken its place."""
    certificate, newest = story.certificate, story.newest
    if newest.certificate_id == certificate.certificate_id:
        return
    stands = "is in force now" if newest.state is CertificateState.ISSUED else "was revoked since"
    raise UsageError(
        f"Certificate {certificate.certificate_id} is {certificate.state} already: {newest.certificate_id} took its "
        f"place and {stands}. Nothing was done.",
        advice=f"To {verb} that one, call again with its id.",
    )


# --- reissuing ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposing:
    """Works out what a reissue would say. Reads, and writes nothing.

    Attributes:
        read: story -> the export and the plan for the person and level of the certificate.
        printing: certificate to be replaced -> which names cannot be printed on its successor, which names it.
        earliest: the first day on which anything counts by the law; what was upheld before it is to be asked about.
    """

    ledger: Ledger
    read: Callable[[CertificateStory], tuple[Registry, Plan]]
    printing: Callable[[CertificateId], Printing]
    earliest: date

    def propose(self, text: str, grounds: Grounds, upheld: Upheld) -> Proposal:
        """The reissue to be confirmed.

        Args:
            text: the id of the certificate, as somebody typed it.
            grounds: who decided, and why.
            upheld: what was upheld against the registry.

        Raises:
            UsageError: the certificate cannot be reissued, or the texts cannot be on record.
            AppealError: the registry does not support it, or the person is held.
            RegistryError: the export cannot be read as a whole.
        """
        story = story_of(self.ledger, text)
        grounds.insist_on_sound([story.decision.person])
        if _is_repeated(story, grounds):
            return Proposal(story, grounds, None, _NO_REGISTRY, self.earliest)
        _insist_on_newest(story, "reissue")
        registry, plan = self.read(story)
        content = self._content(story, registry, plan, upheld)
        _insist_on_earlier_acts(story, content, upheld)
        grounds.insist_on_sound([story.decision.person, content.decision.person])
        if content.overruled is not None:
            _insist_on_act(grounds, content)
        self._insist_on_printable(story, content.decision)
        return Proposal(story, grounds, content, registry, self.earliest)

    def _content(self, story: CertificateStory, registry: Registry, plan: Plan, upheld: Upheld) -> Content:
        certificate = story.certificate
        if indices := plan.held.get(certificate.person_id):
            problem = plan.problems[indices[0]]
            raise AppealError(
                f"The holder of certificate {certificate.certificate_id} is held by {len(indices)} problems of the "
                f"registry, the first in {problem.file} line {problem.line}: {problem.message} Nothing was done.",
                advice="Have the registry put right: nothing doubtful is sealed, on appeal neither.",
            )
        decision = _registry_decision(plan, story)
        record = registry.records.get(certificate.person_id)
        person = story.decision.person if record is None else record.person
        content = content_of(decision, person, story.decision, upheld)
        if content is None:
            raise AppealError(
                f"The registry does not support certificate {certificate.certificate_id} any more, so it gives "
                "a new one nothing to say. Nothing was done.",
                advice="Where the level was upheld all the same, say its day with --accredited-on; where it was not, "
                "`sealtool revoke` withdraws the certificate.",
            )
        return content

    def _insist_on_printable(self, story: CertificateStory, decision: Decision) -> None:
        printing = self.printing(story.certificate.certificate_id)
        missing = printing.unprintable(decision.person.full_name)
        if missing:
            points = ", ".join(f"U+{ord(character):04X}" for character in missing)
            raise AppealError(
                f"The name for the successor of {story.certificate.certificate_id} has characters that the fonts "
                f"cannot print ({points}). Nothing was done.",
                advice="Give it in Latin letters, or configure fonts that have these characters.",
            )
        if why := printing.trial(decision):
            raise AppealError(
                f"The name for the successor of {story.certificate.certificate_id} cannot be printed as it stands: a "
                f"certificate was made for trial. {why} Nothing was done.",
                advice="Give the name in a shorter or plainer way, or give the templates more room.",
            )


_NO_REGISTRY: Final = Registry({}, {}, (), (), ())


def _registry_decision(plan: Plan, story: CertificateStory) -> Decision | None:
    certificate = story.certificate
    key = (certificate.person_id, certificate.level, certificate.area)
    return next((one.decision for one in plan.entries if one.decision and key_of(one.decision) == key), None)


def _is_repeated(story: CertificateStory, grounds: Grounds) -> bool:
    """Whether the same call was stopped after its work: only what follows from it may be left to do."""
    certificate, newest = story.certificate, story.newest
    return (
        certificate.successor_id is not None
        and newest.certificate_id == certificate.successor_id
        and story.is_unfinished
        and any(act.kind is ActKind.REISSUE and act.reason == grounds.reason for act in story.acts)
    )


def _insist_on_earlier_acts(story: CertificateStory, content: Content, upheld: Upheld) -> None:
    """What was once upheld against the registry is not taken back because somebody forgot to say it again."""
    was, now = _items(story.decision), _items(content.decision)
    forgotten = [
        OPTIONS[item]
        for act in story.acts
        for item in act.upheld
        if getattr(upheld, item) is None and was[item] != now[item]
    ]
    if forgotten:
        raise UsageError(
            f"Certificate {story.certificate.certificate_id} says what was upheld against the registry, and this would "
            f"take it back: {', '.join(forgotten)}. Nothing was done.",
            advice="Give the same again to keep it, or what the registry has to give it up.",
        )


def _insist_on_act(grounds: Grounds, content: Content) -> None:
    """What no registry says has to be somebody's decision, on paper."""
    missing = [option for option, text in (("--by", grounds.decided_by), ("--file", grounds.reference)) if not text]
    if missing:
        items = ", ".join(OPTIONS[item] for item in content.upheld)
        raise UsageError(
            f"{items} says what the registry does not say, so it has to be on record who decided it and in which file; "
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing.",
            advice="Name the body that upheld it with --by, and its act with --file.",
        )


@dataclass(frozen=True, slots=True)
class Reissuing:
    """Carries a proposal out. Construct it inside ``ledger.exclusive()`` and call :meth:`run` once."""

    issuing: Issuing

    def run(self, proposal: Proposal, facts: RunFacts) -> Reissue:
        """Issues the new certificate and supersedes the old one, and whatever reissue was stopped before.

        Raises:
            LedgerLockedError: another run changed the certificate since it was proposed.
            AppealError: an earlier reissue of it, which was stopped, turned out to be published, and says otherwise.
            SealtoolError: the run had to stop; the reissue stays pending, and the next run takes it up.
        """

        def decide(report: IssueReport) -> Sequence[Reservation]:
            self._reserve(proposal, report)
            return self.issuing.stopped_reissues(report)

        decisions = [self.issuing.stopped_reissues] if proposal.is_done else [decide]
        report = self.issuing.carry_out(decisions, facts)
        story = self.issuing.ledger.story(proposal.certificate_id)
        successor = None if story is None else story.certificate.successor_id
        return Reissue(proposal, report, successor)

    def _reserve(self, proposal: Proposal, report: IssueReport) -> None:
        ledger, edge = self.issuing.ledger, self.issuing.edge
        story = ledger.story(proposal.certificate_id)
        if proposal.content is None or story is None:
            return
        if story.certificate.successor_id in report.recovered:
            if story.newest.fingerprint == decision_fingerprint(proposal.content.decision):
                return
            raise AppealError(
                f"A reissue of {proposal.certificate_id} that was stopped had been published already, as "
                f"{story.newest.certificate_id}, and it says something else than you asked for. Yours was not made.",
                advice=f"Look at {story.newest.certificate_id}; to replace that one, call again with its id.",
            )
        _insist_on_unchanged(proposal.story, story)
        certificate_id = story.pending or new_certificate_id(edge.random_bytes)
        reservation = Reservation(certificate_id, proposal.content.decision, proposal.certificate_id)
        act = proposal.grounds.act(ActKind.REISSUE, proposal.content)
        ledger.reserve_reissue(report.run_id, reservation, act, at=edge.now())
        edge.on_step("reissue reserved")


def _insist_on_unchanged(before: CertificateStory, now: CertificateStory) -> None:
    if (before.certificate.state, before.newest) != (now.certificate.state, now.newest):
        raise LedgerLockedError(
            f"Another run changed certificate {now.certificate.certificate_id} while you looked at it. Nothing was "
            "done.",
            advice="Call again, and look at what it is now.",
        )


# --- revoking -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Revoking:
    """Withdraws one certificate. Construct it inside ``ledger.exclusive()`` and call :meth:`run` once."""

    issuing: Issuing
    _was_revoked: bool = field(default=False, init=False)
    _is_revoked: bool = field(default=False, init=False)

    def run(self, proposed: CertificateStory, grounds: Grounds, facts: RunFacts) -> Revocation:
        """Withdraws the certificate, with no successor, and lists it anew.

        Raises:
            LedgerLockedError: another run changed the certificate since it was looked at.
            SealtoolError: the run had to stop. What was revoked is recorded, and the next manifest says so.
        """

        def decide(report: IssueReport) -> Sequence[Reservation]:
            self._revoke(proposed, grounds, report)
            return ()

        try:
            report = self.issuing.carry_out([decide], facts)
        except SealtoolError as error:
            if self._is_revoked:
                raise _all_the_same(error, proposed.certificate.certificate_id) from error
            raise
        return Revocation(proposed, grounds, report, self._was_revoked)

    def _revoke(self, proposed: CertificateStory, grounds: Grounds, report: IssueReport) -> None:
        ledger, edge = self.issuing.ledger, self.issuing.edge
        certificate_id = proposed.certificate.certificate_id
        story = ledger.story(certificate_id)
        if story is None:
            return
        _insist_on_unchanged(proposed, story)
        self._is_revoked = story.certificate.state is CertificateState.REVOKED
        self._was_revoked = self._is_revoked and story.pending is None
        if self._was_revoked:
            return
        ledger.revoke(report.run_id, certificate_id, grounds.act(ActKind.REVOCATION), at=edge.now())
        self._is_revoked = True
        edge.on_step("certificate revoked")
        edge.tell(RunEvent.CERTIFICATE_REVOKED, certificate_id=certificate_id)


def _all_the_same(error: SealtoolError, certificate_id: CertificateId) -> SealtoolError:
    """A revocation needs no seal, only the manifest does that tells of it: nobody may think that it did not happen."""
    told = f"Certificate {certificate_id} is revoked, but no manifest could say so yet:"
    return type(error)(
        f"{told} {error.message}",
        advice=f"{error.advice} Then repeat this call: it writes the manifest.".strip(),
        discreet=f"{told} {error.discreet}" if error.discreet else "",
    )


def propose_revocation(ledger: Ledger, text: str, grounds: Grounds) -> CertificateStory:
    """The certificate that would be withdrawn.

    Raises:
        UsageError: it is not in force, or the texts cannot be on record.
    """
    story = story_of(ledger, text)
    grounds.insist_on_sound([story.decision.person])
    _insist_on_newest(story, "revoke")
    is_repeated = any(act.kind is ActKind.REVOCATION and act.reason == grounds.reason for act in story.acts)
    is_revoked = story.certificate.state is CertificateState.REVOKED
    # A reissue of it that was stopped would be carried out by the next run; to revoke again gives that up.
    if is_revoked and story.pending is None and not (is_repeated and story.is_unfinished):
        raise UsageError(
            f"Certificate {story.certificate.certificate_id} is revoked already. Nothing was done.",
            advice="`sealtool register --state revoked` lists what was withdrawn.",
        )
    return story


def summary_of(story: CertificateStory) -> Mapping[str, str]:
    """What a certificate says, item by item, for whoever is asked to confirm."""
    return _items(story.decision)


def _items(decision: Decision) -> dict[str, str]:
    return items_of(named_decision_as_json(decision))
