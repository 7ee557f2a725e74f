"""Reads the registry export of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sealtool import registry
from sealtool.errors import ConfigurationError
from sealtool.model import Registry

if TYPE_CHECKING:
    from sealtool.workspace.front import Workspace


def read_registry(workspace: Workspace, folder: Path | None, previous_rows: Mapping[str, int] | None) -> Registry:
    """As :meth:`Workspace.read_registry`."""
    settings = workspace.settings.registry
    chosen = folder or settings.folder
    if chosen is None:
        raise ConfigurationError(
            "No registry export was named.", advice="Call with --registry DIR, or set registry.folder."
        )
    options = registry.RegistryOptions(
        encoding=settings.encoding, aliases=settings.aliases, max_shrink=settings.max_shrink
    )
    framework = workspace.rules.framework
    return registry.read_registry(chosen, options, framework, today=workspace.today(), previous_rows=previous_rows)
