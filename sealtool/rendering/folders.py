"""Where templates and their resources come from: the template folders, and nowhere else on the machine."""

from __future__ import annotations

import hashlib
import importlib.resources
from pathlib import Path, PurePosixPath

from sealtool.errors import TemplateError
from sealtool.regular_files import real_path


class TemplateFolders:
    """The deployment's folder, when there is one, in front of the packaged one.

    Args:
        own: the deployment's folder, or None.

    Raises:
        TemplateError: ``own`` is no folder.
    """

    def __init__(self, own: Path | None) -> None:
        packaged = Path(str(importlib.resources.files("sealtool"))) / "templates"
        if own is not None and not own.is_dir():
            raise TemplateError(
                f"The template folder {own} does not exist or is no folder, so no certificate can be laid out.",
                advice="Correct `templates` in the section [rendering] of the configuration, or remove it.",
            )
        self._roots = tuple(real_path(folder) for folder in (own, packaged) if folder is not None)

    def find(self, name: str) -> Path:
        """The file that a template name or relative address stands for.

        Args:
            name: a path relative to a template folder, with forward slashes, e.g. ``ca/certificate.html``.

        Raises:
            TemplateError: no folder has it, or it lies outside of the folder it was found in.
        """
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts or "\\" in name or "\0" in name:
            raise _outside(name)
        for root in self._roots:
            path = root / relative
            if path.is_file():
                # A link inside the folder may point anywhere: what counts is where the bytes really lie.
                if not real_path(path).is_relative_to(root):
                    raise _outside(name)
                return path
        raise TemplateError(
            f"The template file {name} does not exist in {' nor in '.join(map(str, self._roots))}.",
            advice="Create it, or correct the template that names it.",
        )

    def digest(self) -> str:
        """One for all files that certificates may be made of, by name and content, wherever the folders lie."""
        found = {path.relative_to(root).as_posix(): path for root in reversed(self._roots) for path in root.rglob("*")}
        digest = hashlib.sha256()
        for name, path in sorted(found.items()):
            if path.is_file():
                digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
        return digest.hexdigest()[:16]


def _outside(name: str) -> TemplateError:
    return TemplateError(
        f"A template asks for «{name}», which is not a file inside the template folder. "
        "Certificates are laid out from these files alone, so that nothing else can get into them.",
        advice='Copy the resource into the template folder and name it by its path there, e.g. src="emblem.svg".',
    )
