"""The workers of a cluster, where one is configured: all that `issue` and `verify` ask of it before the work begins."""

from __future__ import annotations

from typing import Final

from sealtool.checkup.findings import Finding, ok
from sealtool.checkup.installation import Installation
from sealtool.cluster import insist_on_dask
from sealtool.errors import ConfigurationError
from sealtool.regular_files import open_regular_file

CLUSTER_ACCESS: Final = "cluster-access"
CLUSTER_WORKERS: Final = "cluster-workers"


def access(installation: Installation) -> Finding:
    """Whether there is all on this machine that a connection takes: the library, and the files of TLS."""
    insist_on_dask()
    settings = installation.settings.cluster
    if not settings.is_protected:
        return ok(
            CLUSTER_ACCESS, f"Dask is installed; {settings.address} is on this machine and needs no files of TLS."
        )
    for name, path in (("ca", settings.ca), ("certificate", settings.certificate), ("key", settings.key)):
        if path is None:
            continue
        try:
            with open_regular_file(path) as file:
                file.read(1)
        except OSError as error:
            raise ConfigurationError(
                f"The file of cluster.{name}, {path}, cannot be read: {error.strerror}. Without it there is no "
                "connection to the cluster.",
                advice="Check its path, and that the user of sealtool may read it.",
            ) from error
    return ok(CLUSTER_ACCESS, "Dask is installed, and the three files of TLS can be read.")


def workers(installation: Installation) -> Finding:
    """Whether the scheduler answers soon, how many workers it has, and whether all are like this machine."""
    with installation.cluster() as found:
        count = "1 worker" if found.workers == 1 else f"{found.workers} workers"
        return ok(
            CLUSTER_WORKERS,
            f"{installation.settings.cluster.address} has {count}, for {found.places} certificates at a time, with the "
            "program, libraries, fonts and templates of this machine.",
        )
