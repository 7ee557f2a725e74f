"""Workers on other machines: Dask's scheduler and workers behind :class:`concurrent.futures.Executor`.

The only user of ``distributed``. What goes out is what a worker needs: orders, templates' place, sealed files. What
comes back is data, never code; see :mod:`sealtool.cluster.door`. ADR 0017 says why.
"""

from sealtool.cluster.options import ClusterOptions
from sealtool.cluster.workers import ClusterExecutor, cluster_workers, insist_on_dask

__all__ = ["ClusterExecutor", "ClusterOptions", "cluster_workers", "insist_on_dask"]
