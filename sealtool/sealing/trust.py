"""Which certificates are trusted, and whether a certificate leads to one of them unrevoked.

A validation context of the library freezes its moment, so one is built, used at once, and dropped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import CRLFetchError, OCSPFetchError, PathError, ValidationError

from sealtool.errors import ConfigurationError
from sealtool.sealing.certificate_files import read_certificates
from sealtool.sealing.fetching import fetchers
from sealtool.sealing.keys import as_asn1
from sealtool.sealing.revocation import RevocationSources

CLOCK_SKEW = timedelta(seconds=30)
"""How far the clocks of CRL issuers and OCSP responders may be ahead of ours; with less, a fresh OCSP response
counts as too recent and is passed over in silence."""

PATH_FAULTS = (ValidationError, PathError, CRLFetchError, OCSPFetchError, OSError, ValueError, aiohttp.ClientError)
"""All that the library lets out of path building, fetching and parsing."""


def load_trust_anchors(paths: Iterable[Path]) -> tuple[x509.Certificate, ...]:
    """The certificates in PEM or DER files, or in the ``.pem``, ``.crt``, ``.cer`` and ``.der`` files of folders.

    Raises:
        ConfigurationError: a file cannot be read or holds no certificate, or a folder has no such file.
    """
    return tuple(certificate for path in paths for file in _certificate_files(path) for certificate in _load(file))


def _certificate_files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in {".pem", ".crt", ".cer", ".der"})
    except OSError as error:
        raise _unreadable(path, error) from error
    if not files:
        raise ConfigurationError(
            f"The folder of trust anchors {path} has no .pem, .crt, .cer or .der file, so nothing can be trusted.",
            advice="Put the root certificate of the seal's issuer there.",
        )
    return files


def _load(path: Path) -> list[x509.Certificate]:
    try:
        return read_certificates(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:
        raise ConfigurationError(
            f"The trust anchor {path} is not a certificate, in PEM or in DER.",
            advice="Replace the file with the root certificate of the seal's issuer.",
        ) from error


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"The trust anchor {path} cannot be read: {error.strerror}.", advice="Check the path in the configuration."
    )


@dataclass(frozen=True, slots=True)
class Trust:
    """What certificates are judged by.

    Attributes:
        anchors: where every path must end; with none, paths are not judged.
        intermediates: issuers that a path may need and the key source does not have.
        revocation: where to look for revocation.
    """

    anchors: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...]
    revocation: RevocationSources

    @asynccontextmanager
    async def context(
        self, moment: datetime, crls: Sequence[asn1_crl.CertificateList]
    ) -> AsyncIterator[ValidationContext]:
        """A context to judge certificates in at ``moment``, fetching where that is allowed.

        Use it at once: what is fetched half a minute later is too recent for it, and passed over in silence.
        """
        async with self.contexts(crls) as context_at:
            yield context_at(moment)

    @asynccontextmanager
    async def contexts(
        self, crls: Sequence[asn1_crl.CertificateList]
    ) -> AsyncIterator[Callable[[datetime], ValidationContext]]:
        """Makes contexts, each for its own moment, that share what they fetch: nothing is fetched twice."""
        if not self.revocation.allow_fetching:
            yield lambda moment: self.offline_context(moment, crls, ())
            return
        async with fetchers(self.revocation.timeout_seconds) as shared:
            yield lambda moment: ValidationContext(
                **self._common(moment), crls=crls, ocsps=(), allow_fetching=True, fetchers=shared
            )

    def offline_context(
        self, moment: datetime, crls: Sequence[asn1_crl.CertificateList], ocsps: Sequence[asn1_ocsp.OCSPResponse]
    ) -> ValidationContext:
        """A context that knows the given revocation data and nothing else."""
        return ValidationContext(**self._common(moment), crls=crls, ocsps=ocsps)

    def _common(self, moment: datetime) -> dict[str, Any]:
        return {
            "trust_roots": [as_asn1(anchor) for anchor in self.anchors],
            "other_certs": [as_asn1(certificate) for certificate in self.intermediates],
            "moment": moment,
            # with sources that must answer, "soft-fail" would let an LT without revocation data through
            "revocation_mode": "require" if self.revocation.configured else "soft-fail",
            "time_tolerance": CLOCK_SKEW,
        }


async def path_to_trust(
    certificate: asn1_x509.Certificate,
    issuers: Iterable[asn1_x509.Certificate],
    context: ValidationContext,
    *,
    extended_key_usage: frozenset[str] = frozenset(),
) -> Any:
    """The validated path (``pyhanko_certvalidator.path.ValidationPath``) of a certificate.

    Raises:
        One of PATH_FAULTS, for the caller to put in words.
    """
    validator = CertificateValidator(certificate, intermediate_certs=issuers, validation_context=context)
    return await validator.async_validate_usage(set(), set(extended_key_usage))  # type: ignore[no-untyped-call]
