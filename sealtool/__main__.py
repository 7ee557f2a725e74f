"""``python -m sealtool``."""

from sealtool.cli import run

run()
