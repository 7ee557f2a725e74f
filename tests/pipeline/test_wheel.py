"""The wheel alone, installed into an empty environment, issues from an unrelated folder."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.pipeline.conftest import REPOSITORY, SMALL_SAMPLE


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return wheel


def test_the_wheel_holds_templates_parameters_and_migrations(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for needed in (
        "sealtool/templates/ca/certificate.html",
        "sealtool/templates/es/certificate.html",
        "sealtool/accreditation/parameters/2025-10-27.toml",
        "sealtool/ledger/migrations/versions/0001_first_ledger.py",
        "sealtool/starter.toml",
    ):
        assert needed in names
    assert not [name for name in names if name.endswith((".p12", ".key")) or name.startswith(("tests/", "samples/"))]


@pytest.mark.long
def test_the_installed_wheel_issues_from_an_unrelated_folder(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    # The libraries come from this environment, sealtool from the wheel alone: no network in tests.
    (site,) = environment.glob("lib/python*/site-packages")
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for entry in Path(sys.prefix).glob("lib/python*/site-packages/*"):
        if "sealtool" not in entry.name:
            (libraries / entry.name).symlink_to(entry)
    (site / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    pip = [
        str(environment / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        str(wheel),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def sealtool(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [environment / "bin" / "sealtool", *arguments],
            cwd=elsewhere,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )

    where = subprocess.run(
        [environment / "bin" / "python", "-c", "import sealtool; print(sealtool.__file__)"],
        cwd=elsewhere,
        check=True,
        capture_output=True,
        text=True,
    )
    assert where.stdout.startswith(str(environment))
    assert sealtool("init", "work", "--demo").returncode == 0
    issued = sealtool("--config", "work/sealtool.toml", "issue", "--level", "B1", "--registry", str(SMALL_SAMPLE))
    assert issued.returncode == 1, issued.stderr  # the sample holds one person on purpose
    assert sealtool("--config", "work/sealtool.toml", "verify", "work/out").returncode == 0
