"""Seal keys kept on PKCS#11 tokens: smart cards, hardware security modules, SoftHSM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sealtool.errors import SealKeyError
from sealtool.sealing.keys import SealKey


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Where a seal key is: names it, never holds a PIN.

    Attributes:
        module: the PKCS#11 module (a shared library) of the token's maker.
        token: label of the token; None where ``slot`` is given.
        slot: id of its slot; None where ``token`` is given.
        label: of the private key; None for any.
        key_id: ``CKA_ID`` of the private key; None for any.
        certificate: file with the seal certificate, PEM or DER, its issuers behind it if any; None to take it from
            the token.
        certificate_label: of the certificate on the token; None for the one that has the id of the key, or its
            label.
        chain: files with certificates of its issuers, PEM or DER; those on the token are found without.
    """

    module: Path
    token: str | None = None
    slot: int | None = None
    label: str | None = None
    key_id: bytes | None = None
    certificate: Path | None = None
    certificate_label: str | None = None
    chain: tuple[Path, ...] = ()


def load_pkcs11(place: TokenKey, pin: bytes, *, prefer_pss: bool = False) -> SealKey:
    """The seal key of a token, logged in once for as long as the process lives.

    The key signs once here, so that a key without its certificate is found out before the first document.

    Args:
        place: where the key is.
        pin: of the token's user. It is tried once: tokens lock after a few wrong ones.
        prefer_pss: sign with RSA-PSS instead of RSA PKCS#1 v1.5; means nothing for ECDSA keys.

    Raises:
        SealKeyError: module, token, key or certificate cannot be found or used, there are several, the token
            refuses the PIN, key and certificate do not belong together, or the key is too weak.
    """
    try:
        from sealtool.sealing.token import open_key  # noqa: PLC0415 (its library is optional)
    except ModuleNotFoundError as error:
        if error.name != "pkcs11":
            raise
        raise SealKeyError(
            "The seal key is on a PKCS#11 token, and the library that talks to tokens is not installed.",
            advice="Install python-pkcs11 beside sealtool, as the operator's guide shows.",
        ) from error
    return open_key(place, pin, prefer_pss=prefer_pss)
