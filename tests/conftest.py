from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.ledgers import Place, postgresql_place, sqlite_place
from tests.postgresql import Cluster, throw_away_cluster

# Properties are held by the same examples each time; make fuzz looks for others.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1_000, deadline=None)
settings.load_profile("fixed")


@pytest.fixture(scope="session", autouse=True)
def impatience() -> Iterator[None]:
    """No test waits for a ledger that another run holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sealtool.ledger.locking.PATIENCE_SECONDS", 0.0)
        yield


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this process of tests alone."""
    with throw_away_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def empty_ledger(cluster: Cluster) -> str:
    """A database with an empty ledger, to be copied."""
    return cluster.database_with_ledger()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    """A place where a ledger can be, with nothing there: a file, or a new database."""
    if request.param == "sqlite":
        return sqlite_place(request.getfixturevalue("tmp_path"))
    return postgresql_place(request.getfixturevalue("cluster"))
