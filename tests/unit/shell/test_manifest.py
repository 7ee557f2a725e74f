import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sealtool.canonical import canonical_json
from sealtool.identifiers import new_certificate_id
from sealtool.manifest import (
    FIRST_OF_FORMULA,
    DocumentEntry,
    Manifest,
    RunEntry,
    SealEntry,
    ValideEntry,
    json_schema,
    parse_manifest,
)
from sealtool.spreadsheets import as_text

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


@pytest.fixture
def manifest() -> Manifest:
    run = RunEntry(
        run_id="20260302T030000Z-000001",
        created_at=datetime(2026, 3, 2, 3, 0, tzinfo=UTC),
        tool_version="0.1.0",
        rules_version="2025-10-27",
        rules_sha256="ab" * 32,
        inputs=(),
        counts={"issued": 0},
        ledger_sequence=1,
        ledger_head="cd" * 32,
        previous_manifest=None,
    )
    return Manifest(run=run, documents=())


def test_the_published_schema_is_that_of_the_code() -> None:
    published = json.loads((SCHEMAS / "manifest-1.schema.json").read_text(encoding="utf-8"))
    assert published == json_schema(), "run: make schemas"


def test_a_manifest_is_canonical_json_and_reads_back(manifest: Manifest) -> None:
    content = manifest.to_json()
    assert content.decode() == canonical_json(json.loads(content))
    assert parse_manifest(content) == manifest


@pytest.mark.parametrize("change", [{"schema": "sealtool.manifest/2"}, {"extra": 1}, {"run": {}}])
def test_anything_else_is_no_manifest(manifest: Manifest, change: dict[str, object]) -> None:
    document = json.loads(manifest.to_json()) | change
    with pytest.raises(ValueError, match=next(iter(change))):
        parse_manifest(json.dumps(document).encode())


@hypothesis_settings(derandomize=True, max_examples=100, deadline=None)
@given(st.text())
def test_no_cell_of_the_csv_is_a_formula(text: str) -> None:
    cell = as_text(text, FIRST_OF_FORMULA)
    assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert cell.removeprefix("'") in {text, text.removeprefix("'")}


@pytest.mark.parametrize("first", "=+-@\t\r")
def test_no_cell_of_the_table_is_a_formula_where_the_configuration_or_a_seal_says_one(
    manifest: Manifest, first: str
) -> None:
    hostile = f'{first}HYPERLINK("x");"y"'
    one = document(None)
    one = one.model_copy(
        update={
            "valide": one.valide.model_copy(update={"address": hostile, "expected_verdict": hostile}),
            "seal": one.seal.model_copy(update={"subject": hostile, "issuer": hostile}),
        }
    )
    table = manifest.model_copy(update={"documents": (one,)}).to_csv().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table, newline=""), delimiter=";"))
    assert [cell for row in rows for cell in row.values() if cell[:1] in set("=+-@\t\r")] == []
    assert rows[0]["valide.address"] == rows[0]["seal.subject"] == f"'{hostile}"


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "2026/B1/../../../etc/passwd",
        "2026/B1/../../x.pdf",
        "2026/../2026/X.pdf",
        "2026/B1/.pdf",
        "2026/B1/X.pdf\n",
        "2026/B1/X.pdf\0",
        "2026\\B1\\X.pdf",
        "./2026/B1/X.pdf",
        "manifests/X.pdf",
    ],
)
def test_a_manifest_lists_no_file_but_certificates_below_its_folder(manifest: Manifest, path: str) -> None:
    one = document(None).model_copy(update={"path": path})
    with pytest.raises(ValueError, match=r"documents\.0\.path"):
        parse_manifest(manifest.model_copy(update={"documents": (one,)}).to_json())


def document(provable_until: datetime | None) -> DocumentEntry:
    moment = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
    seal = SealEntry(
        subject="CN=x",
        organization_identifier="VATES-S0711001H",
        issuer="CN=y",
        serial_number="10",
        serial_number_hex="a",
        certificate_sha256="ab" * 32,
        policy_oids=(),
        qualified_statements=(),
        valid_from=moment,
        valid_until=moment,
        sub_filter="ETSI.CAdES.detached",
        pades_level="B-LTA",
        digest_algorithm="SHA-256",
        signature_algorithm="RSA with SHA-256",
        signing_time=None,
        time_stamp_at=None,
        time_stamp_authority="",
        signature_policy="",
    )
    facts = {
        "certificate_id": new_certificate_id(bytes),
        "path": "2026/B1/X.pdf",
        "sha256": "cd" * 32,
        "bytes": 1,
        "pages": 1,
        "level": "B1",
        "area": None,
        "languages": ("ca",),
        "state": "issued",
        "predecessor": None,
        "successor": None,
        "seal": seal,
        "valide": ValideEntry(address="x", expected_verdict="valid"),
        "provable_until": provable_until,
    }
    return DocumentEntry.model_validate(facts)


def header_of(manifest: Manifest) -> list[str]:
    return manifest.to_csv().decode("utf-8-sig").splitlines()[0].split(";")


def test_a_manifest_of_before_stays_what_it_is_and_its_table_too(manifest: Manifest) -> None:
    of_before = manifest.model_copy(update={"documents": (document(None),)})
    assert b"provable_until" not in of_before.to_json()
    assert "provable_until" not in header_of(of_before)
    assert parse_manifest(of_before.to_json()).to_csv() == of_before.to_csv()


def test_until_when_a_document_is_provable_is_listed_where_it_is_known(manifest: Manifest) -> None:
    moment = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)
    both = manifest.model_copy(update={"documents": (document(None), document(moment))})
    known = [one.provable_until for one in parse_manifest(both.to_json()).documents]
    assert known == [None, moment]
    assert "provable_until" in header_of(both)
    assert parse_manifest(both.to_json()).to_csv() == both.to_csv()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_documents_are_written_one_by_one_as_they_would_be_all_at_once(manifest: Manifest, count: int) -> None:
    several = manifest.model_copy(update={"documents": (document(None),) * count})
    assert several.to_json() == canonical_json(several.model_dump(mode="json", by_alias=True)).encode()
