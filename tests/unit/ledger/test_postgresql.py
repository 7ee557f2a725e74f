"""What only a server can do: be gone, hold nothing back, let somebody else in."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sealtool.errors import ConfigurationError, LedgerError, LedgerInconsistentError, LedgerLockedError
from sealtool.ledger import Custody, Ledger, Reservation, RunState, open_ledger
from sealtool.model import CertificateId, Decision, RunId
from tests.ledgers import Place, postgresql_place
from tests.postgresql import WITH_PASSWORD, Cluster
from tests.unit.ledger.conftest import FACTS, NOW, RUN

GUIDE = Path(__file__).parents[3] / "docs" / "administrator.md"
LATER = RunId("20260303T030000Z-000002")


@pytest.fixture
def ledger_place(cluster: Cluster, empty_ledger: str) -> Place:
    return postgresql_place(cluster, empty_ledger)


def end_sessions(place: Place) -> None:
    """As a server that is restarted, or a network that fails, does it."""
    place.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_a_run_that_lost_its_hold_can_write_no_more(ledger: Ledger, ledger_place: Place) -> None:
    before = ledger.head()
    with ledger.exclusive():
        end_sessions(ledger_place)
        for _ in range(3):  # SQLAlchemy would connect again at the second try
            with pytest.raises(LedgerError):
                ledger.begin_run(LATER, FACTS, at=NOW)
    with open_ledger(ledger_place.url) as again:
        assert again.head() == before


def test_the_server_lets_another_in_when_the_one_that_held_the_ledger_is_gone(
    ledger: Ledger, ledger_place: Place
) -> None:
    with ledger.exclusive():
        end_sessions(ledger_place)
        with open_ledger(ledger_place.url) as another, another.exclusive():
            another.begin_run(LATER, FACTS, at=NOW)
            for _ in range(2):
                with pytest.raises(LedgerError):
                    ledger.withdraw_manifest(RUN, at=NOW)
            assert another.head()[0] == 2


def test_whoever_comes_second_is_told_where_the_first_comes_from(ledger: Ledger, ledger_place: Place) -> None:
    with ledger.exclusive(), open_ledger(ledger_place.url) as another:
        assert another.is_held()
        with pytest.raises(LedgerLockedError, match="the machine of the database"), another.exclusive():
            pass
    assert not ledger.is_held()


def test_two_ledgers_on_one_server_have_two_locks(ledger: Ledger, cluster: Cluster, empty_ledger: str) -> None:
    with (
        ledger.exclusive(),
        open_ledger(postgresql_place(cluster, empty_ledger).url) as other,
        other.exclusive(),
    ):
        assert other.head()[0] == 0


def test_texts_are_ordered_by_their_bytes_whatever_the_server_is_used_to(ledger_place: Place) -> None:
    """Ids and moments are compared as text; in many a locale, hyphens and case do not count."""
    columns = ledger_place.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'sealtool' "
        "AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C'"
    )
    assert columns == []


def test_a_server_that_does_not_wait_for_its_disk_is_refused(ledger_place: Place) -> None:
    ledger_place.execute("ALTER ROLE postgres IN DATABASE " + _database(ledger_place) + " SET synchronous_commit = off")
    with pytest.raises(ConfigurationError, match="synchronous_commit"):
        open_ledger(ledger_place.url)


def _database(place: Place) -> str:
    ((name,),) = place.execute("SELECT quote_ident(current_database())")
    return str(name)


def test_a_refused_change_is_told_without_the_row_it_is_about(
    ledger: Ledger, reserve: Callable[..., Reservation]
) -> None:
    reserve("A", "10000000P")
    with pytest.raises(LedgerInconsistentError, match="one_certificate_each") as refused:
        reserve("B", "10000000P")
    assert "10000000P" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql+psycopg://u:geheim@db/x", "postgresql+psycopg://u@db/x?password=geheim"])
def test_a_password_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ledger\.password") as refused:
        open_ledger(url)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("url", ["mysql://u:geheim@db/x", "postgresql://u:geheim@db/x", "postgres:geheim"])
def test_an_address_of_another_kind_is_refused_and_its_secrets_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_ledger(url)
    assert "geheim" not in str(refused.value)


def test_a_server_that_is_not_there_is_told_in_plain_words() -> None:
    with pytest.raises(LedgerError, match="cannot be used") as refused:
        open_ledger("postgresql+psycopg://sealtool@127.0.0.1:9/sealtool", lambda: "geheim")
    assert "geheim" not in str(refused.value)


def test_without_the_library_of_the_extra_it_is_said_what_to_install(
    ledger_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match="extra `postgresql`"):
        open_ledger(ledger_place.url)


@pytest.fixture
def scribe(ledger_place: Place) -> str:
    """An address for a user from whom the server wants a password; it may do what the guide for administrators says."""
    user = f"{WITH_PASSWORD}_{_database(ledger_place)}"
    ledger_place.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'mot de passe' IN ROLE {WITH_PASSWORD}")
    ledger_place.execute(f"GRANT USAGE ON SCHEMA sealtool TO {user}")
    ledger_place.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA sealtool TO {user}")
    return ledger_place.url.replace("postgres@", f"{user}@")


def test_the_password_that_is_told_opens_the_database(scribe: str) -> None:
    with open_ledger(scribe, lambda: "mot de passe") as ledger:
        assert ledger.head()[0] == 0
        assert "mot de passe" not in f"{ledger.name} {ledger._engine!r}"


def test_a_wrong_password_is_told_and_not_repeated(scribe: str) -> None:
    with pytest.raises(LedgerError, match="password authentication failed") as refused:
        open_ledger(scribe, lambda: "mot de passé")
    assert "mot de" not in str(refused.value)


def test_without_a_password_of_its_own_the_file_of_libpq_is_asked(
    scribe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    file.write_text("*:*:*:*:mot de passe\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    with open_ledger(scribe) as ledger:
        assert ledger.head()[0] == 0


# --- the roles of the administrator's guide -------------------------------------------------------


def test_with_the_roles_of_the_guide_whoever_runs_sealtool_can_add_events_and_no_more(
    ledger_place: Place, decide: Callable[..., Decision]
) -> None:
    (_, grants) = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    user = f"runs_{_database(ledger_place)}"
    ledger_place.execute(f"CREATE ROLE {user} LOGIN")
    ledger_place.execute(re.sub(r"\b(TO|FROM) sealtool;", rf"\1 {user};", grants))
    with open_ledger(ledger_place.url.replace("postgres@", f"{user}@")) as ledger, ledger.exclusive():
        ledger.begin_run(RUN, FACTS, at=NOW)
        ledger.reserve(RUN, [Reservation(CertificateId("A"), decide())], at=NOW)
        ledger.end_run(RUN, RunState.FINISHED, {}, at=NOW)
        for change in ("UPDATE events SET at = ''", "DELETE FROM events", "DROP TRIGGER events_append_only ON events"):
            with pytest.raises(LedgerError, match=r"permission denied|must be owner"), ledger._transaction() as one:
                one.exec_driver_sql(change)
        assert Custody(ledger).findings() == ()
