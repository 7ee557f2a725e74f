"""Where a cluster is and how to reach it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of TLS, in PEM: both ends show a certificate of the cluster's own authority."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """A scheduler.

    Attributes:
        address: ``tls://host:port``, or ``tcp://`` to this machine.
        credentials: for ``tls://``.
        timeout_seconds: how long to wait for the scheduler, for a worker where there is none, and for first answers.
    """

    address: str
    credentials: Credentials | None = None
    timeout_seconds: float = 30.0
