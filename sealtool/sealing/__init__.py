"""Sealing: a key, a profile and services in; sealed documents out.

The public face of the room; everything else in it is its own affair.
"""

from sealtool.definite_lengths import respect_definite_lengths
from sealtool.sealing.csc import RemoteKey, load_csc
from sealtool.sealing.extending import Extender
from sealtool.sealing.keys import SealKey, check_seal_certificate
from sealtool.sealing.local_authority import LocalTimeStampAuthority
from sealtool.sealing.passphrase import PassphraseOrigin, PassphraseSource, Secret, read_passphrase
from sealtool.sealing.pkcs11 import TokenKey, load_pkcs11
from sealtool.sealing.pkcs12 import load_pkcs12
from sealtool.sealing.profile import KNOWN_POLICIES, DigestAlgorithm, SealingProfile, SignaturePolicy
from sealtool.sealing.retrying import Patience
from sealtool.sealing.revocation import RevocationSources
from sealtool.sealing.sealer import Sealer
from sealtool.sealing.time_stamps import Credentials, HttpTimeStampAuthority, TimeStampAuthority
from sealtool.sealing.trust import load_trust_anchors

__all__ = [
    "KNOWN_POLICIES",
    "Credentials",
    "DigestAlgorithm",
    "Extender",
    "HttpTimeStampAuthority",
    "LocalTimeStampAuthority",
    "PassphraseOrigin",
    "PassphraseSource",
    "Patience",
    "RemoteKey",
    "RevocationSources",
    "SealKey",
    "Sealer",
    "SealingProfile",
    "Secret",
    "SignaturePolicy",
    "TimeStampAuthority",
    "TokenKey",
    "check_seal_certificate",
    "load_csc",
    "load_pkcs11",
    "load_pkcs12",
    "load_trust_anchors",
    "read_passphrase",
]

respect_definite_lengths()
