"""Where news of revoked certificates comes from: CRL files, the network, or both."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import pem
from asn1crypto import x509 as asn1_x509

from sealtool.errors import ConfigurationError, SealKeyError, ServiceUnreachableError
from sealtool.regular_files import NoRegularFileError, read_regular_file
from sealtool.sealing.responses import statements


@dataclass(frozen=True, slots=True)
class RevocationSources:
    """Where to look for revocation.

    Attributes:
        crl_files: paths or glob patterns of CRL files, DER or PEM; read anew every few minutes.
        allow_fetching: ask the OCSP responders and CRL addresses that the certificates name.
        timeout_seconds: how long one such request may take.
    """

    crl_files: tuple[str, ...] = ()
    allow_fetching: bool = False
    timeout_seconds: float = 10.0

    @property
    def configured(self) -> bool:
        """Whether there is any source at all; if so, it must answer at every level."""
        return bool(self.crl_files) or self.allow_fetching


def load_crls(patterns: Iterable[str]) -> tuple[asn1_crl.CertificateList, ...]:
    """The CRLs that the patterns name, each file once, in order of pattern and name.

    Raises:
        ServiceUnreachableError: a pattern names no file, or a file cannot be read: whatever brings the CRLs has
            not done so.
        ConfigurationError: a file is no CRL, or no regular file.
    """
    paths: dict[str, None] = {}
    for pattern in patterns:
        found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (patterns are absolute or relative)
        if not found:
            raise ServiceUnreachableError(
                f"No CRL file is found at {pattern}, so it cannot be told whether the seal has been revoked.",
                advice="Fetch the CRLs of the issuers to that place, or correct the pattern in the configuration.",
            )
        paths.update(dict.fromkeys(found))
    return tuple(_load_crl(Path(path)) for path in paths)


def _load_crl(path: Path) -> asn1_crl.CertificateList:
    try:
        content = read_regular_file(path)
    except NoRegularFileError as error:
        raise _no_list(path) from error
    except OSError as error:
        raise ServiceUnreachableError(
            f"The CRL file {path} cannot be read ({error.strerror}), so it cannot be told whether the seal has been "
            "revoked.",
            advice="Check the path, and that the user of this process may read the file.",
        ) from error
    try:
        if pem.detect(content):
            _, _, content = pem.unarmor(content)
        loaded = asn1_crl.CertificateList.load(content, strict=True)
        # parsing is lazy: touch everything now, so that a broken file is found here and not while sealing
        loaded.native  # noqa: B018
    except (ValueError, TypeError, KeyError) as error:
        raise _no_list(path) from error
    return loaded


def _no_list(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"The file {path} is not a certificate revocation list, so it cannot be told whether the seal has been "
        "revoked.",
        advice="Replace it with the CRL of the issuer (DER or PEM), or correct the pattern in the configuration.",
    )


def refuse_revoked(certificate: asn1_x509.Certificate, crls: Iterable[asn1_crl.CertificateList], what: str) -> None:
    """Make sure that no CRL of the issuer lists the certificate, on whatever day it was revoked.

    The path validation of the library passes over entries dated after its own moment, and needs trust anchors;
    this look does neither. It comes on top of that validation, not in its place.

    Raises:
        SealKeyError: a CRL lists it.
    """
    for crl in crls:
        if crl.issuer != certificate.issuer:
            continue
        for entry in crl["tbs_cert_list"]["revoked_certificates"] or ():
            if entry["user_certificate"].native == certificate.serial_number:
                raise revoked(what, entry["revocation_date"].native)


def refuse_revoked_by_responder(
    certificate: asn1_x509.Certificate,
    issuers: Sequence[asn1_x509.Certificate],
    responses: Iterable[asn1_ocsp.OCSPResponse],
    what: str,
) -> None:
    """Make sure that no OCSP response says that the certificate is revoked; see :func:`refuse_revoked`.

    Raises:
        SealKeyError: one says so.
    """
    for statement in statements(responses, [certificate], issuers):
        if statement.status == "revoked":
            raise revoked(what, statement.revoked_at)


def revoked(what: str, since: datetime | None = None) -> SealKeyError:
    """The error of a revoked certificate, in one wording."""
    when = "" if since is None else f" on {since:%Y-%m-%d %H:%M} UTC"
    return SealKeyError(
        f"{what} has been revoked by its issuer{when}; whatever it seals is worthless.",
        advice="Do not seal with it again: find out why it was revoked, and obtain a new seal certificate.",
    )
