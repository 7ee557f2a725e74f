"""Rows in which somebody has written are named in a plain message, whoever reads them; nothing else comes of them."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy

from sealtool.errors import ExitCode, LedgerInconsistentError
from sealtool.ledger import (
    Act,
    ActKind,
    Custody,
    FindingCode,
    Ledger,
    Renewed,
    Reservation,
)
from sealtool.ledger.certificates import area_of
from sealtool.ledger.events import event_hash
from sealtool.ledger.tables import metadata
from sealtool.model import Assessment, CertificateId, CoveredArea, Decision, Level, PersonId, Procedure
from tests.ledgers import Place
from tests.unit.ledger.conftest import NOW, RUN, sealed

ENDS = datetime(2031, 5, 4, tzinfo=UTC)
_SET_BEFORE_ALL = "UPDATE {} SET {} = '0001-01-01T00:00:00+14:00'"
"""A moment that no calendar has in UTC."""
Read = Callable[[Ledger], object]

READERS: dict[str, Read] = {
    "register": lambda ledger: list(ledger.register_entries(list(Level))),
    "statistics": lambda ledger: ledger.statistics(),
    "on record": lambda ledger: ledger.certificates_on_record(list(Level)),
    "story": lambda ledger: ledger.story(CertificateId("A")),
    "acts": lambda ledger: ledger.story(CertificateId("B")),
    "reissues": lambda ledger: ledger.pending_reissues(),
    "counts": lambda ledger: ledger.counts_by_level_and_state(),
    "runs": lambda ledger: ledger.last_runs(5),
    "rows": lambda ledger: ledger.last_row_counts(),
    "entries": lambda ledger: ledger.entries(),
    "documents": lambda ledger: ledger.documents_on_record(),
    "months": lambda ledger: ledger.renewals_by_month(),
    "manifests": lambda ledger: ledger.manifest_files(),
    "last event": lambda ledger: ledger.last_event_at(),
}


@pytest.fixture
def filled(
    ledger: Ledger, reserve: Callable[..., Reservation], decide: Callable[..., Decision], ledger_place: Place
) -> Ledger:
    """A row in every table: A is issued, B revoked, and C is to take the place of A."""
    reserve("A", "10000000P")
    reserve("B", "10000001D")
    ledger.record_sealed(RUN, [replace(sealed(one), provable_until=ENDS) for one in "AB"], at=NOW)
    ledger.record_issued(RUN, [CertificateId("A"), CertificateId("B")], at=NOW)
    act = Act(ActKind.REVOCATION, "It was wrong.", "the office", "somebody")
    ledger.revoke(RUN, CertificateId("B"), act, at=NOW)
    again = Act(ActKind.REISSUE, "It was wrong.", "the office", "somebody")
    ledger.reserve_reissue(RUN, Reservation(CertificateId("C"), decide(), CertificateId("A")), again, at=NOW)
    area = CoveredArea(next(iter(decide().areas)).area, decide().accredited_on, Procedure.TRAINING, ("ACT-1",))
    ledger.record_register(RUN, [(PersonId("10000002A"), Assessment(Level.A1, (area,), ()))], "2025-10-27", at=NOW)
    renewed = Renewed("2026/B1/A.pdf", "ef" * 32, "ab" * 32, 2000, {"pades_level": "B-LTA"}, ENDS)
    ledger.announce_renewals(RUN, [renewed], at=NOW)
    ledger.confirm_renewals(RUN, ["2026/B1/A.pdf"], at=NOW)
    ledger.announce_manifest(RUN, ["2026/B1/A.pdf"], {"manifests/x.json": "00" * 32}, at=NOW)
    ledger.confirm_manifest(RUN, "00" * 32, at=NOW)
    ledger_place.disarm()
    return ledger


def decision(**changed: object) -> str:
    """A decision as the ledger keeps it, in which somebody has changed something."""
    area = {"area": 1, "covered_on": "2025-03-12", "procedure": "test", "evidence": []}
    person = {"person_id": "10000000P", "given_name": "Aina", "first_surname": "Fictícia", "second_surname": ""}
    facts: dict[str, object] = {"person_id": "10000000P", "level": "B1", "area": None, "accredited_on": "2025-03-12"}
    return json.dumps(facts | {"procedures": ["test"], "areas": [area], "person": person} | changed)


DECISIONS = (
    "[]",
    "5",
    "{}",
    "{",
    decision(person=None),
    decision(person={"person_id": "10000000P"}),
    decision(areas={"1": "2025-03-12"}),
    decision(areas=[1]),
    decision(procedures="test"),
    decision(accredited_on=20250312),
)


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)  # it is the same text in either database
@pytest.mark.parametrize("changed", DECISIONS)
@pytest.mark.parametrize("reader", ["register", "statistics", "on record", "story"])
def test_whose_decision_cannot_be_read_is_named_by_the_number_of_the_certificate(
    filled: Ledger, ledger_place: Place, reader: str, changed: str
) -> None:
    ledger_place.execute(f"UPDATE certificates SET decision = '{changed}' WHERE certificate_id = 'A'")  # noqa: S608 - ours
    with pytest.raises(LedgerInconsistentError) as caught:
        READERS[reader](filled)
    assert f"The ledger {filled.name} was changed outside sealtool: what is written there of certificate A" in str(
        caught.value
    )
    assert "ledger verify" in caught.value.advice
    assert "10000000P" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.LEDGER


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("reader", "statement", "named"),
    [
        ("reissues", "UPDATE certificates SET decision = '[]' WHERE certificate_id = 'C'", "certificate C"),
        ("acts", "UPDATE acts SET upheld = '{}'", "revocation of certificate B"),
        ("on record", "UPDATE certificates SET state = 'x' WHERE certificate_id = 'A'", "certificate A"),
        ("counts", "UPDATE certificates SET state = 'x' WHERE certificate_id = 'A'", "certificates at level B1"),
        ("statistics", "UPDATE certificates SET issued_on = 'x' WHERE certificate_id = 'A'", "certificate A"),
        ("register", "UPDATE register SET procedures = '{}'", "a line of the register (A1, area 1)"),
        ("register", "UPDATE register SET procedures = '[]'", "a line of the register (A1, area 1)"),
        ("runs", "UPDATE runs SET counts = '[]'", f"run {RUN}"),
        ("runs", """UPDATE runs SET counts = '{"held": "many"}'""", f"run {RUN}"),
        ("runs", """UPDATE runs SET counts = '{"message": 5}'""", f"run {RUN}"),
        ("runs", "UPDATE runs SET command = ' '", f"run {RUN}"),
        ("runs", "UPDATE runs SET state = 'x'", f"run {RUN}"),
        ("runs", "UPDATE runs SET started_at = 'yesterday'", f"run {RUN}"),
        ("runs", "UPDATE runs SET started_at = '2026-03-02'", f"run {RUN}"),
        ("runs", "UPDATE runs SET started_at = ''", f"run {RUN}"),
        ("runs", "UPDATE runs SET finished_at = ''", f"run {RUN}"),
        ("runs", _SET_BEFORE_ALL.format("runs", "started_at"), f"run {RUN}"),
        ("runs", "UPDATE runs SET started_at = '0001-01-01T00:00:00+00:00'", f"run {RUN}"),
        ("runs", "UPDATE runs SET finished_at = '9999-12-31T23:59:59+00:00'", f"run {RUN}"),
        ("rows", "UPDATE runs SET sources = '{}'", f"run {RUN}"),
        ("rows", """UPDATE runs SET sources = '[{"name": "people.csv"}]'""", f"run {RUN}"),
        ("manifests", "UPDATE runs SET manifest = '[]'", f"run {RUN}"),
        ("entries", "UPDATE documents SET seal = '[]' WHERE path = '2026/B1/A.pdf'", "document 2026/B1/A.pdf"),
        ("documents", "UPDATE documents SET seal = '{}' WHERE path = '2026/B1/A.pdf'", "document 2026/B1/A.pdf"),
        ("documents", "UPDATE documents SET provable_until = 'x'", "document 2026/B1/A.pdf"),
        ("documents", _SET_BEFORE_ALL.format("documents", "provable_until"), "document 2026/B1/A.pdf"),
        ("statistics", "UPDATE certificates SET issued_on = '20260302' WHERE certificate_id = 'A'", "certificate A"),
        (
            "statistics",
            "UPDATE certificates SET issued_on = 'x', predecessor_id = 'B' WHERE certificate_id = 'A'",
            "certificate A",
        ),
        ("statistics", "UPDATE runs SET state = 'x'", "runs of state x"),
        ("months", "UPDATE documents SET provable_until = 'x'", "document 2026/B1/A.pdf"),
        ("last event", "UPDATE events SET at = 'x'", "event "),
    ],
)
def test_whatever_else_cannot_be_read_is_named_likewise(
    filled: Ledger, ledger_place: Place, reader: str, statement: str, named: str
) -> None:
    ledger_place.execute(statement)
    with pytest.raises(LedgerInconsistentError, match=f"what is written there of {re.escape(named)}.* cannot be read"):
        READERS[reader](filled)


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)  # PostgreSQL refuses octets in a column of texts
@pytest.mark.parametrize("table", [table.name for table in metadata.sorted_tables if table.name != "renewals"])
def test_octets_in_the_place_of_a_text_are_not_taken_for_one(filled: Ledger, ledger_place: Place, table: str) -> None:
    for (column,) in ledger_place.execute(f"SELECT name FROM pragma_table_info('{table}') WHERE type <> 'INTEGER'"):  # noqa: S608 - ours
        row, before = ledger_place.execute(f"SELECT rowid, quote({column}) FROM {table}")[0]  # noqa: S608 - ours
        ledger_place.execute(f"UPDATE {table} SET {column} = x'00ff' WHERE rowid = {row}")  # noqa: S608 - ours
        for read in READERS.values():
            with suppress(LedgerInconsistentError):
                read(filled)
        findings = Custody(filled).findings()
        assert findings
        assert json.dumps([(one.message, one.kind, one.certificate_id) for one in findings])
        ledger_place.execute(f"UPDATE {table} SET {column} = {before} WHERE rowid = {row}")  # noqa: S608 - ours


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("column", "read"),
    [
        ("run_id", Ledger.newest_run_id),
        ("run_id", Ledger.last_manifest),
        ("manifest_sha256", Ledger.last_manifest),
    ],
)
def test_nor_are_they_where_a_run_goes_on_from_the_last_one(
    filled: Ledger, ledger_place: Place, column: str, read: Read
) -> None:
    ledger_place.execute(f"UPDATE runs SET {column} = x'00ff'")  # noqa: S608 - ours
    with pytest.raises(LedgerInconsistentError, match=r"written there of run .* cannot be read"):
        read(filled)


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("run_id", ["", "x", "20260230T120000Z-abcdef"])
def test_a_run_id_that_names_no_moment_is_none_behind_which_another_run_could_begin(
    filled: Ledger, ledger_place: Place, run_id: str
) -> None:
    ledger_place.execute(f"UPDATE runs SET run_id = '{run_id}'")  # noqa: S608 - ours
    with pytest.raises(LedgerInconsistentError, match=f"written there of run {run_id} cannot be read"):
        filled.newest_run_id()


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("column", "value"), [("run_id", "x"), ("manifest_sha256", ""), ("manifest_sha256", "AB" * 32)]
)
def test_a_manifest_that_the_next_one_could_not_name_is_none(
    filled: Ledger, ledger_place: Place, column: str, value: str
) -> None:
    ledger_place.execute(f"UPDATE runs SET {column} = '{value}'")  # noqa: S608 - ours
    with pytest.raises(LedgerInconsistentError, match=r"written there of run .* cannot be read"):
        filled.last_manifest()


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", ["area", "obtained_on", "procedures", "evidence", "rules_version", "run_id"])
def test_a_line_of_the_register_with_octets_is_not_replaced_by_another_one(
    filled: Ledger, ledger_place: Place, column: str
) -> None:
    ledger_place.execute(f"UPDATE register SET {column} = x'00ff'")  # noqa: S608 - ours
    before = ledger_place.execute("SELECT * FROM register")
    nothing = [(PersonId("10000002A"), Assessment(Level.A1, (), ()))]
    with pytest.raises(LedgerInconsistentError, match=r"written there of a line of the register .* cannot be read"):
        filled.record_register(RUN, nothing, "2025-10-27", at=NOW)
    assert ledger_place.execute("SELECT * FROM register") == before


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("read", [Ledger.issued_paths, Ledger.document_paths])
def test_nor_are_they_where_a_path_belongs(filled: Ledger, ledger_place: Place, read: Read) -> None:
    ledger_place.execute("UPDATE documents SET path = x'00ff' WHERE path = '2026/B1/B.pdf'")
    with pytest.raises(LedgerInconsistentError, match=r"written there of document .* cannot be read"):
        read(filled)


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)
def test_nor_are_they_for_the_hash_that_the_next_event_builds_on(filled: Ledger, ledger_place: Place) -> None:
    number, _ = filled.head()
    ledger_place.execute("UPDATE events SET hash = x'00ff'")
    with pytest.raises(LedgerInconsistentError, match=f"written there of event {number} cannot be read"):
        filled.head()
    assert Custody(filled).head() == (number, "b'\\x00\\xff'")


def test_a_text_in_the_place_of_an_area_is_none() -> None:
    """PostgreSQL refuses one."""
    row = sqlalchemy.select(sqlalchemy.literal("first").label("area"))
    with sqlalchemy.create_engine("sqlite://").connect() as connection, pytest.raises(TypeError):
        area_of(connection.execute(row).one())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE certificates SET decision = '[]' WHERE certificate_id = 'A'",
        "UPDATE documents SET seal = '[]' WHERE path = '2026/B1/A.pdf'",
        "UPDATE runs SET manifest = '[]'",
        "UPDATE acts SET upheld = '{}' WHERE certificate_id = 'B'",
        "UPDATE register SET procedures = '{}'",
    ],
)
def test_an_examination_tells_of_it_and_goes_on(filled: Ledger, ledger_place: Place, statement: str) -> None:
    custody = Custody(filled)
    assert custody.findings() == ()
    ledger_place.execute(statement)
    assert [one.code for one in custody.findings()] == [FindingCode.ROW_DIFFERS]
    custody.listed_documents()
    custody.manifests()


def test_a_moment_is_read_in_utc(filled: Ledger, ledger_place: Place) -> None:
    ledger_place.execute("UPDATE runs SET started_at = '2026-03-02T01:30:00+02:00'")
    assert [one.started_at.isoformat() for one in filled.last_runs(5)] == ["2026-03-01T23:30:00+00:00"]


def test_the_end_of_a_certificate_that_has_none_is_a_moment_like_any_other(filled: Ledger, ledger_place: Place) -> None:
    """RFC 5280, 4.1.2.5."""
    ledger_place.execute("UPDATE documents SET provable_until = '9999-12-31T23:59:59+00:00'")
    (first,) = filled.documents_on_record(limit=1)
    assert first.provable_until.year == 9999


PAYLOADS = ("[]", "5", "{}", '{"path": []}', '{"x_sha256": 5, "sources": 1}', "{", "[" * 3000, '{"path": "\\ud800"}')


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_an_examination_goes_on_where_an_event_tells_what_no_sealtool_writes(
    filled: Ledger, ledger_place: Place, payload: str
) -> None:
    """Also where whoever wrote it has made its hash anew."""
    for sequence, *fields in ledger_place.execute(
        "SELECT sequence, at, run_id, kind, certificate_id, payload, previous_hash FROM events ORDER BY sequence"
    ):
        fields[4] = payload
        ledger_place.execute(
            f"UPDATE events SET payload = '{payload}', hash = '{event_hash([sequence, *fields])}' "  # noqa: S608 - ours
            f"WHERE sequence = {sequence}"
        )
    codes = {one.code for one in Custody(filled).findings()}
    assert FindingCode.EVENT_EDITED in codes


def test_a_beginning_that_says_something_else_is_none(filled: Ledger, ledger_place: Place) -> None:
    ledger_place.execute("UPDATE events SET kind = 'rebuilt', payload = '[]' WHERE sequence = 1")
    assert filled.broken_link() is not None
    assert Custody(filled).rebuilt_from() is None
    assert FindingCode.EVENT_EDITED in {one.code for one in Custody(filled).findings()}
