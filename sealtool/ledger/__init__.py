"""The ledger: what was decided, reserved, sealed and issued, and every step of it in a hash chain.

The only room that knows SQLAlchemy. It guarantees one certificate for each person, level and C2 area: the
database itself refuses a second one (see ``tables.py``), and one run at a time holds the ledger.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from sealtool.ledger.findings import FindingCode, LedgerFinding
from sealtool.ledger.values import (
    UNPUBLISHED,
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
    Statistics,
)

if TYPE_CHECKING:
    from sealtool.ledger.book import Ledger
    from sealtool.ledger.custody import Custody, ListedDocument, Restored, rebuilding_at, restoring, write_rebuilt
    from sealtool.ledger.legibility import changed_outside
    from sealtool.ledger.opening import create_ledger, ledger_version, migrate_ledger, open_ledger
    from sealtool.ledger.rebuilding import Found, FoundCertificate, FoundDocument, FoundManifest
else:
    _AT_WORK: Final = {
        "book": {"Ledger"},
        "custody": {"Custody", "ListedDocument", "Restored", "rebuilding_at", "restoring", "write_rebuilt"},
        "legibility": {"changed_outside"},
        "opening": {"create_ledger", "ledger_version", "migrate_ledger", "open_ledger"},
        "rebuilding": {"Found", "FoundCertificate", "FoundDocument", "FoundManifest"},
    }

    def __getattr__(name: str) -> Any:
        """What needs SQLAlchemy, which takes longer to import than many a command takes: where it is asked for."""
        for module, names in _AT_WORK.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "UNPUBLISHED",
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
    "Statistics",
    "changed_outside",
    "create_ledger",
    "ledger_version",
    "migrate_ledger",
    "open_ledger",
    "rebuilding_at",
    "restoring",
    "write_rebuilt",
]
