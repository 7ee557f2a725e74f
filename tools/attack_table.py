"""Carries out every attack of tests/attacks, asks all judges, and writes docs/attacks.md."""

import tempfile
from pathlib import Path

from tests.attacks.judges import JUDGES
from tests.attacks.table import judged, written
from tests.attacks.workshop import open_workshop

PAGE = Path(__file__).parent.parent / "docs" / "attacks.md"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        rows = judged(open_workshop(Path(place)), Path(place))
        PAGE.write_text(written(rows, {name: judge.version() for name, judge in JUDGES.items()}), encoding="utf-8")
    print(PAGE)
