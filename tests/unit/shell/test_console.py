"""What commands print, apart from what they print it of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sealtool.cli.console import show_json

ROW = {"person_id": "10000000P", "areas": [{"area": 1, "evidence": ["ACT-1 «ñ»\n"]}]}


@pytest.mark.parametrize("rows", [0, 1, 20, 21, 500])
def test_a_document_is_json_however_long_its_lists_are(rows: int, capsys: pytest.CaptureFixture[str]) -> None:
    document: dict[str, Any] = {"schema": "test/1", "rows": [ROW] * rows, "nested": {"list": [1, [2]]}, "none": None}
    show_json(document)
    assert json.loads(capsys.readouterr().out) == document


def test_a_long_list_has_a_line_for_each_item(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"rows": [ROW] * 100})
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith('    {"person_id"') for line in lines) == 100


def test_an_empty_document_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({})
    assert json.loads(capsys.readouterr().out) == {}
