"""The list of checks. A new one is a function that returns a finding, and a line here.

What takes a second to import is imported by the check that needs it: a library that cannot be loaded is a finding, too.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from sealtool.checkup import cluster, machine, places, seal, time_stamps
from sealtool.checkup.findings import Check
from sealtool.checkup.installation import Installation, Once
from sealtool.errors import SealtoolError

CLUSTER_CHECK_NAMES: Final = (cluster.CLUSTER_ACCESS, cluster.CLUSTER_WORKERS)
"""Of checks that are made where a cluster is configured, and only there."""

CHECK_NAMES: Final = (
    machine.RULES,
    machine.TIME_ZONE,
    machine.LAYOUT_ENGINE,
    machine.FONT_SUBSETTING,
    machine.FONTS,
    machine.TEMPLATES,
    machine.TRIAL_PAGE,
    places.REGISTRY,
    places.LEDGER,
    places.LOCK,
    places.CONTINUITY,
    places.OUTPUT_FOLDER,
    places.LOG_AND_METRICS,
    places.PERMISSIONS,
    seal.KEY,
    seal.SEAL_CERTIFICATE,
    seal.TRUST_ANCHORS,
    seal.CHAIN,
    seal.REVOCATION_LISTS,
    seal.REVOCATION,
    time_stamps.TIME_STAMP_AUTHORITY,
    seal.LEVEL,
    *CLUSTER_CHECK_NAMES,
)
"""Every name that a finding can have, in the order of the report."""


def checks_of(installation: Installation) -> tuple[Check, ...]:
    """The checks of an installation, in the order of the report."""
    return (
        *_of_machine(installation),
        *_of_places(installation),
        *_of_seal(installation),
        *_of_cluster(installation),
    )


def _of_machine(installation: Installation) -> tuple[Check, ...]:
    return (
        Check(machine.RULES, partial(machine.rules, installation)),
        Check(machine.TIME_ZONE, partial(machine.time_zone, installation)),
        Check(machine.LAYOUT_ENGINE, machine.layout_engine),
        Check(machine.FONT_SUBSETTING, machine.font_subsetting),
        Check(machine.FONTS, partial(machine.fonts, installation)),
        Check(machine.TEMPLATES, partial(machine.templates, installation)),
        Check(machine.TRIAL_PAGE, partial(machine.trial_page, installation)),
    )


def _of_places(installation: Installation) -> tuple[Check, ...]:
    return (
        Check(places.REGISTRY, partial(places.registry, installation)),
        Check(places.LEDGER, partial(places.ledger, installation)),
        Check(places.LOCK, partial(places.lock, installation)),
        Check(places.CONTINUITY, partial(places.continuity, installation)),
        Check(places.OUTPUT_FOLDER, partial(places.output_folder, installation)),
        Check(places.LOG_AND_METRICS, partial(places.log_and_metrics, installation)),
        Check(places.PERMISSIONS, partial(places.permissions, installation)),
    )


def _of_seal(installation: Installation) -> tuple[Check, ...]:
    settings = installation.settings
    remote = settings.seal.csc is not None
    fetching = settings.revocation.fetch
    stamping = bool(settings.time_stamp.urls)
    key = Once(installation.seal_key)
    return (
        Check(seal.KEY, partial(seal.key, installation, key), remote),
        Check(seal.SEAL_CERTIFICATE, partial(seal.seal_certificate, installation, key), remote),
        Check(seal.TRUST_ANCHORS, partial(seal.trust_anchors, installation)),
        Check(seal.CHAIN, partial(seal.chain, installation, key), remote),
        Check(seal.REVOCATION_LISTS, partial(seal.revocation_lists, installation)),
        Check(seal.REVOCATION, partial(seal.revocation, installation, key), remote or fetching),
        *_of_authorities(installation, asks_services=stamping or fetching),
        Check(seal.LEVEL, partial(seal.level, installation, key), remote or fetching or stamping),
    )


def _of_cluster(installation: Installation) -> tuple[Check, ...]:
    if installation.settings.cluster.address is None:
        return ()
    return (
        Check(cluster.CLUSTER_ACCESS, partial(cluster.access, installation)),
        Check(cluster.CLUSTER_WORKERS, partial(cluster.workers, installation), asks_services=True),
    )


def _of_authorities(installation: Installation, *, asks_services: bool) -> tuple[Check, ...]:
    """One for each authority; where they cannot be named, one that says so."""
    name = time_stamps.TIME_STAMP_AUTHORITY
    try:
        found = installation.authorities()
    except SealtoolError as error:
        return (Check(name, partial(time_stamps.unusable, error)),)
    if not found:
        return (Check(name, partial(time_stamps.none_configured, installation)),)
    return tuple(
        Check(name, partial(time_stamps.time_stamp_authority, installation, authority), asks_services)
        for authority in found
    )
