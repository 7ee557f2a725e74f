import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sealtool.canonical import canonical_json
from sealtool.manifest import Manifest, RunEntry, _harmless, json_schema, parse_manifest

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
    assert _harmless(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert _harmless(text).removeprefix("'") in {text, text.removeprefix("'")}
