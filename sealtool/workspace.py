"""Puts the stages together for one configuration: the only place that knows settings and stages both.

Libraries are imported where they are first needed, so that a command pays only for what it uses.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, cached_property, partial
from getpass import getpass
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sealtool import __version__
from sealtool.errors import ConfigurationError
from sealtool.model import CertificateOrder, PadesLevel, Registry, UnsealedPdf, Verification
from sealtool.publishing import OutputFolder
from sealtool.settings import PassphraseSettings, Settings, TokenSettings

if TYPE_CHECKING:
    from sealtool.accreditation import Rules
    from sealtool.issuing import Edge, IssueReport, Issuing
    from sealtool.ledger import Ledger
    from sealtool.planning import Plan, Scope
    from sealtool.press import Press, Sealing
    from sealtool.rendering import RenderingOptions
    from sealtool.sealing import PassphraseSource, SealKey, TokenKey
    from sealtool.verification import Trust


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
    """

    settings: Settings
    environ: Mapping[str, str]
    now: Callable[[], datetime] = utc_now

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

        with open_ledger(self.settings.ledger.url) as ledger:
            yield ledger

    @property
    def output(self) -> OutputFolder:
        """The folder of certificates and manifests."""
        return OutputFolder(self.settings.output.folder)

    # --- planning and issuing -------------------------------------------------------------------------

    def read_for(self, scope: Scope, ledger: Ledger, folder: Path | None, *, accept_shrink: bool) -> Registry:
        """Reads an export to decide on it: held against the last run, and against who was asked for.

        Raises:
            As :meth:`read_registry`, and UsageError where nobody knows somebody who was asked for.
        """
        from sealtool.planning import insist_on_known_people

        registry = self.read_registry(folder, previous_rows=None if accept_shrink else ledger.last_row_counts())
        insist_on_known_people(registry, scope, ledger.certificates_on_record(scope.levels))
        return registry

    def plan(self, registry: Registry, scope: Scope, ledger: Ledger) -> Plan:
        """What a run would do about this export."""
        from sealtool.accreditation import assess_levels
        from sealtool.planning import make_plan

        return make_plan(
            registry,
            scope,
            ledger.certificates_on_record(scope.levels),
            assess=lambda record, levels: assess_levels(record, self.rules, levels),
            unprintable=lambda text: _renderer(self._rendering_options()).unprintable(text),
        )

    def issue(
        self, folder: Path | None, scope: Scope, *, accept_shrink: bool = False, **hooks: Any
    ) -> tuple[Plan, IssueReport]:
        """Issues what the export supports and nobody has yet.

        Args:
            folder: the export; None for the configured one.
            scope: what was asked for.
            accept_shrink: go on although a file lost more rows than the configuration allows.
            hooks: ``on_step`` and ``on_progress`` of :class:`~sealtool.issuing.Edge`.

        Raises:
            SealtoolError: the run had to stop; the next one goes on.
        """
        from sealtool.issuing import Edge
        from sealtool.ledger import RunFacts
        from sealtool.workers import worker_processes

        with (
            self.ledger() as ledger,
            ledger.exclusive(),
            worker_processes(self.settings.run.worker_count) as executor,
        ):
            registry = self.read_for(scope, ledger, folder, accept_shrink=accept_shrink)
            edge = Edge(now=self.now, timezone=self.timezone, random_bytes=os.urandom, **hooks)
            facts = RunFacts(
                command=scope.as_words("issue"),
                tool_version=__version__,
                rules_version=self.rules.version,
                rules_sha256=self.rules.sha256,
                sources=registry.sources,
            )
            run = self._issuing(ledger, executor, edge)
            return run.run(lambda: self.plan(registry, scope, ledger), facts)

    def _issuing(self, ledger: Ledger, executor: Executor, edge: Edge) -> Issuing:
        from sealtool.issuing import Imprint, Issuing

        return Issuing(
            ledger=ledger,
            output=self.output,
            press=self._press(executor),
            edge=edge,
            imprint=Imprint(
                tool_version=__version__,
                valide_address=self.settings.valide.address,
                valide_expected_verdict=self.settings.valide.expected_verdict,
            ),
            one_file_per_language=self.settings.output.one_file_per_language,
        )

    def _press(self, executor: Executor) -> Press:
        from sealtool.press import Press

        level = self.settings.seal.level
        if level in {PadesLevel.B_B, PadesLevel.B_T} and not self.settings.revocation.crls:
            raise ConfigurationError(
                f"At {level} a certificate carries no revocation data, so the check of our own output needs "
                "revocation lists, and none are configured.",
                advice="Set revocation.crls, or seal at B-LT or B-LTA.",
            )
        # From B-LT on a file must stand on its own: the check gets no revocation lists but those inside it.
        trust = self.trust if level in {PadesLevel.B_B, PadesLevel.B_T} else replace(self.trust, revocation_lists=())
        return Press(
            executor=executor,
            lay_out=partial(_lay_out, self._rendering_options()),
            check=partial(_check, trust, self.now),
            check_detached=lambda content, seal: judge_seal(trust, self.now(), content, seal),
            sealing=self.sealer,
            level=self.settings.seal.level,
            in_flight=4 * self.settings.run.worker_count,
        )

    def _rendering_options(self) -> RenderingOptions:
        from sealtool.rendering import RenderingOptions

        return RenderingOptions(
            templates=self.settings.rendering.templates,
            validation_url=self.settings.valide.address,
            marking=self.settings.rendering.marking,
        )

    # --- sealing and trust ----------------------------------------------------------------------------

    def sealer(self) -> Sealing:
        """The seal, its key loaded once.

        Raises:
            ConfigurationError: none is configured.
            SealKeyError: it cannot be used.
        """
        from sealtool.sealing import (
            DigestAlgorithm,
            RevocationSources,
            Sealer,
            SealingProfile,
            SignaturePolicy,
            load_trust_anchors,
        )

        key = self._seal_key()
        seal = self.settings.seal
        policy = None
        if seal.policy is not None:
            policy = SignaturePolicy(
                oid=seal.policy.oid,
                digest=base64.b64decode(seal.policy.digest),
                digest_algorithm=seal.policy.digest_algorithm,
                uri=seal.policy.uri or "",
            )
        return Sealer(
            key,
            SealingProfile(level=seal.level, digest=DigestAlgorithm(seal.digest_algorithm), policy=policy),
            time_stamps=self._time_stamp_authorities(),
            trust_anchors=load_trust_anchors(self.settings.trust.anchors),
            revocation=RevocationSources(
                crl_files=self.settings.revocation.crls, allow_fetching=self.settings.revocation.fetch
            ),
            clock=self.now,
        )

    def _seal_key(self) -> SealKey:
        from sealtool.sealing import load_pkcs11, load_pkcs12

        seal = self.settings.seal
        if seal.passphrase is not None and seal.pkcs12 is not None:
            return load_pkcs12(seal.pkcs12, self._passphrase(seal.passphrase))
        if seal.passphrase is not None and seal.pkcs11 is not None:
            return load_pkcs11(_token_key(seal.pkcs11), self._passphrase(seal.passphrase), prefer_pss=seal.pkcs11.pss)
        raise ConfigurationError(
            "No seal key is configured, so nothing can be sealed.",
            advice="Set seal.pkcs12 or seal.pkcs11, and seal.passphrase; `sealtool init --demo` makes a "
            "demonstration key.",
        )

    def _time_stamp_authorities(self) -> tuple[Any, ...]:
        from sealtool.sealing import HttpTimeStampAuthority, LocalTimeStampAuthority, load_pkcs12

        settings = self.settings.time_stamp
        if settings.demo_pkcs12 is not None and settings.demo_passphrase is not None:
            passphrase = self._passphrase(settings.demo_passphrase)
            return (LocalTimeStampAuthority(load_pkcs12(settings.demo_pkcs12, passphrase), clock=self.now),)
        return tuple(HttpTimeStampAuthority(url, timeout_seconds=settings.timeout_seconds) for url in settings.urls)

    def _passphrase(self, settings: PassphraseSettings) -> bytes:
        from sealtool.sealing import read_passphrase

        return read_passphrase(_source(settings), environ=self.environ, prompt=getpass if sys.stdin.isatty() else None)

    @cached_property
    def trust(self) -> Trust:
        """Whom the verifier trusts. CRLs are part of it: at B-B and B-T nothing else tells of revocation.

        Raises:
            ConfigurationError: no trust anchor is configured, or one cannot be read.
        """
        from sealtool.verification import load_trust

        if not self.settings.trust.anchors:
            raise ConfigurationError(
                "No trust anchor is configured, so nothing can be verified.",
                advice="Set trust.anchors to the certificates of the authorities that issued seal and time stamps.",
            )
        lists = [Path(file) for pattern in self.settings.revocation.crls for file in sorted(glob(pattern))]  # noqa: PTH207 - absolute
        return load_trust([*self.settings.trust.anchors, *lists], self.settings.trust.organizations)


def _source(settings: PassphraseSettings) -> PassphraseSource:
    from sealtool.sealing import PassphraseSource

    if settings.env:
        return PassphraseSource.from_environment(settings.env)
    if settings.file:
        return PassphraseSource.from_file(settings.file)
    if settings.credential:
        return PassphraseSource.from_credential(settings.credential)
    return PassphraseSource.from_prompt()


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


# What worker processes run; each keeps one renderer for as long as it lives.


@cache
def _renderer(options: RenderingOptions) -> Any:
    from sealtool.rendering import CertificateRenderer

    return CertificateRenderer(options)


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
