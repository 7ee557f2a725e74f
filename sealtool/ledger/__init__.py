"""The ledger: what was decided, reserved, sealed and issued, and every step of it in a hash chain.

The only room that knows SQLAlchemy. It guarantees one certificate for each person, level and C2 area: the
database itself refuses a second one (see ``tables.py``), and one run at a time holds the ledger.
"""

from sealtool.ledger.book import Ledger
from sealtool.ledger.custody import Custody, ListedDocument, Restored, rebuilding_at, restoring, write_rebuilt
from sealtool.ledger.findings import FindingCode, LedgerFinding
from sealtool.ledger.opening import create_ledger, ledger_version, migrate_ledger, open_ledger
from sealtool.ledger.rebuilding import Found, FoundCertificate, FoundDocument, FoundManifest
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
    "Custody",
    "DocumentOnRecord",
    "FindingCode",
    "Found",
    "FoundCertificate",
    "FoundDocument",
    "FoundManifest",
    "IssuedCertificate",
    "Ledger",
    "LedgerDocument",
    "LedgerFinding",
    "ListedDocument",
    "ManifestEntry",
    "ManifestOnRecord",
    "PendingRenewal",
    "RegisterEntry",
    "RenewalCount",
    "Renewed",
    "Reservation",
    "Restored",
    "RunFacts",
    "RunState",
    "RunSummary",
    "SealedDocument",
    "create_ledger",
    "ledger_version",
    "migrate_ledger",
    "open_ledger",
    "rebuilding_at",
    "restoring",
    "write_rebuilt",
]
