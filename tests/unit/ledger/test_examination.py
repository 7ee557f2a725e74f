"""Whatever was changed behind the ledger's back is found and named: in the chain, and in every table."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import pytest

from sealtool.ledger import Act, ActKind, Custody, FindingCode, Ledger, LedgerFinding, Renewed, Reservation, examination
from sealtool.ledger.events import event_hash
from sealtool.model import Area, Assessment, CertificateId, CoveredArea, Decision, Level, PersonId, Procedure
from tests.ledgers import Place
from tests.unit.ledger.conftest import NOW, RUN, sealed

A, B = "10000000P", "10000001D"
ENDS = datetime(2031, 5, 4, tzinfo=UTC)

# 1 run started, 2 reserved A, 3 reserved B, 4 sealed A, 5 issued A, 6 register, 7 renewal announced


@pytest.fixture
def told(ledger: Ledger, reserve: Callable[..., Reservation], ledger_place: Place) -> Ledger:
    """A ledger with a row in every table, which nobody has touched; what refuses changes of events is taken away."""
    reserve("A", A)
    reserve("B", B)
    ledger.record_sealed(RUN, [sealed("A")], at=NOW)
    ledger.record_issued(RUN, [CertificateId("A")], at=NOW)
    area = Assessment(Level.B1, (CoveredArea(Area(1), date(2025, 1, 1), Procedure.TRAINING, ("ACT-1",)),), ())
    ledger.record_register(RUN, [(PersonId(A), area)], "2025-10-27", at=NOW)
    renewed = Renewed("2026/B1/A.pdf", "ef" * 32, "ab" * 32, 2000, {"pades_level": "B-LTA"}, ENDS)
    ledger.announce_renewals(RUN, [renewed], at=NOW)
    ledger_place.disarm()
    return ledger


def findings(ledger: Ledger) -> Sequence[LedgerFinding]:
    return Custody(ledger).findings()


def test_nothing_speaks_against_a_ledger_that_nobody_touched(told: Ledger) -> None:
    assert findings(told) == ()


def test_nothing_speaks_against_what_comes_after(told: Ledger) -> None:
    told.confirm_renewals(RUN, ["2026/B1/A.pdf"], at=NOW)
    told.note_provable_until(RUN, [("2026/B1/A.pdf", ENDS)], at=NOW)
    told.announce_manifest(RUN, ["2026/B1/A.pdf"], {"manifests/x.json": "00" * 32}, at=NOW)
    told.confirm_manifest(RUN, "00" * 32, at=NOW)
    told.record_sealed(RUN, [sealed("B")], at=NOW)
    told.record_unpublished(RUN, [CertificateId("B")], at=NOW)
    told.release(RUN, [CertificateId("B")], at=NOW)
    told.record_register(RUN, [(PersonId(A), Assessment(Level.B1, (), ()))], "2025-10-27", at=NOW)
    assert findings(told) == ()


# --- the chain ------------------------------------------------------------------------------------


def test_an_edited_event_is_named(told: Ledger, ledger_place: Place) -> None:
    ledger_place.execute("UPDATE events SET at = '2020-01-01T00:00:00+00:00' WHERE sequence = 4")
    assert [(one.code, one.sequence, one.kind, one.certificate_id) for one in findings(told)] == [
        (FindingCode.EVENT_EDITED, 4, "sealed", "A")
    ]


def test_an_event_that_was_written_anew_with_its_hash_is_named(told: Ledger, ledger_place: Place) -> None:
    (row,) = ledger_place.execute(
        "SELECT sequence, at, run_id, kind, certificate_id, payload, previous_hash FROM events WHERE sequence = 5"
    )
    forged = [*row[:1], "2020-01-01T00:00:00+00:00", *row[2:]]
    ledger_place.execute(f"UPDATE events SET at = '{forged[1]}', hash = '{event_hash(forged)}' WHERE sequence = 5")  # noqa: S608 - ours
    assert [(one.code, one.sequence) for one in findings(told)] == [(FindingCode.EVENT_EDITED, 5)]


def test_removed_events_are_named(told: Ledger, ledger_place: Place) -> None:
    ledger_place.execute("DELETE FROM events WHERE sequence IN (1, 6)")
    removed = [one.sequence for one in findings(told) if one.code is FindingCode.EVENT_REMOVED]
    assert removed == [1, 6]


def test_a_number_far_behind_the_others_is_told_in_two_lines(told: Ledger, ledger_place: Place) -> None:
    ledger_place.execute(f"UPDATE events SET sequence = {2**31 - 2} WHERE sequence = 3")  # noqa: S608 - ours
    moved, removed = sorted(findings(told), key=lambda one: one.sequence or 0)
    assert (moved.code, moved.sequence, moved.certificate_id) == (FindingCode.EVENT_MOVED, 3, "B")
    assert (removed.code, removed.message) == (FindingCode.EVENT_REMOVED, f"Events 8 to {2**31 - 3} were removed.")


def test_a_removed_end_of_the_chain_shows_in_the_tables(told: Ledger, ledger_place: Place) -> None:
    ledger_place.execute("DELETE FROM events WHERE sequence > 4")
    assert {one.code for one in findings(told)} == {FindingCode.ROW_DIFFERS, FindingCode.ROW_WITHOUT_EVENT}


def test_events_that_changed_places_are_named_with_their_numbers(told: Ledger, ledger_place: Place) -> None:
    for before, after in ((2, -3), (3, 2), (-3, 3)):
        ledger_place.execute(f"UPDATE events SET sequence = {after} WHERE sequence = {before}")  # noqa: S608 - ours
    moved = [(one.code, one.sequence, one.certificate_id) for one in findings(told)]
    assert moved == [(FindingCode.EVENT_MOVED, 3, "B"), (FindingCode.EVENT_MOVED, 2, "A")]


def test_what_is_not_found_in_so_many_tries_in_all_is_told_as_changed(
    told: Ledger, ledger_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for before, after in ((2, -3), (3, 2), (-3, 3)):
        ledger_place.execute(f"UPDATE events SET sequence = {after} WHERE sequence = {before}")  # noqa: S608 - ours
    ledger_place.execute("UPDATE events SET run_id = 'x' WHERE sequence > 3")
    tried: list[Sequence[object]] = []

    def counting(fields: Sequence[object]) -> str:
        tried.append(fields)
        return event_hash(fields)

    monkeypatch.setattr(examination, "event_hash", counting)
    monkeypatch.setattr(examination, "_TRIES", 2)
    assert [(one.code, one.sequence) for one in findings(told)][:3] == [
        (FindingCode.EVENT_MOVED, 3),
        (FindingCode.EVENT_EDITED, 3),
        (FindingCode.EVENT_EDITED, 4),
    ]
    assert len(tried) == 7 + 2


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)  # PostgreSQL has no such number in this column
def test_a_number_farther_off_than_any_length_is_told_in_two_lines(told: Ledger, ledger_place: Place) -> None:
    ledger_place.execute(f"UPDATE events SET sequence = {-(2**63)} WHERE sequence = 3")  # noqa: S608 - ours
    assert [one.code for one in findings(told)] == [FindingCode.EVENT_REMOVED, FindingCode.EVENT_MOVED]


def test_an_event_that_only_a_later_sealtool_knows_is_told(told: Ledger, ledger_place: Place) -> None:
    from sealtool.ledger.events import Event, append_events  # noqa: PLC0415 - as a later one would

    with told._transaction() as connection:
        append_events(connection, RUN, [Event("beamed_up", {})], at=NOW)
    assert [(one.code, one.kind) for one in findings(told)] == [(FindingCode.EVENT_UNKNOWN, "beamed_up")]


@pytest.mark.parametrize("change", ["generation = 2", "predecessor_id = 'B'", "predecessor_id = NULL"])
def test_another_place_in_the_line_of_a_certificate_and_its_reissues_is_named(
    told: Ledger, decide: Callable[..., Decision], ledger_place: Place, change: str
) -> None:
    again = Reservation(CertificateId("C"), decide(A), CertificateId("A"))
    told.reserve_reissue(RUN, again, Act(ActKind.REISSUE, "It was wrong.", "the office", "somebody"), at=NOW)
    assert findings(told) == ()
    ledger_place.execute(f"UPDATE certificates SET {change} WHERE certificate_id = 'C'")  # noqa: S608 - ours
    (one,) = findings(told)
    assert (one.code, one.kind, one.certificate_id) == (FindingCode.ROW_DIFFERS, "reissue_decided", "C")


# --- the tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)  # what is compared is the same from either database
@pytest.mark.parametrize(
    ("change", "column", "sequence", "certificate_id"),
    [
        ("UPDATE runs SET command = 'issue C2'", "command", 1, None),
        ("UPDATE runs SET rules_version = '1999-01-01'", "rules_version", 1, None),
        ("UPDATE runs SET manifest = '{}'", "manifest", 1, None),
        ("UPDATE runs SET state = 'finished'", "state", 1, None),
        ("UPDATE register SET obtained_on = '2020-01-01'", "obtained_on", 6, None),
        ("UPDATE certificates SET state = 'issued' WHERE certificate_id = 'B'", "state", 3, "B"),
        ("UPDATE certificates SET person_id = '10000002X' WHERE certificate_id = 'B'", "person_id", 3, "B"),
        ("UPDATE certificates SET level = 'C1' WHERE certificate_id = 'A'", "level", 5, "A"),
        ("UPDATE certificates SET area = 3 WHERE certificate_id = 'A'", "area", 5, "A"),
        ("UPDATE certificates SET issued_on = '2020-01-01' WHERE certificate_id = 'A'", "issued_on", 5, "A"),
        ("UPDATE certificates SET generation = 1 WHERE certificate_id = 'A'", "generation", 5, "A"),
        ("UPDATE certificates SET predecessor_id = 'B' WHERE certificate_id = 'A'", "predecessor_id", 5, "A"),
        ("UPDATE certificates SET successor_id = 'B' WHERE certificate_id = 'A'", "successor_id", 5, "A"),
        ("UPDATE certificates SET issued_on = '2020-01-01' WHERE certificate_id = 'B'", "issued_on", 3, "B"),
        ("UPDATE certificates SET issued_run = 'x' WHERE certificate_id = 'B'", "issued_run", 3, "B"),
        ("UPDATE certificates SET rules_version = 'x' WHERE certificate_id = 'A'", "rules_version", 5, "A"),
        (
            "UPDATE certificates SET decision = replace(decision, 'Aina', 'Ona') WHERE certificate_id = 'A'",
            "decision",
            5,
            "A",
        ),
        ("UPDATE documents SET sha256 = 'ff'", "sha256", 4, "A"),
        ("UPDATE documents SET size = 1", "size", 4, "A"),
        ("UPDATE documents SET pages = 9", "pages", 4, "A"),
        ("UPDATE documents SET languages = 'es'", "languages", 4, "A"),
        ('UPDATE documents SET seal = \'{"subject": "X"}\'', "seal", 4, "A"),
        ("UPDATE documents SET provable_until = '2099-01-01'", "provable_until", 4, "A"),
        ("UPDATE renewals SET sha256 = 'ff'", "sha256", 7, "A"),
        ("UPDATE renewals SET provable_until = '2099-01-01'", "provable_until", 7, "A"),
    ],
)
def test_an_edited_row_is_named_with_its_column_and_the_last_event_about_it(  # noqa: PLR0917 - the cases
    told: Ledger, ledger_place: Place, change: str, column: str, sequence: int, certificate_id: str | None
) -> None:
    ledger_place.execute(change)
    (one,) = findings(told)
    assert (one.code, one.sequence, one.certificate_id) == (FindingCode.ROW_DIFFERS, sequence, certificate_id)
    assert f"{column} differs" in one.message or f", {column}" in one.message or f": {column}" in one.message


@pytest.mark.parametrize("table", ["renewals", "register", "documents", "certificates", "runs"])
def test_a_removed_row_is_found_in_every_table(told: Ledger, ledger_place: Place, table: str) -> None:
    for needing in {"documents": ["renewals"], "certificates": ["renewals", "documents"]}.get(table, []):
        ledger_place.execute(f"DELETE FROM {needing}")  # noqa: S608 - ours
    before = len(findings(told))
    ledger_place.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
    found = findings(told)
    assert len(found) > before
    assert {one.code for one in found} == {FindingCode.ROW_MISSING}
    assert all(one.sequence for one in found)


@pytest.mark.parametrize(
    "row",
    [
        """INSERT INTO register SELECT '10000009R', level, area, obtained_on, procedures, evidence, rules_version,
        run_id FROM register""",
        """INSERT INTO runs SELECT '29990101T000000Z-000000', command, started_at, finished_at, state, tool_version,
        rules_version, rules_sha256, sources, counts, manifest, manifest_sha256 FROM runs""",
        """INSERT INTO certificates SELECT 'Z', '10000009R', level, area, generation, state, decision, fingerprint,
        rules_version, reserved_run, issued_run, issued_on, predecessor_id, successor_id FROM certificates
        WHERE certificate_id = 'B'""",
        """INSERT INTO documents SELECT '2026/B1/Z.pdf', certificate_id, sha256, size, pages, languages, seal,
        manifest_run, provable_until FROM documents""",
    ],
    ids=["register", "runs", "certificates", "documents"],
)
def test_a_row_that_no_event_tells_of_is_found(told: Ledger, ledger_place: Place, row: str) -> None:
    ledger_place.execute(row)
    (one,) = findings(told)
    assert one.code is FindingCode.ROW_WITHOUT_EVENT


@pytest.mark.parametrize("decision", ["{", "{}", "[]", "7", pytest.param("[" * 3000, id="deep")])
def test_a_decision_that_cannot_be_read_any_more_is_named_like_any_other_change(
    told: Ledger, ledger_place: Place, decision: str
) -> None:
    ledger_place.execute(f"UPDATE certificates SET decision = '{decision}' WHERE certificate_id = 'A'")  # noqa: S608
    (found,) = findings(told)
    assert (found.code, found.certificate_id) == (FindingCode.ROW_DIFFERS, "A")
    assert "decision differs" in found.message


def test_no_finding_names_a_person(told: Ledger, ledger_place: Place) -> None:
    ledger_place.execute("UPDATE register SET obtained_on = '2020-01-01'")
    ledger_place.execute("UPDATE certificates SET person_id = '10000002X' WHERE certificate_id = 'B'")
    assert len(findings(told)) == 2
    for one in findings(told):
        assert not any(person in one.message for person in (A, B, "10000002X", "Aina"))
