"""What a signing service says of a key (CSC API 1.0.4, 11.5; 2.0, 11.5), checked before it is believed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from sealtool.errors import SealKeyError

_ASK = "Ask the service for a key that a program can seal with by itself: enabled, with a PIN or nothing at all."


@dataclass(frozen=True)
class Credential:
    """A key at a signing service.

    Attributes:
        certificate: of the seal.
        chain: the other certificates that came with it.
        algorithms: object identifiers, dotted, of the signatures it makes.
        at_once: how many signatures one authorisation allows.
        wants_pin: whether it takes a PIN.
        pin_id: what the PIN is called in requests, from version 2 of the API on.
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = field(repr=False)
    algorithms: frozenset[str]
    at_once: int
    wants_pin: bool
    pin_id: str = "PIN"


def read_credential(answer: Mapping[str, Any], source: str, *, has_pin: bool) -> Credential:
    """The key that an answer to ``credentials/info`` describes.

    Args:
        answer: the JSON document.
        source: what messages call the key.
        has_pin: whether a PIN is configured.

    Raises:
        SealKeyError: the answer cannot be understood, or the key cannot be used: it is disabled, its certificate has
            expired or been revoked, or a person would have to take part in every signature.
    """
    try:
        key, cert = answer["key"], answer["cert"]
        certificates = [x509.load_der_x509_certificate(base64.b64decode(each)) for each in cert["certificates"]]
        wants_pin, pin_id = _insist_on_unattended(answer, source, has_pin=has_pin)
        _insist_on_usable(str(key.get("status", "")), str(cert.get("status", "valid")), source)
        return Credential(
            certificate=certificates[0],  # 11.5: the certificate of the key comes first
            chain=tuple(certificates[1:]),
            algorithms=frozenset(map(str, key["algo"])),
            at_once=max(1, int(answer["multisign"])),
            wants_pin=wants_pin,
            pin_id=pin_id,
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise SealKeyError(
            f"The {source} describes its key in a way that cannot be understood ({type(error).__name__}: {error}).",
            advice="Check seal.csc.url and seal.csc.api_version; otherwise report it to the service.",
        ) from error


def _insist_on_usable(key_status: str, certificate_status: str, source: str) -> None:
    if key_status != "enabled":
        raise SealKeyError(
            f"The {source} has its key switched off (status «{key_status}»), so nothing can be sealed with it.",
            advice="Have it enabled by the service, or name another credential in seal.csc.credential.",
        )
    if certificate_status != "valid":
        raise SealKeyError(
            f"The {source} says that the certificate of its key is not valid (status «{certificate_status}»), so "
            "nothing can be sealed with it.",
            advice="Renew the seal certificate with its issuer, or name another credential in seal.csc.credential.",
        )


def _insist_on_unattended(answer: Mapping[str, Any], source: str, *, has_pin: bool) -> tuple[bool, str]:
    """Whether a PIN is to be sent and by what name; refuses keys that want a person at every signature."""
    mode, pin, one_time, pin_id = _authorisation(answer)
    if mode == "oauth2code" or one_time:
        wanted = "a one-time password" if one_time else "a person's consent in a browser (oauth2code)"
        raise SealKeyError(
            f"The {source} wants {wanted} for each authorisation, which a run that nobody watches cannot give.",
            advice=_ASK,
        )
    if pin == "true" and not has_pin:
        raise SealKeyError(
            f"The {source} wants a PIN, and none is configured.", advice="Name its source with seal.csc.pin."
        )
    return pin != "false" and has_pin, pin_id


def _authorisation(answer: Mapping[str, Any]) -> tuple[str, str, bool, str]:
    """Mode, presence of a PIN (``true``, ``false`` or ``optional``), need of a one-time password, name of the PIN."""
    if "auth" not in answer:  # version 1
        pin = str(answer.get("PIN", {}).get("presence", "false")).lower()
        one_time = str(answer.get("OTP", {}).get("presence", "false")).lower()
        return str(answer.get("authMode", "implicit")), pin, one_time == "true", "PIN"
    auth = answer["auth"]
    objects = auth.get("objects") or ()
    passwords = [each for each in objects if each.get("type") == "Password"]
    others = [each for each in objects if each.get("type") != "Password"]
    pin_id = str(passwords[0]["id"]) if passwords else "PIN"
    return str(auth["mode"]), "true" if passwords else "false", bool(others), pin_id
