"""Finds a seal key and its certificate on a PKCS#11 token. Needs the optional library python-pkcs11."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pkcs11 import Attribute, KeyType, ObjectClass, PKCS11Error, Session, SignMixin, Token, TokenFlag
from pkcs11 import exceptions as said

from sealtool.errors import SealKeyError
from sealtool.sealing.certificate_files import certificates_in, issuers_of, sealing_public_key
from sealtool.sealing.keys import SealKey
from sealtool.sealing.pkcs11 import TokenKey
from sealtool.sealing.token_signer import ONE_CALL_AT_A_TIME, KeyHandle, TokenSigner, in_words

_LOCKING = "Tokens lock after a few wrong tries, and every run is one more."
_WRONG_PIN = (
    said.PinIncorrect,
    said.PinInvalid,
    said.PinLenRange,
)


def open_key(place: TokenKey, pin: bytes, *, prefer_pss: bool) -> SealKey:
    """See :func:`sealtool.sealing.pkcs11.load_pkcs11`."""
    issuers = [certificate for path in place.chain for certificate in certificates_in(path, "seal.pkcs11")]
    in_file = certificates_in(place.certificate, "seal.pkcs11") if place.certificate is not None else []
    with ONE_CALL_AT_A_TIME:
        handle, on_token = _opened(place, pin)
    certificate = in_file[0] if in_file else _find_certificate(place, handle, on_token)
    public_key = sealing_public_key(certificate, handle.source)
    chain = issuers_of(certificate, (*in_file, *issuers, *(entry.certificate for entry in on_token)))
    signer = TokenSigner(handle, certificate, public_key, chain, prefer_pss=prefer_pss)
    fitting = KeyType.RSA if isinstance(public_key, rsa.RSAPublicKey) else KeyType.EC
    if handle.kind != fitting or not signer.belongs_to_certificate():
        raise SealKeyError(
            f"The key and the certificate of the seal do not belong together ({handle.source}, certificate "
            f"«{_name(certificate)}»), so its seals could not be validated.",
            advice="Name the certificate of this key with seal.pkcs11.certificate, or another key.",
        )
    return SealKey(source=handle.source, certificate=certificate, chain=chain, signer=signer)


def _opened(place: TokenKey, pin: bytes) -> tuple[KeyHandle, list[_OnToken]]:
    """The key, in a session that stays open as long as the process lives, and the certificates beside it."""
    token = _find_token(place)
    source = f"token «{token.label}»"
    text = _as_text(pin, source)
    try:
        session = _logged_in(token, text, source)
        private_key = _find_key(session, place, source)
        handle = KeyHandle(
            source=source,
            private_key=private_key,
            kind=private_key.key_type,
            label=_attribute(private_key, Attribute.LABEL) or "",
            key_id=_attribute(private_key, Attribute.ID) or b"",
            mechanisms=frozenset(token.slot.get_mechanisms()),
            pin=text if _attribute(private_key, Attribute.ALWAYS_AUTHENTICATE) else None,
        )
        return handle, _certificates_on(session)
    except PKCS11Error as error:
        raise SealKeyError(
            f"The {source} of the seal key does not answer as it must: {in_words(error)}.",
            advice="Check the token with the programs of its maker, or list what is on it: "
            "pkcs11-tool --module … --login --list-objects",
        ) from error


# --- the token ------------------------------------------------------------------------------------------------


def _find_token(place: TokenKey) -> Token:
    if not place.module.is_file():
        raise SealKeyError(
            f"The PKCS#11 module {place.module} is not there, so the token of the seal key cannot be reached.",
            advice="Install the software of the token's maker, and name its module in seal.pkcs11.module.",
        )
    try:
        slots = pkcs11.lib(str(place.module)).get_slots(token_present=True)
        tokens = [token for slot in slots if (token := _token_in(slot)) is not None]
    except PKCS11Error as error:
        raise SealKeyError(
            f"The PKCS#11 module {place.module} cannot be loaded: {in_words(error)}.",
            advice="Check that seal.pkcs11.module names a PKCS#11 module for this kind of machine, and that its own "
            "configuration can be read by the user of this process.",
        ) from error
    wanted = f"«{place.token}»" if place.slot is None else f"in slot {place.slot}"
    found = [
        token
        for token in tokens
        if (token.label == place.token if place.slot is None else token.slot.slot_id == place.slot)
    ]
    if len(found) > 1:
        raise SealKeyError(
            f"There are several tokens {wanted}, in the slots {', '.join(str(token.slot.slot_id) for token in found)}, "
            "and a seal must come from one that was chosen.",
            advice="Name the slot with seal.pkcs11.slot instead, or unplug the other.",
        )
    if not found:
        others = _listed(token.label for token in tokens if token.label)
        raise SealKeyError(
            f"The PKCS#11 module {place.module} knows no token {wanted}, so the seal key cannot be reached. It has: "
            f"{others}.",
            advice="Plug the token in, or check seal.pkcs11; `pkcs11-tool --module … --list-slots` lists tokens.",
        )
    return found[0]


def _token_in(slot: pkcs11.Slot) -> Token | None:
    try:
        return slot.get_token()
    except (said.TokenNotPresent, said.TokenNotRecognised, said.DeviceRemoved):
        return None  # another reader; ours will be missed by its label


def _as_text(pin: bytes, source: str) -> str:
    try:
        return pin.decode("utf-8")  # PKCS#11 v2.40, 2.2: CK_UTF8CHAR
    except UnicodeDecodeError:
        raise SealKeyError(
            f"What should be the PIN of the {source} is not UTF-8 text, as PINs are; it was not tried.",
            advice="Check the place that seal.passphrase names.",
        ) from None


def refuse_risky_login(flags: TokenFlag, source: str) -> None:
    """Make sure that a wrong PIN would not be the last one: nobody watches a nightly run.

    Raises:
        SealKeyError: the token is locked, or one more wrong try locks it.
    """
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise _locked(source)
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise SealKeyError(
            f"The {source} of the seal key has one try left before it locks itself, after wrong PINs. The PIN was not "
            "tried.",
            advice="Log in once with the right PIN by hand (`pkcs11-tool --module … --login --list-objects`): this "
            "gives the tries back. Then make sure that seal.passphrase names that PIN.",
        )


def _locked(source: str) -> SealKeyError:
    return SealKeyError(
        f"The {source} of the seal key has locked itself after too many wrong PINs, so nothing can be sealed.",
        advice="Have it unlocked by whoever holds the PIN of its security officer (PUK), and correct the PIN that "
        "seal.passphrase names.",
    )


def _logged_in(token: Token, pin: str, source: str) -> Session:
    refuse_risky_login(token.flags, source)
    try:
        return token.open(user_pin=pin)
    except said.UserAlreadyLoggedIn:
        # A login is the process's, not the session's (PKCS#11 v2.40 usage guide, 2.6.1): this PIN is not needed.
        return token.open()
    except _WRONG_PIN as error:
        raise SealKeyError(
            f"The {source} of the seal key refused the PIN. It was tried once and not again.",
            advice=f"Correct the PIN in the place that seal.passphrase names before the next run. {_LOCKING}",
        ) from error
    except said.PinLocked as error:
        raise _locked(source) from error
    except (said.PinExpired, said.UserPinNotInitialized) as error:
        raise SealKeyError(
            f"The {source} of the seal key has no PIN that is good now: {in_words(error)}.",
            advice="Set the PIN of its user with the programs of its maker.",
        ) from error


# --- the key --------------------------------------------------------------------------------------------------


def _find_key(session: Session, place: TokenKey, source: str) -> SignMixin:
    signing = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.SIGN: True}
    wanted: dict[Attribute, Any] = dict(signing)
    if place.label is not None:
        wanted[Attribute.LABEL] = place.label
    if place.key_id is not None:
        wanted[Attribute.ID] = place.key_id
    found = [entry for entry in session.get_objects(wanted) if isinstance(entry, SignMixin)]
    if len(found) == 1:
        return found[0]
    names = [f"label «{place.label}»"] if place.label is not None else []
    names += [f"id {place.key_id.hex()}"] if place.key_id is not None else []
    named = f" with {' and '.join(names)}" if names else ""
    if found:
        raise SealKeyError(
            f"The {source} has {len(found)} private keys{named}, and a seal must come from one that was chosen: "
            f"{_listed(_described(entry) for entry in found)}.",
            advice="Name the one with both seal.pkcs11.key and seal.pkcs11.key_id.",
        )
    others = _listed(_described(entry) for entry in session.get_objects(signing))
    raise SealKeyError(
        f"The {source} has no private key that signs{named}. It has: {others}.",
        advice="Check seal.pkcs11.key and seal.pkcs11.key_id, and whether this is the right token.",
    )


def _described(entry: Any) -> str:
    return f"{_attribute(entry, Attribute.LABEL) or ''} (id {(_attribute(entry, Attribute.ID) or b'').hex() or 'none'})"


def _attribute(entry: Any, attribute: Attribute) -> Any:
    """None where the token does not know it."""
    try:
        return entry[attribute]
    except (said.AttributeTypeInvalid, said.AttributeSensitive):
        return None


# --- the certificate ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _OnToken:
    label: str
    key_id: bytes
    certificate: x509.Certificate


def _certificates_on(session: Session) -> list[_OnToken]:
    entries = []
    for entry in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}):
        try:
            certificate = x509.load_der_x509_certificate(_attribute(entry, Attribute.VALUE) or b"")
        except ValueError:
            continue  # another kind of certificate; a seal that is missing will be missed
        label, key_id = _attribute(entry, Attribute.LABEL), _attribute(entry, Attribute.ID)
        entries.append(_OnToken(label or "", key_id or b"", certificate))
    return entries


def _find_certificate(place: TokenKey, handle: KeyHandle, on_token: Sequence[_OnToken]) -> x509.Certificate:
    if place.certificate_label is not None:
        found = [entry for entry in on_token if entry.label == place.certificate_label]
    else:
        # PKCS#11 v2.40, 4.6.3: CKA_ID is there to tell which certificate belongs to which key
        found = [entry for entry in on_token if handle.key_id and entry.key_id == handle.key_id]
        found = found or [entry for entry in on_token if handle.label and entry.label == handle.label]
    certificates = list(dict.fromkeys(entry.certificate for entry in found))
    if len(certificates) != 1:
        raise _no_single_certificate(certificates, on_token, handle.source)
    return certificates[0]


def _no_single_certificate(
    found: Sequence[x509.Certificate], on_token: Sequence[_OnToken], source: str
) -> SealKeyError:
    if found:
        return SealKeyError(
            f"The {source} has {len(found)} certificates for the seal key, and only one can be named in a seal: "
            f"{_listed(f'{_name(each)}, valid until {each.not_valid_after_utc:%Y-%m-%d}' for each in found)}.",
            advice="Remove the old one from the token, or give the right one as a file with seal.pkcs11.certificate.",
        )
    others = _listed(entry.label or _name(entry.certificate) for entry in on_token)
    return SealKeyError(
        f"The {source} has no certificate for the seal key, so nobody could tell whose seal it is. It has: {others}.",
        advice="Give the certificate as a file with seal.pkcs11.certificate, or its label with "
        "seal.pkcs11.certificate_label.",
    )


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"«{name}»" for name in names) or "none"
