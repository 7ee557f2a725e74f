"""Reissues and revocations: who decided what, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acts",
        sa.Column("certificate_id", sa.String(23), sa.ForeignKey("certificates.certificate_id"), primary_key=True),
        sa.Column("kind", sa.String(12), primary_key=True),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("called_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("upheld", sa.Text, nullable=False),
        sa.Column("overruled", sa.String(64)),
    )
