"""The tables of the ledger, as they are at the newest migration.

Days are ISO 8601 dates and moments ISO 8601 in UTC, both as text: the same bytes on every database, and what
the hash chain was computed over. ``area`` is 0 where the whole level is meant, so that it can be unique.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, ForeignKey, Index, Integer, MetaData, String, Table, Text, event, text

metadata = MetaData()

WHOLE_LEVEL = 0

_WHERE = "where"
"""The rows that an index is of. Not told as ``sqlite_where`` and ``postgresql_where``: each would load its dialect."""

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("command", Text, nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("finished_at", String(32)),
    Column("state", String(12), nullable=False),
    Column("tool_version", String(40), nullable=False),
    Column("rules_version", String(40), nullable=False),
    Column("rules_sha256", String(64), nullable=False),
    Column("sources", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("manifest", Text),
    Column("manifest_sha256", String(64)),
)

register = Table(
    "register",
    metadata,
    Column("person_id", String(16), primary_key=True),
    Column("level", String(2), primary_key=True),
    Column("area", Integer, primary_key=True),
    Column("obtained_on", String(10), nullable=False),
    Column("procedures", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("rules_version", String(40), nullable=False),
    Column("run_id", String(40), nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("certificate_id", String(23), primary_key=True),
    Column("person_id", String(16), nullable=False),
    Column("level", String(2), nullable=False),
    Column("area", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("decision", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("rules_version", String(40), nullable=False),
    Column("reserved_run", String(40), nullable=False),
    Column("issued_run", String(40)),
    Column("issued_on", String(10)),
    Column("predecessor_id", String(23)),
    Column("successor_id", String(23)),
    # The promise of the whole tool, kept by the database: one certificate at a time for a person, level and
    # C2 area. A released reservation was never sealed and does not count; a reissue is a further generation.
    Index(
        "one_certificate_each",
        "person_id",
        "level",
        "area",
        "generation",
        unique=True,
        info={_WHERE: "state <> 'released'"},
    ),
    Index(
        "one_issued_certificate_each",
        "person_id",
        "level",
        "area",
        unique=True,
        info={_WHERE: "state = 'issued'"},
    ),
    Index("certificates_by_state", "state"),
)

documents = Table(
    "documents",
    metadata,
    Column("path", String(200), primary_key=True),
    Column("certificate_id", String(23), ForeignKey("certificates.certificate_id"), nullable=False, index=True),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("languages", String(20), nullable=False),
    Column("seal", Text, nullable=False),
    Column("manifest_run", String(40), index=True),
    Column("provable_until", String(32)),
)

# Renewed files whose hashes were announced, and which have not yet been seen in the place of the present ones.
renewals = Table(
    "renewals",
    metadata,
    Column("path", String(200), ForeignKey("documents.path"), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("seal", Text, nullable=False),
    Column("provable_until", String(32), nullable=False),
)

# Reissues, by the certificate they make, and revocations, by the one they end. ``overruled`` is the fingerprint of what
# the registry said when somebody upheld something else, empty where it said nothing, NULL where it said the same.
acts = Table(
    "acts",
    metadata,
    Column("certificate_id", String(23), ForeignKey("certificates.certificate_id"), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("run_id", String(40), nullable=False),
    Column("decided_at", String(32), nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("called_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("upheld", Text, nullable=False),
    Column("overruled", String(64)),
)

events = Table(
    "events",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("run_id", String(40), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("certificate_id", String(23)),
    Column("payload", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)


@event.listens_for(metadata, "before_create")
def _tell_where(_: MetaData, connection: Connection, **options: object) -> None:
    """Tells the dialect that the tables are made in which rows their indexes are of."""
    del options
    for index in (index for table in metadata.tables.values() for index in table.indexes if _WHERE in index.info):
        index.dialect_options[connection.dialect.name]["where"] = text(index.info[_WHERE])
