"""What a process computes with: whoever computes with something else may come to something else."""

from __future__ import annotations

import hashlib
import platform
import zlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import sealtool

_PACKAGES: Final = (
    *("cryptography", "dask", "distributed", "fonttools", "jinja2", "pydyf", "pyhanko", "pyhanko-certvalidator"),
    *("pypdfium2", "weasyprint"),
)


def program_likeness() -> dict[str, str]:
    """Python, the program and its libraries, by name."""
    found = {"Python": platform.python_version(), "zlib": zlib.ZLIB_RUNTIME_VERSION, "sealtool": _program()}
    return found | {package: _version(package) for package in _PACKAGES}


def _program() -> str:
    """The version, and the very text of the program: two builds may bear one version."""
    root = Path(sealtool.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return f"{sealtool.__version__} ({digest.hexdigest()[:12]})"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
