"""The seal of a configuration: its key, how it seals and extends, and the services that it asks."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sealtool.errors import ConfigurationError
from sealtool.own_seal import insist_on_own_seal
from sealtool.sealing import (
    KNOWN_POLICIES,
    Credentials,
    DigestAlgorithm,
    Extender,
    HttpTimeStampAuthority,
    LocalTimeStampAuthority,
    Patience,
    RemoteKey,
    RevocationSources,
    Sealer,
    SealingProfile,
    SealKey,
    Secret,
    SignaturePolicy,
    TimeStampAuthority,
    TokenKey,
    load_csc,
    load_pkcs11,
    load_pkcs12,
    load_trust_anchors,
)
from sealtool.settings import RemoteKeySettings, Settings, SignaturePolicySettings, TokenSettings
from sealtool.workspace.secret import read_secret


@dataclass(frozen=True)
class ConfiguredSeal:
    """The seal that a configuration describes; whatever is asked for is made anew.

    Attributes:
        settings: the configuration.
        environ: where secrets may be.
        now: the clock.
    """

    settings: Settings
    environ: Mapping[str, str]
    now: Callable[[], datetime]

    def sealer(self) -> Sealer:
        """The seal, its key loaded once, for the press, which has the verifier judge whatever it seals.

        Raises:
            ConfigurationError: none is configured.
            SealKeyError: it cannot be used, or the verifier would refuse whatever it seals.
        """
        key = self.key()
        insist_on_own_seal(key, self.settings.trust.organizations)
        return self.sealer_of(key, second_look=False)

    def sealer_of(self, key: SealKey, *, second_look: bool = True) -> Sealer:
        """The seal with a key that is loaded.

        Args:
            key: of the seal.
            second_look: whether the sealer looks at each of its seals itself, as nobody else does.
        """
        return Sealer(
            key,
            self.profile(),
            time_stamps=self.time_stamp_authorities(),
            trust_anchors=load_trust_anchors(self.settings.trust.anchors),
            revocation=self.revocation_sources(),
            clock=self.now,
            second_look=second_look,
        )

    def extender(self) -> Extender:
        """What extends sealed files by archive time stamps; needs no key."""
        return Extender(
            DigestAlgorithm(self.settings.seal.digest_algorithm),
            time_stamps=self.time_stamp_authorities(),
            trust_anchors=load_trust_anchors(self.settings.trust.anchors),
            revocation=self.revocation_sources(),
            clock=self.now,
        )

    def key(self) -> SealKey:
        """The key; asks for its passphrase where that is typed.

        Raises:
            ConfigurationError: none is configured.
            SealKeyError: it cannot be used.
        """
        seal = self.settings.seal
        if seal.passphrase is not None and seal.pkcs12 is not None:
            return load_pkcs12(seal.pkcs12, read_secret(seal.passphrase, self.environ), prefer_pss=seal.pss)
        if seal.passphrase is not None and seal.pkcs11 is not None:
            pin = read_secret(seal.passphrase, self.environ, Secret.TOKEN_PIN)
            return load_pkcs11(_token_key(seal.pkcs11), pin, prefer_pss=seal.pkcs11.pss)
        if seal.csc is not None:
            token = read_secret(seal.csc.token, self.environ, Secret.ACCESS_TOKEN)
            pin_there = None if seal.csc.pin is None else read_secret(seal.csc.pin, self.environ, Secret.SERVICE_PIN)
            return load_csc(_remote_key(seal.csc), token, pin_there, prefer_pss=seal.csc.pss)
        if seal.pkcs12 is not None or seal.pkcs11 is not None:
            key, secret = ("seal.pkcs12", "passphrase") if seal.pkcs12 is not None else ("seal.pkcs11", "PIN")
            raise ConfigurationError(
                f"{key} is configured without seal.passphrase, so nobody can tell where the {secret} of the key comes "
                "from, and nothing can be sealed.",
                advice='Set seal.passphrase, such as passphrase = { file = "seal.passphrase" } in the section [seal].',
            )
        raise ConfigurationError(
            "No seal key is configured, so nothing can be sealed.",
            advice="Set seal.pkcs12 or seal.pkcs11, and seal.passphrase, or set seal.csc; `sealtool init --demo` makes "
            "a demonstration key.",
        )

    def profile(self) -> SealingProfile:
        """What seals look like."""
        seal = self.settings.seal
        policy = None if seal.policy is None else _signature_policy(seal.policy)
        return SealingProfile(level=seal.level, digest=DigestAlgorithm(seal.digest_algorithm), policy=policy)

    def revocation_sources(self) -> RevocationSources:
        """Where news of revoked certificates comes from."""
        settings = self.settings.revocation
        return RevocationSources(crl_files=settings.crls, allow_fetching=settings.fetch)

    def time_stamp_authorities(self) -> tuple[TimeStampAuthority, ...]:
        """The time stamp authorities, in the order in which they are asked.

        Raises:
            SealKeyError: what identifies us to one is not where it should be.
        """
        settings = self.settings.time_stamp
        if settings.demo_pkcs12 is not None and settings.demo_passphrase is not None:
            passphrase = read_secret(settings.demo_passphrase, self.environ)
            return (LocalTimeStampAuthority(load_pkcs12(settings.demo_pkcs12, passphrase), clock=self.now),)
        credentials = {
            each.url: Credentials(
                read_secret(each.secret, self.environ, Secret.TIME_STAMP_CREDENTIALS), each.username or ""
            )
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


def _signature_policy(settings: SignaturePolicySettings) -> SignaturePolicy:
    if settings.name is not None:
        return KNOWN_POLICIES[settings.name]
    return SignaturePolicy(
        oid=settings.oid or "",
        digest=base64.b64decode(settings.digest or ""),
        digest_algorithm=settings.digest_algorithm,
        uri=settings.uri or "",
    )


def _token_key(settings: TokenSettings) -> TokenKey:
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
    return RemoteKey(
        url=settings.url,
        credential=settings.credential,
        api_version=settings.api_version,
        timeout_seconds=settings.timeout_seconds,
        chain=settings.chain,
    )
