"""What the program imports is what it says that it needs."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[3]


def imported() -> Iterator[str]:
    """The packages that any module imports, wherever in it."""
    for file in (ROOT / "sealtool").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                yield from (one.name.partition(".")[0] for one in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield str(node.module).partition(".")[0]


def normalized(name: str) -> str:
    return name.lower().replace("_", "-")


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (one for name, some in project["optional-dependencies"].items() if name != "dev" for one in some)
    declared = {normalized(re.split(r"[\[<>=]", one)[0]) for one in (*project["dependencies"], *extras)}
    brought = {"dask": "distributed", "pkcs11": "pyhanko", "pydantic_core": "pydantic"}  # by the others, as their own
    libraries = set(imported()) - sys.stdlib_module_names - {"sealtool"}
    names = packages_distributions()
    missing = {
        library
        for library in libraries
        if declared.isdisjoint(map(normalized, (*names.get(library, [library]), brought.get(library, library))))
    }
    assert missing == set()
