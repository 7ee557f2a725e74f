"""Write a fictitious export of the training registry: the same arguments always give the same bytes.

Examples:
    python samples/generate.py --out samples/registry
    python samples/generate.py --out samples/registry-small --small
    python samples/generate.py --seed 7 --people 100000 --participations 1000000 --out big
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from fiction.faults import PlantedFault
from fiction.registry import write_registry
from fiction.stories import write_stories

DEFAULT_SEED = 20251027
DEFAULT_PEOPLE = 2_400
MOST_PEOPLE = 1_000_000
MOST_PARTICIPATIONS_A_PERSON = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and write the export it asks for."""
    options = _parse(arguments)
    planted: list[PlantedFault]
    if options.small:
        planted = write_stories(options.out)
        print(f"wrote the small export into {options.out}")
    else:
        size, planted = write_registry(
            options.out,
            seed=options.seed,
            people=options.people,
            participations=options.participations,
            faults=not options.clean,
        )
        print(
            f"wrote {size.people} people, {size.participations} participations and {size.grants} grants, "
            f"with {len(planted)} planted faults, into {options.out}"
        )
    if options.truth is not None:
        truth = json.dumps([fault.as_json() for fault in planted], indent=1, ensure_ascii=False)
        options.truth.write_text(truth + "\n", encoding="utf-8", newline="\n")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="default: %(default)s")
    parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE, help="default: %(default)s")
    parser.add_argument("--participations", type=int, help="about how many; default: somewhat over five a person")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into; files there are replaced")
    parser.add_argument(
        "--small", action="store_true", help="the hand-written small export; seed and size mean nothing"
    )
    parser.add_argument("--clean", action="store_true", help="plant no broken rows")
    parser.add_argument("--truth", type=Path, help="also write the list of planted faults, as JSON, to this file")
    options = parser.parse_args(arguments)
    if not 1 <= options.people <= MOST_PEOPLE:
        parser.error(f"--people must lie between 1 and {MOST_PEOPLE}: the ranges of fictitious ids hold no more")
    most = options.people * MOST_PARTICIPATIONS_A_PERSON
    if options.participations is not None and not 0 <= options.participations <= most:
        parser.error(f"--participations must lie between 0 and {most}: nobody takes part more than a hundred times")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
