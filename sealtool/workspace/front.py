"""The workspace: what a configuration comes to, and what can be done with it.

Whatever takes time to import is imported where it is first needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sealtool
from sealtool.errors import ConfigurationError, SealtoolError
from sealtool.model import Area, Language, Level, Registry
from sealtool.publishing import OutputFolder
from sealtool.settings import Settings, with_cluster

if TYPE_CHECKING:
    from sealtool.accreditation import Rules
    from sealtool.appeals import Grounds, Proposal, Reissue, Revocation
    from sealtool.auditing import Distance
    from sealtool.checkup import CheckUp, Installation
    from sealtool.exporting import ExportReport
    from sealtool.exposure import Exposure
    from sealtool.issuing import IssueReport
    from sealtool.keeping import LedgerKeeping
    from sealtool.ledger import CertificateStory, Found, Ledger
    from sealtool.planning import Plan, Scope
    from sealtool.press import Press, Sealing
    from sealtool.rendering import RenderingOptions
    from sealtool.rendering.preview import Preview
    from sealtool.renewing import ExtensionReport
    from sealtool.standing import Figures, Standing
    from sealtool.upholding import Upheld
    from sealtool.verification import Trust
    from sealtool.workspace.seal import ConfiguredSeal


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
        from sealtool.workspace.reading import read_registry

        return read_registry(self, folder, previous_rows)

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
        if configured is None:
            return None

        def read() -> str:
            from sealtool.workspace.secret import read_ledger_password

            return read_ledger_password(configured, self.environ)

        return read

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

    # --- seal, trust and press ------------------------------------------------------------------------

    @property
    def seal(self) -> ConfiguredSeal:
        """The seal, and what it asks of others."""
        from sealtool.workspace.seal import ConfiguredSeal

        return ConfiguredSeal(self.settings, self.environ, self.now)

    def sealer(self) -> Sealing:
        """The seal as the press uses it, loaded.

        Raises:
            As :meth:`~sealtool.workspace.seal.ConfiguredSeal.sealer`.
        """
        return self.seal.sealer()

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

    @cached_property
    def trust_in_the_press(self) -> Trust:
        """The same for certificates that were just sealed.

        From B-LT on a file must stand on its own: the check gets no revocation lists but those inside it.

        Raises:
            As :attr:`trust`.
        """
        if self.settings.seal.level.carries_validation_data:
            return replace(self.trust_in_own_output, revocation_lists=())
        return self.trust_in_own_output

    def _trust(self, trusted_lists: tuple[Path, ...]) -> Trust:
        from sealtool.workspace.trust import read_trust

        return read_trust(self.settings, trusted_lists, now=self.now())

    def pressing(self) -> AbstractContextManager[Callable[[], Press]]:
        """Gives the press when it is first needed, with workers where the configuration has them.

        Raises:
            ConfigurationError: what is configured cannot be enough to check our own output.
        """
        from sealtool.workspace.presses import pressing

        return pressing(self)

    def rendering_options(self) -> RenderingOptions:
        """How certificates are laid out."""
        from sealtool.rendering import RenderingOptions

        return RenderingOptions(
            templates=self.settings.rendering.templates,
            font_families=self.settings.rendering.fonts,
            validation_url=self.settings.valide.address,
            marking=self.settings.rendering.marking,
        )

    # --- how things stand -----------------------------------------------------------------------------

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

    def obstacle(self, ledger: Ledger) -> SealtoolError | None:
        """What the next run would stop at before it decides anything; None where that is nothing."""
        from sealtool.running import obstacle_to_a_run

        return obstacle_to_a_run(ledger, self.output, now=self.now(), today=self.today())

    # --- planning and issuing -------------------------------------------------------------------------

    def read_for(self, scope: Scope, ledger: Ledger, folder: Path | None, *, accept_shrink: bool) -> Registry:
        """Reads an export to decide on it: held against the last run, and against who was asked for.

        Raises:
            As :meth:`read_registry`, and UsageError where nobody knows somebody who was asked for.
        """
        from sealtool.workspace.plan import read_for

        return read_for(self, scope, ledger, folder, accept_shrink=accept_shrink)

    def plan(
        self, registry: Registry, scope: Scope, ledger: Ledger, *, press: Callable[[], Press] | None = None
    ) -> Plan:
        """What a run would do about this export; the workers of a ``press`` tell what can be printed."""
        from sealtool.workspace.plan import plan

        return plan(self, registry, scope, ledger, press)

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
        from sealtool.workspace.issue import issue

        return issue(self, folder, scope, hooks, accept_shrink=accept_shrink)

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
        from sealtool.workspace.extend import extend

        return extend(self, paths, hooks, due_days=due_days, force=force)

    # --- appeals --------------------------------------------------------------------------------------

    def upheld(self, given: Mapping[str, str | None]) -> Upheld:
        """What was upheld on appeal, checked as the registry's own cells are.

        Args:
            given: text by field of :class:`~sealtool.upholding.Upheld`; None for what is left to the registry.

        Raises:
            UsageError: a day to come, or a name that would not be printed as it was meant.
        """
        from sealtool.workspace.appeals import read_upheld

        return read_upheld(self, given)

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
        from sealtool.workspace.appeals import propose_reissue

        return propose_reissue(self, certificate_id, folder, grounds, upheld)

    def reissue(self, proposal: Proposal, **hooks: Any) -> Reissue:
        """Carries out what was confirmed; the next run goes on where it was stopped.

        Raises:
            As :meth:`~sealtool.appeals.Reissuing.run`.
        """
        from sealtool.workspace.appeals import reissue

        return reissue(self, proposal, hooks)

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
        from sealtool.workspace.appeals import revoke

        return revoke(self, story, grounds, hooks)

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
            hooks: those of :class:`~sealtool.running.Edge`.

        Raises:
            LedgerError: there is a ledger, or the folder does not tell everything without doubt.
            ConfigurationError: no trust anchor is configured.
        """
        from sealtool.workspace.rebuild import rebuild_ledger

        return rebuild_ledger(self, folder, hooks)

    # --- looking after the installation ---------------------------------------------------------------

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
        from sealtool.workspace.installation import installation_of

        return installation_of(self)

    def exposures(self) -> tuple[Exposure, ...]:
        """What of the installation other users of this machine can read or change."""
        from sealtool.exposure import exposures

        return exposures(self.settings, self.configuration)

    # --- audits, archives and previews ----------------------------------------------------------------

    def distance(self) -> AbstractContextManager[Distance | None]:
        """The workers of the configured cluster, for audits; None where there is no cluster.

        Raises:
            ConfigurationError: they cannot be used.
        """
        from sealtool.workspace.cluster import distance

        return distance(self.settings.cluster)

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
        from sealtool.workspace.tasks import renderer

        separate = self.settings.output.one_file_per_language
        usual = [(language,) for language in Language] if separate else [tuple(Language)]
        options = self.rendering_options()
        return list(previews(renderer(options), levels, areas, layouts or usual, self.rules.procedures))
