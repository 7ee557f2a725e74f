"""The first ledger: runs, register, certificates, documents, events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("finished_at", sa.String(32)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("tool_version", sa.String(40), nullable=False),
        sa.Column("rules_version", sa.String(40), nullable=False),
        sa.Column("rules_sha256", sa.String(64), nullable=False),
        sa.Column("sources", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("manifest", sa.Text),
        sa.Column("manifest_sha256", sa.String(64)),
    )
    op.create_table(
        "register",
        sa.Column("person_id", sa.String(16), primary_key=True),
        sa.Column("level", sa.String(2), primary_key=True),
        sa.Column("area", sa.Integer, primary_key=True),
        sa.Column("obtained_on", sa.String(10), nullable=False),
        sa.Column("procedures", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("rules_version", sa.String(40), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
    )
    op.create_table(
        "certificates",
        sa.Column("certificate_id", sa.String(23), primary_key=True),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("level", sa.String(2), nullable=False),
        sa.Column("area", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("rules_version", sa.String(40), nullable=False),
        sa.Column("reserved_run", sa.String(40), nullable=False),
        sa.Column("issued_run", sa.String(40)),
        sa.Column("issued_on", sa.String(10)),
        sa.Column("predecessor_id", sa.String(23)),
        sa.Column("successor_id", sa.String(23)),
    )
    op.create_index(
        "one_certificate_each",
        "certificates",
        ["person_id", "level", "area", "generation"],
        unique=True,
        sqlite_where=sa.text("state <> 'released'"),
        postgresql_where=sa.text("state <> 'released'"),
    )
    op.create_index(
        "one_issued_certificate_each",
        "certificates",
        ["person_id", "level", "area"],
        unique=True,
        sqlite_where=sa.text("state = 'issued'"),
        postgresql_where=sa.text("state = 'issued'"),
    )
    op.create_index("certificates_by_state", "certificates", ["state"])
    op.create_table(
        "documents",
        sa.Column("path", sa.String(200), primary_key=True),
        sa.Column("certificate_id", sa.String(23), sa.ForeignKey("certificates.certificate_id"), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("languages", sa.String(20), nullable=False),
        sa.Column("seal", sa.Text, nullable=False),
        sa.Column("manifest_run", sa.String(40)),
    )
    op.create_index("ix_documents_certificate_id", "documents", ["certificate_id"])
    op.create_index("ix_documents_manifest_run", "documents", ["manifest_run"])
    op.create_table(
        "events",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("certificate_id", sa.String(23)),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
