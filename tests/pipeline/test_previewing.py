"""``sealtool preview`` needs nothing but templates."""

from importlib.resources import files
from pathlib import Path

import pytest

from tests.pipeline.conftest import call

pytestmark = pytest.mark.usefixtures("no_configuration")


def test_previews_need_no_configuration(tmp_path: Path) -> None:
    outcome = call("preview", "--level", "B1", "--level", "C2", "--area", "4", "--json")
    assert outcome.code == 0
    assert outcome.json["files"] == ["B1.ca-es.pdf", "C2-area-4.ca-es.pdf", "contact-sheet.png"]
    assert sorted(path.name for path in (tmp_path / "preview").iterdir()) == outcome.json["files"]
    assert (tmp_path / "preview" / "contact-sheet.png").read_bytes().startswith(b"\x89PNG")


def test_one_area_of_c2_in_one_language(tmp_path: Path) -> None:
    outcome = call("preview", "--level", "C2", "--area", "2", "--language", "es", "--output", "here", "--json")
    assert outcome.json["files"] == ["C2-area-2.es.pdf", "contact-sheet.png"]


@pytest.mark.parametrize("levels", [(), ("--level", "B1")])
@pytest.mark.parametrize("command", ["preview", "plan"])
def test_an_area_without_c2_is_wrong_usage_as_it_is_of_plan(command: str, levels: tuple[str, ...]) -> None:
    outcome = call(command, *levels, "--area", "2")
    assert (outcome.code, "--area means something at C2 only" in outcome.err) == (2, True)


@pytest.mark.parametrize(
    ("file", "mistake", "told"),
    [
        ("es/certificate.html", '{% extends "layout.html" %}\n{% set title = %}', "es/certificate.html, line 2"),
        ("layout.html", '<section><img src="https://192.0.2.1/logo.png" alt="x"></section>', "192.0.2.1"),
        ("layout.html", '<section><img src="../../secret.png" alt="x"></section>', "secret.png"),
        ("certificate.css", "p { colour: red }", "1:"),
        ("certificate.css", "section { break-after: page } p { font-size: 60pt }", "instead of"),
    ],
)
def test_a_mistake_in_a_template_is_named_with_its_place(tmp_path: Path, file: str, mistake: str, told: str) -> None:
    own = tmp_path / "own" / file
    own.parent.mkdir(parents=True)
    own.write_text(mistake, encoding="utf-8")
    (tmp_path / "sealtool.toml").write_text('[rendering]\ntemplates = "own"\n', encoding="utf-8")
    outcome = call("preview", "--level", "B1")
    assert outcome.code == 3 if "instead" not in told else outcome.code in {1, 3}
    assert told in outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "preview").exists()


def test_a_variable_that_does_not_exist_is_named_with_its_place(tmp_path: Path) -> None:
    packaged = (files("sealtool") / "templates" / "ca" / "certificate.html").read_text(encoding="utf-8")
    mistaken = packaged.replace("{{ person_id }}", "{{ persona_id }}")
    line = 1 + mistaken[: mistaken.index("persona_id")].count("\n")
    (tmp_path / "own" / "ca").mkdir(parents=True)
    (tmp_path / "own" / "ca" / "certificate.html").write_text(mistaken, encoding="utf-8")
    (tmp_path / "sealtool.toml").write_text('[rendering]\ntemplates = "own"\n', encoding="utf-8")
    outcome = call("preview")
    assert outcome.code == 3
    assert f"certificate.html, line {line}: 'persona_id' is undefined" in outcome.err


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    outcome = call("preview", "--level", "B1", "--output", "taken/here")
    assert outcome.code == 3
    assert "--output" in outcome.err
