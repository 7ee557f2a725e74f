"""Until when each document is provable, and renewals that were announced."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("provable_until", sa.String(32)))
    op.create_table(
        "renewals",
        sa.Column("path", sa.String(200), sa.ForeignKey("documents.path"), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("seal", sa.Text, nullable=False),
        sa.Column("provable_until", sa.String(32), nullable=False),
    )
