"""What seals: the key, its certificate, the way to a trust anchor, news of revocation."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sealtool.checkup.findings import Finding, ok, warning
from sealtool.checkup.installation import Installation, Once
from sealtool.errors import ConfigurationError, ServiceUnreachableError
from sealtool.model import PadesLevel
from sealtool.own_seal import insist_on_own_seal
from sealtool.sealing import RevocationSources, SealKey, load_trust_anchors
from sealtool.sealing.trial import ListFacts, PathFacts, lists_in_files, prove_key, try_path
from sealtool.sealing.trust import Trust

KEY: Final = "key"
SEAL_CERTIFICATE: Final = "seal-certificate"
TRUST_ANCHORS: Final = "trust-anchors"
CHAIN: Final = "chain"
REVOCATION_LISTS: Final = "revocation-lists"
REVOCATION: Final = "revocation"
LEVEL: Final = "level"

SOON: Final = timedelta(days=60)
"""A new seal certificate takes an administration weeks."""

_RENEW = "Order a new one from its issuer now, and name it in the configuration when it is there."


def key(installation: Installation, seal_key: Once[SealKey]) -> Finding:
    """Whether the key can be loaded, and its signatures verify under its certificate."""
    found = seal_key()
    digest = installation.settings.seal.digest_algorithm
    asyncio.run(prove_key(found, digest))
    return ok(KEY, f"A signature for trial by {found.source} ({digest}) verifies under its certificate.")


def seal_certificate(installation: Installation, seal_key: Once[SealKey]) -> Finding:
    """Whether the certificate may seal now, for how long, and for the right organisation."""
    found = seal_key.or_none()
    if found is None:
        return _not_looked_at(SEAL_CERTIFICATE)
    now = installation.now()
    found.check(now)
    insist_on_own_seal(found, installation.settings.trust.organizations)
    said = f"«{found.common_name}» is valid until {_day(found.not_after, now)}."
    if found.not_after - now < SOON:
        return warning(SEAL_CERTIFICATE, f"The seal certificate {said}", _RENEW)
    return ok(SEAL_CERTIFICATE, said)


def trust_anchors(installation: Installation) -> Finding:
    """Whether there are trust anchors, and for how long."""
    anchors = load_trust_anchors(installation.settings.trust.anchors)
    if not anchors:
        raise ConfigurationError(
            "No trust anchor is configured, so no certificate could pass our own verification.",
            advice="Set trust.anchors to the certificates of the authorities behind the seal and the time stamps.",
        )
    now = installation.now()
    ending = [each for each in anchors if each.not_valid_after_utc - now < SOON]
    if ending:
        first = min(ending, key=lambda each: each.not_valid_after_utc)
        return warning(
            TRUST_ANCHORS,
            f"Of {len(anchors)} trust anchors, {len(ending)} have expired or soon will, first "
            f"«{first.subject.rfc4514_string()}» on {_day(first.not_valid_after_utc, now)}.",
            "Add the successor that the authority has published.",
        )
    return ok(TRUST_ANCHORS, f"{len(anchors)} in trust.anchors.")


def chain(installation: Installation, seal_key: Once[SealKey]) -> Finding:
    """Whether the seal certificate leads to a trust anchor. Revocation is another check."""
    found = seal_key.or_none()
    if found is None:
        return _not_looked_at(CHAIN)
    path = _path(installation, found, RevocationSources())
    now = installation.now()
    end = _day(path.first_end, now)
    said = f"The seal certificate leads to «{path.root}»; the first certificate on the way ends {end}."
    if path.first_end - now < SOON:
        return warning(CHAIN, said, _RENEW)
    return ok(CHAIN, said)


def revocation_lists(installation: Installation) -> Finding:
    """Whether the revocation lists in files are fresh, and until when."""
    settings = installation.settings
    if not settings.revocation.crls:
        return _no_lists(installation)
    lists = lists_in_files(installation.revocation())
    now = installation.now()
    if stale := [each for each in lists if each.until is not None and each.until < now]:
        raise ServiceUnreachableError(
            f"Of {len(lists)} revocation lists, {len(stale)} are out of date: that of «{stale[0].issuer}» was due "
            f"{_day(stale[0].until or now, now)}.",
            advice="Fetch the lists anew, and see why whatever fetches them has not.",
        )
    aging = [each for each in lists if _is_aging(each, now)]
    ends = [each.until for each in lists if each.until is not None]
    said = f"{len(lists)} revocation lists; the next is due {_day(min(ends), now) if ends else 'at no named time'}."
    if aging:
        return warning(
            REVOCATION_LISTS,
            f"{said} That of «{aging[0].issuer}» has less than a quarter of its time left.",
            "See that whatever fetches the lists does so.",
        )
    return ok(REVOCATION_LISTS, said)


def _no_lists(installation: Installation) -> Finding:
    settings = installation.settings
    if not installation.settings.seal.level.carries_validation_data:
        raise ConfigurationError(
            f"At {settings.seal.level} the check of our own output needs revocation lists in files, and none are "
            "configured.",
            advice="Set revocation.crls, or seal at B-LT or B-LTA.",
        )
    if not settings.revocation.fetch:
        raise ConfigurationError(
            f"There is no source of revocation data, so the level {settings.seal.level} cannot be reached.",
            advice="Set revocation.crls or revocation.fetch.",
        )
    return ok(REVOCATION_LISTS, "None in files; they are fetched from the addresses in the certificates.")


def _is_aging(each: ListFacts, now: datetime) -> bool:
    return each.until is not None and each.until - now < (each.until - each.since) / 4


def revocation(installation: Installation, seal_key: Once[SealKey]) -> Finding:
    """Whether the seal and its issuers are known not to be revoked, from the sources that `issue` asks."""
    found = seal_key.or_none()
    if found is None:
        return _not_looked_at(REVOCATION)
    sources = installation.revocation()
    if not sources.configured:
        return warning(
            REVOCATION,
            "No source of revocation data is configured, so nobody would notice that the seal was revoked.",
            "Set revocation.crls or revocation.fetch.",
        )
    path = _path(installation, found, sources)
    data = f"{path.lists} lists, {path.responses} OCSP responses"
    until = f", good until {_day(path.data_end, installation.now())}" if path.data_end else ""
    return ok(REVOCATION, f"The seal certificate and its issuers are not revoked ({data}{until}).")


def level(installation: Installation, seal_key: Once[SealKey]) -> Finding:
    """Whether all is at hand that the configured level demands; all that `issue` does before the first document."""
    found = seal_key.or_none()
    if found is None:
        return _not_looked_at(LEVEL)

    async def prepare() -> None:
        sealer = installation.sealer(found)
        try:
            await sealer.prepare()
        finally:
            await sealer.aclose()

    asyncio.run(prepare())
    return ok(LEVEL, f"All that a seal at {installation.settings.seal.level} needs is at hand.")


def _path(installation: Installation, found: SealKey, sources: RevocationSources) -> PathFacts:
    anchors = load_trust_anchors(installation.settings.trust.anchors)
    if not anchors:
        raise ConfigurationError(
            "No trust anchor is configured, so the seal certificate leads nowhere.", advice="Set trust.anchors."
        )
    profile = replace(installation.profile(), level=PadesLevel.B_LT)
    return asyncio.run(try_path(found, profile, Trust(anchors, (), sources), installation.now()))


def _not_looked_at(name: str) -> Finding:
    return warning(name, "Not looked at, because the seal key cannot be loaded.", "See what is said of the key.")


def _day(moment: datetime, now: datetime) -> str:
    days = (moment - now) // timedelta(days=1)
    distance = f"in {days} days" if days >= 0 else f"{-days} days ago"
    return f"{moment:%Y-%m-%d %H:%M} UTC ({distance})"
