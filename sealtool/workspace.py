"""Puts the stages together for one configuration: the only place that knows settings and stages both.

Libraries are imported where they are first needed, so that a command pays only for what it uses.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property, partial
from getpass import getpass
from glob import glob
from importlib import import_module
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import sealtool
from sealtool.collecting import values_that_stay
from sealtool.errors import ConfigurationError, SealKeyError, UsageError
from sealtool.model import (
    Area,
    CertificateOrder,
    Language,
    Level,
    PadesLevel,
    Registry,
    SourceFile,
    UnsealedPdf,
    Verification,
)
from sealtool.publishing import OutputFolder
from sealtool.settings import (
    PassphraseSettings,
    RemoteKeySettings,
    Settings,
    SignaturePolicySettings,
    TokenSettings,
    with_cluster,
)

if TYPE_CHECKING:
    from sealtool.accreditation import Rules
    from sealtool.appeals import Grounds, Proposal, Reissue, Revocation
    from sealtool.auditing import Distance
    from sealtool.checkup import CheckUp, Installation
    from sealtool.cluster import ClusterExecutor
    from sealtool.exporting import ExportReport
    from sealtool.exposure import Exposure
    from sealtool.issuing import IssueReport, Issuing
    from sealtool.keeping import LedgerKeeping
    from sealtool.ledger import CertificateStory, DocumentOnRecord, Found, Ledger, RunFacts
    from sealtool.listing import Imprint
    from sealtool.planning import Plan, Scope
    from sealtool.preservation import Need, Preservation
    from sealtool.press import Press, Sealing
    from sealtool.rendering import RenderingOptions
    from sealtool.rendering.preview import Preview
    from sealtool.renewing import ExtensionReport
    from sealtool.running import Edge
    from sealtool.sealing import (
        Extender,
        PassphraseSource,
        RemoteKey,
        RevocationSources,
        SealingProfile,
        SealKey,
        Secret,
        SignaturePolicy,
        TokenKey,
    )
    from sealtool.standing import Figures, Standing
    from sealtool.upholding import Upheld
    from sealtool.verification import Trust


_WITHOUT_REVOCATION_DATA: Final = frozenset({PadesLevel.B_B, PadesLevel.B_T})
_IN_FLIGHT, _IN_FLIGHT_STAMPED = 16, 32  # certificates for each worker; a time stamp is waited for


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Workspace:
    """A configuration, ready to work with.

    Attributes:
        settings: the configuration, with absolute paths.
        environ: the environment of the process.
        now: the clock.
        configuration: the file that the settings are of, None where they are of no file.
    """

    settings: Settings
    environ: Mapping[str, str]
    now: Callable[[], datetime] = utc_now
    configuration: Path | None = None

    def with_cluster(self, address: str) -> Workspace:
        """The same with the workers of another cluster; ``local`` for those of this machine alone.

        Raises:
            UsageError: there can be no cluster at that address.
        """
        return replace(self, settings=with_cluster(self.settings, address))

    # --- law and registry -----------------------------------------------------------------------------

    @cached_property
    def timezone(self) -> ZoneInfo:
        """Whose calendar counts."""
        return ZoneInfo(self.settings.run.timezone)

    def today(self) -> date:
        """The day it is where the organisation is."""
        return self.now().astimezone(self.timezone).date()

    @cached_property
    def rules(self) -> Rules:
        """The version of the law that decides."""
        from sealtool.accreditation import load_rules

        return load_rules(self.settings.rules.version or None, on=self.today())

    def read_registry(self, folder: Path | None, *, previous_rows: Mapping[str, int] | None = None) -> Registry:
        """Reads an export: the folder given, or the configured one.

        Raises:
            ConfigurationError: neither is there.
            RegistryError: the export cannot be read as a whole.
        """
        from sealtool.registry import RegistryOptions, read_registry

        chosen = folder or self.settings.registry.folder
        if chosen is None:
            raise ConfigurationError(
                "No registry export was named.", advice="Call with --registry DIR, or set registry.folder."
            )
        settings = self.settings.registry
        options = RegistryOptions(encoding=settings.encoding, aliases=settings.aliases, max_shrink=settings.max_shrink)
        return read_registry(chosen, options, self.rules.framework, today=self.today(), previous_rows=previous_rows)

    # --- ledger and output ----------------------------------------------------------------------------

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, for reading; a run holds it with ``exclusive()``."""
        from sealtool.ledger import open_ledger

        with open_ledger(self.settings.ledger.url, self.ledger_password) as ledger:
            yield ledger

    @contextmanager
    def held_ledger(self) -> Iterator[Ledger]:
        """The ledger, held against other runs, to write in it.

        Raises:
            LedgerLockedError: another run holds it.
            ConfigurationError: as :meth:`insist_on_the_owner`.
        """
        self.insist_on_the_owner()
        with self.ledger() as ledger, ledger.exclusive():
            yield ledger

    def insist_on_the_owner(self) -> None:
        """Refuses to write as root where another user keeps ledger and output folder.

        Raises:
            ConfigurationError: that user's next runs could neither read nor replace what root wrote.
        """
        from sealtool.exposure import other_owners

        if os.geteuid() == 0 and (owners := other_owners(self.settings)):
            raise ConfigurationError(
                f"This is called as root, but ledger and output folder belong to {' and '.join(owners)}, whose next "
                "runs could neither read nor replace what root writes, and would stop. Nothing was done.",
                advice=f"Call it as that user: sudo -u {owners[0]} sealtool …",
            )

    @property
    def ledger_password(self) -> Callable[[], str] | None:
        """Tells the password of the ledger's database when it is needed; None where none is configured.

        Raises, when called:
            ConfigurationError: it is not where it should be.
        """
        configured = self.settings.ledger.password
        return None if configured is None else partial(self._ledger_password, configured)

    def _ledger_password(self, settings: PassphraseSettings) -> str:
        from sealtool.sealing import Secret

        try:
            return self._secret(settings, Secret.LEDGER_PASSWORD).decode("utf-8", "surrogateescape")
        except SealKeyError as error:  # it is read as the secrets of the seal are, but opens another door
            raise ConfigurationError(error.message, advice=error.advice) from error

    @property
    def output(self) -> OutputFolder:
        """The folder of certificates and manifests."""
        return OutputFolder(self.settings.output.folder)

    def insist_on_elsewhere(self, target: Path) -> None:
        """Refuses to write something else into the output folder; where there is no configuration, none is known.

        Raises:
            OutputError: the target lies there.
        """
        if self.configuration is not None:
            self.output.insist_on_elsewhere(target)

    def standing(self) -> Standing:
        """How things stand, and what needs a human."""
        from sealtool.standing import standing_of

        days = self.settings.run.renew_days
        with self.ledger() as ledger:
            return standing_of(ledger, self.output, now=self.now(), renew_days=days, tool_version=sealtool.__version__)

    def figures(self) -> Figures:
        """What there is to count in the ledger."""
        from sealtool.standing import figures_of

        with self.ledger() as ledger:
            return figures_of(ledger, now=self.now(), renew_days=self.settings.run.renew_days)

    # --- planning and issuing -------------------------------------------------------------------------

    def read_for(self, scope: Scope, ledger: Ledger, folder: Path | None, *, accept_shrink: bool) -> Registry:
        """Reads an export to decide on it: held against the last run, and against who was asked for.

        Raises:
            As :meth:`read_registry`, and UsageError where nobody knows somebody who was asked for.
        """
        from sealtool.planning import insist_on_known_people

        with values_that_stay():
            registry = self.read_registry(folder, previous_rows=None if accept_shrink else ledger.last_row_counts())
        insist_on_known_people(registry, scope, ledger.certificates_on_record(scope.levels))
        return registry

    def plan(
        self, registry: Registry, scope: Scope, ledger: Ledger, *, press: Callable[[], Press] | None = None
    ) -> Plan:
        """What a run would do about this export; the workers of a ``press`` tell what can be printed."""
        from sealtool.accreditation import assess_levels
        from sealtool.planning import make_plan

        with values_that_stay():
            return make_plan(
                registry,
                scope,
                ledger.certificates_on_record(scope.levels),
                assess=lambda record, levels: assess_levels(record, self.rules, levels),
                unprintable=self._unprintable(press),
            )

    def _unprintable(self, press: Callable[[], Press] | None = None) -> Callable[[str], tuple[str, ...]]:
        """Tells the characters of a name that cannot be printed. Fonts are looked at when it is first asked."""
        options = self._rendering_options()
        ask = _coverage if press is None else lambda options: press().told(_coverage, options)
        coverage = cache(lambda: ask(options))
        return lambda text: coverage().unprintable(text)

    def issue(
        self, folder: Path | None, scope: Scope, *, accept_shrink: bool = False, **hooks: Any
    ) -> tuple[Plan, IssueReport]:
        """Issues what the export supports and nobody has yet.

        Args:
            folder: the export; None for the configured one.
            scope: what was asked for.
            accept_shrink: go on although a file lost more rows than the configuration allows.
            hooks: those of :class:`~sealtool.running.Edge`.

        Raises:
            SealtoolError: the run had to stop; the next one goes on.
        """
        with self.held_ledger() as ledger, self.pressing() as press:
            read = [self.read_for(scope, ledger, folder, accept_shrink=accept_shrink)]
            edge = self._edge(hooks)
            facts = self._run_facts(scope.as_words("issue"), read[0].sources)
            run = self._issuing(ledger, press, edge)
            # when all is decided the registry is let go: a run needs its memory for the manifest
            return run.run(lambda: self.plan(read.pop(), scope, ledger, press=press), facts)

    def _issuing(self, ledger: Ledger, press: Callable[[], Press], edge: Edge) -> Issuing:
        from sealtool.issuing import Issuing

        return Issuing(
            ledger=ledger,
            output=self.output,
            press=press,
            edge=edge,
            imprint=self._imprint(),
            one_file_per_language=self.settings.output.one_file_per_language,
        )

    def _edge(self, hooks: Mapping[str, Any]) -> Edge:
        from sealtool.running import Edge

        return Edge(now=self.now, timezone=self.timezone, random_bytes=os.urandom, **hooks)

    def _run_facts(self, command: str, sources: tuple[SourceFile, ...] = ()) -> RunFacts:
        from sealtool.ledger import RunFacts

        return RunFacts(
            command=command,
            tool_version=sealtool.__version__,
            rules_version=self.rules.version,
            rules_sha256=self.rules.sha256,
            sources=sources,
        )

    def _imprint(self) -> Imprint:
        from sealtool.listing import Imprint

        return Imprint(
            tool_version=sealtool.__version__,
            valide_address=self.settings.valide.address,
            valide_expected_verdict=self.settings.valide.expected_verdict,
            eni_organ=self.settings.eni.organ,
        )

    @contextmanager
    def pressing(self) -> Iterator[Callable[[], Press]]:
        """Gives the press when it is first needed, with workers where the configuration has them."""
        from sealtool.workers import worker_processes

        make_ready = partial(_renderer, self._rendering_options())
        with worker_processes(self.settings.run.worker_count, make_ready) as executor, ExitStack() as connected:
            press = self._press(executor)
            if self.settings.cluster.address is None:
                yield press
                return

            def distant() -> Press:
                likeness = partial(_likeness, self._rendering_options())
                cluster = self.cluster(UnsealedPdf, Verification, likeness=likeness, alone=True)
                return self._distant(press(), connected.enter_context(cluster))

            yield cache(distant)

    @contextmanager
    def cluster(
        self, *results: type, likeness: Callable[[], Mapping[str, str]] | None = None, alone: bool
    ) -> Iterator[ClusterExecutor]:
        """The workers of the configured cluster.

        Args:
            results: the types that functions may return.
            likeness: in what they have to be like this process; None for program and libraries.
            alone: whether calls must not run beside each other in one process.

        Raises:
            ConfigurationError: they cannot be used.
        """
        from sealtool.cluster import ClusterOptions, cluster_workers
        from sealtool.cluster.likeness import program_likeness
        from sealtool.cluster.options import Credentials

        settings = self.settings.cluster
        files = (settings.ca, settings.certificate, settings.key)
        is_protected = (settings.address or "").startswith("tls:")
        credentials = Credentials(*map(Path, filter(None, files))) if is_protected else None
        options = ClusterOptions(settings.address or "", credentials, settings.timeout_seconds)
        with cluster_workers(options, likeness or program_likeness, results, alone=alone) as executor:
            yield executor

    @contextmanager
    def distance(self) -> Iterator[Distance | None]:
        """The workers of the configured cluster, for audits; None where there is no cluster.

        Raises:
            ConfigurationError: they cannot be used.
        """
        from sealtool.auditing import Distance
        from sealtool.chambers import GivenUp

        if self.settings.cluster.address is None:
            yield None
            return
        with self.cluster(Verification, GivenUp, alone=False) as workers:
            yield Distance(workers, self.settings.cluster.own_checks, SystemRandom().sample)

    def _distant(self, press: Press, cluster: ClusterExecutor) -> Press:
        from sealtool.distant_press import DistantPress

        return DistantPress(
            executor=cluster,
            lay_out=press.lay_out,
            kind=press.kind,
            get_ready=press.get_ready,
            check=press.check,
            check_detached=press.check_detached,
            sealing=press.sealing,
            level=press.level,
            in_flight=4 * cluster.places,
            timezone=press.timezone,
            own=press.executor,
            judge=partial(judge_certificate, self._trust_in_the_press),
            now=self.now,
            own_checks=self.settings.cluster.own_checks,
            draw=SystemRandom().random,
        )

    def _press(self, executor: Executor) -> Callable[[], Press]:
        """Gives the press when it is first needed: a run that finds nothing new loads neither trust nor libraries.

        Raises, right here:
            ConfigurationError: what is configured cannot be enough to check our own output.
        """
        _insist_on_anchors(self.settings.trust.anchors)
        level = self.settings.seal.level
        if level in _WITHOUT_REVOCATION_DATA and not self.settings.revocation.crls:
            raise ConfigurationError(
                f"At {level} a certificate carries no revocation data, so the check of our own output needs "
                "revocation lists, and none are configured.",
                advice="Set revocation.crls, or seal at B-LT or B-LTA.",
            )
        return cache(partial(self._set_up_press, executor))

    def _set_up_press(self, executor: Executor) -> Press:
        from sealtool.press import Press
        from sealtool.rendering.facts import kind_of

        trust, level = self._trust_in_the_press, self.settings.seal.level
        return Press(
            executor=executor,
            lay_out=partial(_lay_out, self._rendering_options()),
            kind=kind_of,
            get_ready=partial(_get_ready, self._rendering_options()),
            check=partial(_check, trust, self.now),
            check_detached=lambda content, seal: judge_seal(trust, self.now(), content, seal),
            sealing=self.sealer,
            level=level,
            in_flight=self.settings.run.worker_count * (_IN_FLIGHT if level is PadesLevel.B_B else _IN_FLIGHT_STAMPED),
            timezone=self.timezone,
        )

    @cached_property
    def _trust_in_the_press(self) -> Trust:
        # From B-LT on a file must stand on its own: the check gets no revocation lists but those inside it.
        if self.settings.seal.level in _WITHOUT_REVOCATION_DATA:
            return self.trust_in_own_output
        return replace(self.trust_in_own_output, revocation_lists=())

    def _rendering_options(self) -> RenderingOptions:
        from sealtool.rendering import RenderingOptions

        return RenderingOptions(
            templates=self.settings.rendering.templates,
            font_families=self.settings.rendering.fonts,
            validation_url=self.settings.valide.address,
            marking=self.settings.rendering.marking,
        )

    # --- renewing -------------------------------------------------------------------------------------

    def extend(
        self, paths: Sequence[Path], *, due_days: int | None = None, force: bool = False, **hooks: Any
    ) -> ExtensionReport:
        """Extends sealed files to B-LTA, or by another archive time stamp.

        Args:
            paths: files and folders.
            due_days: also every document of the ledger that runs out within so many days; None for none.
            force: also files that have all they need, where another time stamp lasts longer.
            hooks: those of :class:`~sealtool.running.Edge`.

        Raises:
            UsageError: the paths lead to no PDF.
            SealtoolError: the run had to stop; what was extended is recorded, the rest is as it was.
        """
        from sealtool.preservation import Need
        from sealtool.renewing import ExtensionReport, extend_copies, find_files
        from sealtool.workers import worker_processes

        found = find_files(paths, self.settings.output.folder)
        if not found and due_days is None:
            raise UsageError(
                f"There is no PDF in {', '.join(map(str, paths))}, so nothing was extended.",
                advice="Name a sealed PDF or a folder that holds some, or call with --due.",
            )
        report, edge = ExtensionReport(refused=list(found.refused)), self._edge(hooks)
        days = timedelta(days=self.settings.run.renew_days if due_days is None else due_days)
        with worker_processes(self.settings.run.worker_count) as executor, asyncio.Runner() as runner:
            preservation = self._preservation(executor, Need(self.now() + days, force), edge)
            try:
                if found.documents or due_days is not None:
                    self._renew(runner, preservation, found.documents, due_days, report, edge)
                extend_copies(runner, preservation, found.copies, report, edge)
            finally:
                runner.run(preservation.aclose())
        return report

    def _renew(  # noqa: PLR0913, PLR0917 - what one run needs
        self,
        runner: asyncio.Runner,
        preservation: Preservation,
        names: tuple[str, ...],
        due_days: int | None,
        report: ExtensionReport,
        edge: Edge,
    ) -> None:
        from sealtool.listing import ManifestSeal
        from sealtool.renewing import Renewing, chosen_documents
        from sealtool.running import Recording

        command = f"extend {len(names)} documents" if due_days is None else f"extend --due {due_days}"
        with self.held_ledger() as ledger:
            seal = ManifestSeal(runner, self._press(preservation.executor))

            def choose() -> list[DocumentOnRecord]:
                named = chosen_documents(ledger.documents_on_record(), names, report) if names else []
                if due_days is None:
                    return named
                due = ledger.documents_on_record(until=preservation.need.due_until)
                return list({one.path: one for one in (*named, *due)}.values())

            renewing = Renewing(Recording(ledger, self.output, edge), self._imprint(), preservation, seal)
            try:
                renewing.run(runner, choose, self._run_facts(command), report)
            finally:
                seal.close()

    def _preservation(self, executor: Executor, need: Need, edge: Edge) -> Preservation:
        from sealtool.preservation import Checks, Preservation

        _insist_on_anchors(self.settings.trust.anchors)

        @cache
        def checks() -> Checks:
            trust = self.trust_in_own_output
            # At B-LTA a file must stand on its own: that check gets no revocation lists but those inside it.
            alone = replace(trust, revocation_lists=())
            return Checks(on_all=partial(_check, trust, self.now), alone=partial(_check, alone, self.now))

        return Preservation(
            executor=executor,
            checks=checks,
            extending=self._extender,
            need=need,
            in_flight=4 * self.settings.run.worker_count,
            on_step=edge.on_step,
        )

    def _extender(self) -> Extender:
        from sealtool.sealing import DigestAlgorithm, Extender, load_trust_anchors

        return Extender(
            DigestAlgorithm(self.settings.seal.digest_algorithm),
            time_stamps=self._time_stamp_authorities(),
            trust_anchors=load_trust_anchors(self.settings.trust.anchors),
            revocation=self._revocation_sources(),
            clock=self.now,
        )

    def export_eni(self, target: Path) -> ExportReport:
        """Writes every document that was issued as an electronic document of the ENI.

        Raises:
            OutputError: a file cannot be read or written.
        """
        from sealtool.exporting import export_eni

        with self.ledger() as ledger:
            return export_eni(ledger, self.output, target, self.settings.eni.organ)

    def previews(
        self, levels: Sequence[Level], areas: Sequence[Area], layouts: Sequence[tuple[Language, ...]]
    ) -> list[Preview]:
        """Watermarked certificates of nobody; without ``layouts``, as the configuration prints certificates.

        Raises:
            TemplateError: a template cannot be filled in; the message names file and line.
            RenderingError: the text does not fit its pages.
        """
        from sealtool.rendering.preview import previews

        separate = self.settings.output.one_file_per_language
        usual = [(language,) for language in Language] if separate else [tuple(Language)]
        renderer = _renderer(self._rendering_options())
        return list(previews(renderer, levels, areas, layouts or usual, self.rules.procedures))

    # --- appeals --------------------------------------------------------------------------------------

    def upheld(self, given: Mapping[str, str | None]) -> Upheld:
        """What was upheld on appeal, checked as the registry's own cells are.

        Args:
            given: text by field of :class:`~sealtool.upholding.Upheld`; None for what is left to the registry.

        Raises:
            UsageError: a day to come, or a name that would not be printed as it was meant.
        """
        from sealtool.registry import read_given_day, read_given_name
        from sealtool.upholding import OPTIONS, Upheld

        given = dict(given)
        day = given.pop("accredited_on", None)
        names = {
            part: None if text is None else read_given_name(text, OPTIONS[part], may_be_empty=part == "second_surname")
            for part, text in given.items()
        }
        accredited_on = None if day is None else read_given_day(day, OPTIONS["accredited_on"], today=self.today())
        return Upheld(accredited_on, **names)

    def propose_reissue(self, certificate_id: str, folder: Path | None, grounds: Grounds, upheld: Upheld) -> Proposal:
        """What a new certificate in the place of another would say. Writes nothing.

        Args:
            certificate_id: the one to be replaced.
            folder: the export; None for the configured one.
            grounds: who decided, and why.
            upheld: what was upheld against the registry.

        Raises:
            As :meth:`~sealtool.appeals.Proposing.propose`.
        """
        from sealtool.appeals import Proposing
        from sealtool.planning import Scope

        with self.ledger() as ledger:

            def read(story: CertificateStory) -> tuple[Registry, Plan]:
                certificate = story.certificate
                scope = Scope((Level(certificate.level),), people=frozenset({certificate.person_id}))
                registry = self.read_for(scope, ledger, folder, accept_shrink=False)
                return registry, self.plan(registry, scope, ledger)

            proposing = Proposing(ledger, read, self._unprintable())
            return proposing.propose(certificate_id, grounds, upheld)

    def reissue(self, proposal: Proposal, **hooks: Any) -> Reissue:
        """Carries out what was confirmed; the next run goes on where it was stopped.

        Raises:
            As :meth:`~sealtool.appeals.Reissuing.run`.
        """
        from sealtool.appeals import Reissuing

        facts = self._run_facts(f"reissue {proposal.certificate_id}", proposal.registry.sources)
        with self._carrying_out(hooks) as issuing:
            return Reissuing(issuing).run(proposal, facts)

    def propose_revocation(self, certificate_id: str, grounds: Grounds) -> CertificateStory:
        """The certificate that would be withdrawn. Writes nothing.

        Raises:
            As :func:`~sealtool.appeals.propose_revocation`.
        """
        from sealtool.appeals import propose_revocation

        with self.ledger() as ledger:
            return propose_revocation(ledger, certificate_id, grounds)

    def revoke(self, story: CertificateStory, grounds: Grounds, **hooks: Any) -> Revocation:
        """Withdraws a certificate with no successor.

        Raises:
            As :meth:`~sealtool.appeals.Revoking.run`.
        """
        from sealtool.appeals import Revoking

        with self._carrying_out(hooks) as issuing:
            return Revoking(issuing).run(story, grounds, self._run_facts(f"revoke {story.certificate.certificate_id}"))

    @contextmanager
    def _carrying_out(self, hooks: Mapping[str, Any]) -> Iterator[Issuing]:
        from sealtool.workers import worker_processes

        with self.held_ledger() as ledger, worker_processes(1) as executor:
            yield self._issuing(ledger, self._press(executor), self._edge(hooks))

    # --- keeping the ledger ---------------------------------------------------------------------------

    @property
    def keeping(self) -> LedgerKeeping:
        """What keeps the ledger for ten years."""
        from sealtool.keeping import LedgerKeeping

        return LedgerKeeping(
            url=self.settings.ledger.url, output=self.output, now=self.now, password=self.ledger_password
        )

    def rebuild_ledger(self, folder: Path, **hooks: Any) -> Found:
        """Writes a lost ledger anew from what an output folder holds; returns what was found in it.

        Args:
            folder: with manifests and sealed documents.
            hooks: ``on_progress`` of :class:`~sealtool.running.Edge`.

        Raises:
            LedgerError: there is a ledger, or the folder does not tell everything without doubt.
            ConfigurationError: no trust anchor is configured.
        """
        from sealtool.rebuilding import OutputReader, rebuild
        from sealtool.workers import worker_processes

        with worker_processes(self.settings.run.worker_count) as executor:
            reader = OutputReader(
                output=OutputFolder(folder),
                executor=executor,
                judge=partial(judge_certificate, self.trust_in_own_output, self.now()),
                judge_seal=partial(judge_seal, self.trust_in_own_output, self.now()),
                on_progress=hooks.get("on_progress", lambda _done, _total: None),
            )
            return rebuild(self.keeping, reader, self._edge(hooks), self._run_facts("ledger rebuild"))

    # --- looking after the installation ----------------------------------------------------------------

    def check_up(self, *, offline: bool) -> CheckUp:
        """Looks at every part of the installation by itself; seals nothing.

        Args:
            offline: leave out what asks other services.
        """
        from sealtool.checkup import checks_of, examine

        return examine(checks_of(self.installation), offline=offline)

    @property
    def installation(self) -> Installation:
        """What there is to look at."""
        from sealtool.checkup import Installation

        return Installation(
            settings=self.settings,
            now=self.now,
            rules=lambda: self.rules,
            open_ledger=self.ledger,
            rendering=self._rendering_options,
            profile=self._sealing_profile,
            seal_key=self._seal_key,
            sealer=self._sealer_of,
            revocation=self._revocation_sources,
            authorities=self._time_stamp_authorities,
            exposures=self.exposures,
        )

    def exposures(self) -> tuple[Exposure, ...]:
        """What of the installation other users of this machine can read or change."""
        from sealtool.exposure import exposures

        return exposures(self.settings, self.configuration)

    # --- sealing and trust ----------------------------------------------------------------------------

    def sealer(self) -> Sealing:
        """The seal, its key loaded once, for the press, which has the verifier judge whatever it seals.

        Raises:
            ConfigurationError: none is configured.
            SealKeyError: it cannot be used, or the verifier would refuse whatever it seals.
        """
        from sealtool.own_seal import insist_on_own_seal

        key = self._seal_key()
        insist_on_own_seal(key, self.settings.trust.organizations)
        return self._sealer_of(key, second_look=False)

    def _sealer_of(self, key: SealKey, *, second_look: bool = True) -> Sealing:
        from sealtool.sealing import Sealer, load_trust_anchors

        return Sealer(
            key,
            self._sealing_profile(),
            time_stamps=self._time_stamp_authorities(),
            trust_anchors=load_trust_anchors(self.settings.trust.anchors),
            revocation=self._revocation_sources(),
            clock=self.now,
            second_look=second_look,
        )

    def _sealing_profile(self) -> SealingProfile:
        from sealtool.sealing import DigestAlgorithm, SealingProfile

        seal = self.settings.seal
        policy = None if seal.policy is None else _signature_policy(seal.policy)
        return SealingProfile(level=seal.level, digest=DigestAlgorithm(seal.digest_algorithm), policy=policy)

    def _revocation_sources(self) -> RevocationSources:
        from sealtool.sealing import RevocationSources

        settings = self.settings.revocation
        return RevocationSources(crl_files=settings.crls, allow_fetching=settings.fetch)

    def _seal_key(self) -> SealKey:
        from sealtool.sealing import Secret, load_csc, load_pkcs11, load_pkcs12

        seal = self.settings.seal
        if seal.passphrase is not None and seal.pkcs12 is not None:
            return load_pkcs12(seal.pkcs12, self._secret(seal.passphrase), prefer_pss=seal.pss)
        if seal.passphrase is not None and seal.pkcs11 is not None:
            pin = self._secret(seal.passphrase, Secret.TOKEN_PIN)
            return load_pkcs11(_token_key(seal.pkcs11), pin, prefer_pss=seal.pkcs11.pss)
        if seal.csc is not None:
            token = self._secret(seal.csc.token, Secret.ACCESS_TOKEN)
            service_pin = None if seal.csc.pin is None else self._secret(seal.csc.pin, Secret.SERVICE_PIN)
            return load_csc(_remote_key(seal.csc), token, service_pin, prefer_pss=seal.csc.pss)
        raise ConfigurationError(
            "No seal key is configured, so nothing can be sealed.",
            advice="Set seal.pkcs12 or seal.pkcs11, and seal.passphrase, or set seal.csc; `sealtool init --demo` makes "
            "a demonstration key.",
        )

    def _time_stamp_authorities(self) -> tuple[Any, ...]:
        from sealtool.sealing import (
            Credentials,
            HttpTimeStampAuthority,
            LocalTimeStampAuthority,
            Patience,
            Secret,
            load_pkcs12,
        )

        settings = self.settings.time_stamp
        if settings.demo_pkcs12 is not None and settings.demo_passphrase is not None:
            passphrase = self._secret(settings.demo_passphrase)
            return (LocalTimeStampAuthority(load_pkcs12(settings.demo_pkcs12, passphrase), clock=self.now),)
        credentials = {
            each.url: Credentials(self._secret(each.secret, Secret.TIME_STAMP_CREDENTIALS), each.username or "")
            for each in settings.credentials
        }
        return tuple(
            HttpTimeStampAuthority(
                url,
                timeout_seconds=settings.timeout_seconds,
                patience=Patience(settings.retries, settings.backoff_seconds),
                credentials=credentials.get(url),
            )
            for url in settings.urls
        )

    def _secret(self, settings: PassphraseSettings, secret: Secret | None = None) -> bytes:
        from sealtool.sealing import Secret, read_passphrase

        prompt = getpass if sys.stdin.isatty() else None
        return read_passphrase(
            _source(settings), environ=self.environ, prompt=prompt, secret=secret or Secret.PASSPHRASE
        )

    @cached_property
    def trust(self) -> Trust:
        """Whom the verifier trusts. CRLs are part of it: at B-B and B-T nothing else tells of revocation.

        Raises:
            ConfigurationError: no trust anchor is configured, or one cannot be read; or a trusted list cannot be
                believed.
        """
        return self._trust(self.settings.trust.lists)

    @cached_property
    def trust_in_own_output(self) -> Trust:
        """The same without trusted lists: that one has run out must not stop the nightly run.

        Raises:
            As :attr:`trust`.
        """
        return self._trust(())

    def _trust(self, trusted_lists: tuple[Path, ...]) -> Trust:
        from sealtool.verification import load_trust

        settings = self.settings.trust
        _insist_on_anchors((*settings.anchors, *trusted_lists))
        lists = [Path(file) for pattern in self.settings.revocation.crls for file in sorted(glob(pattern))]  # noqa: PTH207 - absolute
        return load_trust([*settings.anchors, *trusted_lists, *lists], settings.organizations, now=self.now())


def _source(settings: PassphraseSettings) -> PassphraseSource:
    from sealtool.sealing import PassphraseSource

    if settings.env:
        return PassphraseSource.from_environment(settings.env)
    if settings.file:
        return PassphraseSource.from_file(settings.file)
    if settings.credential:
        return PassphraseSource.from_credential(settings.credential)
    return PassphraseSource.from_prompt()


def _signature_policy(settings: SignaturePolicySettings) -> SignaturePolicy:
    from sealtool.sealing import KNOWN_POLICIES, SignaturePolicy

    if settings.name is not None:
        return KNOWN_POLICIES[settings.name]
    return SignaturePolicy(
        oid=settings.oid or "",
        digest=base64.b64decode(settings.digest or ""),
        digest_algorithm=settings.digest_algorithm,
        uri=settings.uri or "",
    )


def _token_key(settings: TokenSettings) -> TokenKey:
    from sealtool.sealing import TokenKey

    return TokenKey(
        module=settings.module,
        token=settings.token,
        slot=settings.slot,
        label=settings.key,
        key_id=None if settings.key_id is None else bytes.fromhex(settings.key_id),
        certificate=settings.certificate,
        certificate_label=settings.certificate_label,
        chain=settings.chain,
    )


def _remote_key(settings: RemoteKeySettings) -> RemoteKey:
    from sealtool.sealing import RemoteKey

    return RemoteKey(
        url=settings.url,
        credential=settings.credential,
        api_version=settings.api_version,
        timeout_seconds=settings.timeout_seconds,
        chain=settings.chain,
    )


def _insist_on_anchors(anchors: Sequence[Path]) -> None:
    if not anchors:
        raise ConfigurationError(
            "No trust anchor is configured, so nothing can be verified.",
            advice="Set trust.anchors to the certificates of the authorities that issued seal and time stamps.",
        )


# What worker processes run; each keeps one renderer for as long as it lives.


@cache
def _renderer(options: RenderingOptions) -> Any:
    from sealtool.rendering import CertificateRenderer

    return CertificateRenderer(options)


def _likeness(options: RenderingOptions) -> dict[str, str]:
    """What a process lays out and judges with."""
    from sealtool.cluster.likeness import program_likeness

    likeness: dict[str, str] = _renderer(options).likeness()
    return program_likeness() | likeness


def _coverage(options: RenderingOptions) -> Any:
    return _renderer(options).coverage


def _get_ready(options: RenderingOptions, order: CertificateOrder) -> None:
    """What a worker needs for its first certificate, and for the first of a kind.

    One after the other: a thread that imports beside the work, which imports as well, can find modules half made.
    """
    import_module("sealtool.verification")
    _renderer(options).get_ready_for(order)


def _lay_out(options: RenderingOptions, order: CertificateOrder) -> UnsealedPdf:
    pages: UnsealedPdf = _renderer(options).render(order)
    return pages


def _check(trust: Trust, now: Callable[[], datetime], content: bytes) -> Verification:
    return judge_certificate(trust, now(), content, None)


def judge_certificate(trust: Trust, now: datetime, content: bytes, sha256: str | None) -> Verification:
    """The judgement of one sealed file, for auditors."""
    from sealtool.verification import verify_certificate

    return verify_certificate(content, trust, now=now, expected_sha256=sha256)


def judge_seal(trust: Trust, now: datetime, content: bytes, seal: bytes) -> Verification:
    """The judgement of a detached seal over a manifest, for auditors."""
    from sealtool.verification import verify_detached

    return verify_detached(content, seal, trust, now=now)
