"""The ledger: what was decided, reserved, sealed and issued, and every step of it in a hash chain.

The only room that knows SQLAlchemy. It guarantees one certificate for each person, level and C2 area: the
database itself refuses a second one (see ``tables.py``), and one run at a time holds the ledger.
"""

from sealtool.ledger.book import Ledger
from sealtool.ledger.opening import create_ledger, open_ledger
from sealtool.ledger.values import (
    Act,
    ActKind,
    CertificateState,
    CertificateStory,
    DocumentOnRecord,
    IssuedCertificate,
    LedgerDocument,
    ManifestEntry,
    ManifestOnRecord,
    PendingRenewal,
    RegisterEntry,
    RenewalCount,
    Renewed,
    Reservation,
    RunFacts,
    RunState,
    RunSummary,
    SealedDocument,
)

__all__ = [
    "Act",
    "ActKind",
    "CertificateState",
    "CertificateStory",
    "DocumentOnRecord",
    "IssuedCertificate",
    "Ledger",
    "LedgerDocument",
    "ManifestEntry",
    "ManifestOnRecord",
    "PendingRenewal",
    "RegisterEntry",
    "RenewalCount",
    "Renewed",
    "Reservation",
    "RunFacts",
    "RunState",
    "RunSummary",
    "SealedDocument",
    "create_ledger",
    "open_ledger",
]
