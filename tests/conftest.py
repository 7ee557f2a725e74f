import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.ledgers import Place, postgresql_place, sqlite_place
from tests.postgresql import Cluster, throw_away_cluster

# Properties are held by the same examples each time; make fuzz looks for others.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1_000, deadline=None)
settings.load_profile("fixed")


def pytest_collection_finish() -> None:
    """A tenth of the time of all tests went into looking for garbage among what was imported and collected.

    That stays until the end, so it need not be looked through again and again: it is set aside once, and what the
    tests make is looked through less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


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
