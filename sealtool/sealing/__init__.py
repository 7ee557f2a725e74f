"""Sealing: a key, a profile and services in; sealed documents out.

The public face of the room; everything else in it is its own affair.
"""

from sealtool.sealing.keys import SealKey, check_seal_certificate
from sealtool.sealing.local_authority import LocalTimeStampAuthority
from sealtool.sealing.passphrase import PassphraseOrigin, PassphraseSource, read_passphrase
from sealtool.sealing.pkcs11 import TokenKey, load_pkcs11
from sealtool.sealing.pkcs12 import load_pkcs12
from sealtool.sealing.profile import DigestAlgorithm, SealingProfile, SignaturePolicy
from sealtool.sealing.revocation import RevocationSources
from sealtool.sealing.sealer import Sealer
from sealtool.sealing.time_stamps import HttpTimeStampAuthority, TimeStampAuthority
from sealtool.sealing.trust import load_trust_anchors

__all__ = [
    "DigestAlgorithm",
    "HttpTimeStampAuthority",
    "LocalTimeStampAuthority",
    "PassphraseOrigin",
    "PassphraseSource",
    "RevocationSources",
    "SealKey",
    "Sealer",
    "SealingProfile",
    "SignaturePolicy",
    "TimeStampAuthority",
    "TokenKey",
    "check_seal_certificate",
    "load_pkcs11",
    "load_pkcs12",
    "load_trust_anchors",
    "read_passphrase",
]
