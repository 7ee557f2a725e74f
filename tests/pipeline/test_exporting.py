"""``sealtool export``: what an archive takes in."""

import base64
import json
import stat
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from tests.pipeline.conftest import PEOPLE, Folder, call

A, B = PEOPLE[:2]


def test_every_document_is_exported_with_the_metadata_of_the_manifest(issued: Folder, tmp_path: Path) -> None:
    outcome = issued.call("export", "--eni", tmp_path / "eni", "--json")
    assert outcome.code == 0
    (manifest,) = issued.manifests
    listed = {entry["eni"]["Identificador"]: entry for entry in json.loads(manifest.read_bytes())["documents"]}
    assert sorted(outcome.json["written"]) == sorted(f"{identifier}.xml" for identifier in listed)
    for identifier, entry in listed.items():
        file = tmp_path / "eni" / f"{identifier}.xml"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        root = fromstring(file.read_bytes())  # noqa: S314 - our own output
        sealed = (issued.path / "out" / entry["path"]).read_bytes()
        assert base64.b64decode(root[0][0].text or "") == sealed
        assert [root[1][place].text for place in (1, 2)] == [identifier, *entry["eni"]["Organo"]]


def test_the_table_of_the_manifest_names_the_identifier_too(issued: Folder) -> None:
    (manifest,) = issued.manifests
    header = manifest.with_suffix(".csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert "eni.Identificador" in header.split(";")


def test_exporting_again_writes_nothing_new(issued: Folder, tmp_path: Path) -> None:
    issued.call("export", "--eni", tmp_path / "eni")
    again = issued.call("export", "--eni", tmp_path / "eni", "--json")
    assert (again.code, again.json["written"], again.json["unchanged"]) == (0, [], 2)


def test_a_renewed_document_is_exported_anew(issued: Folder, tmp_path: Path) -> None:
    issued.call("export", "--eni", tmp_path / "eni")
    assert issued.call("extend", "--force", issued.certificates[0]).code == 0
    again = issued.call("export", "--eni", tmp_path / "eni", "--json")
    assert (again.code, len(again.json["written"]), again.json["unchanged"]) == (0, 1, 1)


@pytest.mark.parametrize("missing", [False, True])
def test_what_is_not_what_was_issued_is_named_and_left_out(issued: Folder, tmp_path: Path, missing: bool) -> None:
    spoilt = issued.certificates[0]
    if missing:
        spoilt.unlink()
    else:
        spoilt.write_bytes(spoilt.read_bytes() + b" ")
    outcome = issued.call("export", "--eni", tmp_path / "eni", "--json")
    assert (outcome.code, len(outcome.json["written"])) == (1, 1)
    assert spoilt.stem in outcome.json["needs_human"][0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "--eni", "eni"),
        ("preview", "--level", "B1", "--output", "2026/C1"),
        ("register", "--output", "register.csv"),
        ("report", "--output", "manifests/report.html"),
        ("verify", "out", "--html", "report.html"),
        ("verify", "out", "--etsi", "report.xml"),
        ("ledger", "backup", "backup.jsonl"),
        ("ledger", "migrate", "backup.jsonl"),
    ],
    ids=" ".join,
)
def test_the_output_folder_is_no_place_for_anything_that_was_not_issued(
    issued: Folder, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(issued.path)
    before = sorted(issued.path.rglob("*"))
    outcome = issued.call(*arguments[:-1], f"out/{arguments[-1]}")
    assert outcome.code == 3
    assert "Name a place outside" in outcome.err
    assert sorted(issued.path.rglob("*")) == before


def test_without_a_configuration_no_folder_is_the_output_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEALTOOL_CONFIG", raising=False)
    assert call("preview", "--level", "B1", "--output", "out").code == 0
