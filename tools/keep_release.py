"""Keeps one sealed set of this version under tests/releases, so that every later version is held to verify it.

Made by the real commands, from fictitious people, with a throw-away PKI whose private keys are then forgotten:

    PYTHONPATH=. .venv/bin/python tools/keep_release.py [VERSION]

A set of the same version that is there already is replaced.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sealtool import __version__
from tests.pipeline.kept_release import EXPECTED, OUT, RELEASES, TRUST, judged

SEALTOOL = Path(sys.executable).with_name("sealtool")
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
PEOPLE = ("10000000Z", "10000001S", "10000002Q", "10000003V")
NAMES = ("Gal·la;Puigserver i Sant-Joan;d'Ocón", "Íñigo;de la Peña;Núñez", "Aina Maria;Col·lell;", "Zoë;Ferrer;Güell")

READ_ME = """\
# {version}: a sealed set

Certificates as version {version} issued them: at each level of the seal a B1 and a C2 (area 4), with manifests, their
seals and tables. The people do not exist. The PKI was a demonstration's: its private keys were forgotten when this was
made, nothing here is secret, and nobody trusts it.

- `out/`: the output folder as `sealtool issue` left it
- `trust/`: root, issuing authority and their revocation lists (valid for six years)
- `expected.json`: what `sealtool verify` said, at the moment it names

`tests/pipeline/test_releases.py` holds every later version to say the same. Made by `tools/keep_release.py`; never
changed by hand.
"""


def run(*arguments: object) -> None:
    """One command of the tool, as a user would call it."""
    subprocess.run([SEALTOOL, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own


def write_registry(folder: Path) -> None:
    """Two accreditations for each person."""
    folder.mkdir()
    people = ["person_id;given_name;first_surname;second_surname"]
    people += [f"{person};{name}" for person, name in zip(PEOPLE, NAMES, strict=True)]
    grants = ["person_id;level;area;procedure;granted_on;reference"]
    for person in PEOPLE:
        grants += [f"{person};B1;;test;2025-03-12;REF-1", f"{person};C2;4;observation;2025-06-20;REF-2"]
    (folder / "people.csv").write_text("\n".join([*people, ""]), encoding="utf-8")
    (folder / "accreditations.csv").write_text("\n".join([*grants, ""]), encoding="utf-8")


def issue(work: Path, registry: Path) -> None:
    """A run for each level of the seal."""
    run("init", work, "--demo")
    configuration = work / "sealtool.toml"
    text = configuration.read_text(encoding="utf-8")
    for level, person in zip(LEVELS, PEOPLE, strict=True):
        configuration.write_text(text.replace('level = "B-LTA"', f'level = "{level}"'), encoding="utf-8")
        run(
            "--config",
            configuration,
            "issue",
            "--registry",
            registry,
            "--level",
            "B1",
            "--level",
            "C2",
            "--area",
            4,
            "--person",
            person,
        )


def keep(work: Path, release: Path, version: str) -> None:
    """Copies what is public, and writes down what today's verifier says of it."""
    shutil.rmtree(release, ignore_errors=True)
    shutil.copytree(work / "out", release / OUT)
    (release / TRUST).mkdir()
    for name in ("root.pem", "issuing.pem", "root.crl", "issuing.crl"):
        shutil.copyfile(work / "pki" / name, release / TRUST / name)
    for path in (release, *release.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (release / "README.md").write_text(READ_ME.format(version=version), encoding="utf-8")
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    expected = judged(release, now)
    verdicts = {one["verdict"] for one in (*expected["documents"], *expected["manifests"])}
    if verdicts != {"PASSED"}:
        raise SystemExit(f"Not everything passes, so this is no set to keep: {sorted(verdicts)}")
    text = json.dumps(expected, indent=1, ensure_ascii=False, sort_keys=True)
    (release / EXPECTED).write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else __version__
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_registry(folder / "registry")
        issue(folder / "work", folder / "registry")
        keep(folder / "work", RELEASES / wanted, wanted)
    print(RELEASES / wanted)
