"""Names that try to be something else: printed as they are, or held; never part of the document's works."""

import subprocess
from pathlib import Path

import pytest
from pypdf import PdfReader

from sealtool.model import CertificateOrder
from sealtool.rendering import RenderingOptions
from sealtool.workspace import tasks
from tests.exports import write_export, write_plain_export
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test

A, B = PEOPLE[:2]

PRINTED = {
    "markup": "<script>alert(1)</script>",
    "template": "Aina {{7*7}}",
    "template statement": "{% include '/etc/passwd' %}",
    "file address": "file:///etc/passwd",
    "entity": "&amp;#9731;",
    "style": "}</style><style>body{display:none}",
    "image": '<img src="file:///etc/passwd">',
    "link": "https://example.invalid/",
    "accents": "Gal·la Àngels Ïmhof-Güell",
    "one hundred and twenty characters": " ".join(["Llarguíssima"] * 9)[:120],
    "one word of one hundred and twenty": "Sant" * 30,
}

HELD = {
    "right to left": "עדי",
    "right-to-left override": "Aina\u202egnp",
    "control character": "Aina\x07",
    "zero width": "Ai\u200bna",
    "no glyph": "Aina ☃",
    "no letter": "-",
    "one sign for two letters": "Ra\ufb01ol",
}


MISPRINTED = {
    "longer than its page": ("A" * 190, "B" * 190, "C" * 190, "pages instead of"),
    "words longer than their page": ("Maria del Mar " * 13, "Mas " * 40, "Vila " * 35, "pages instead of"),
    "accents that readers make another letter of": ("Xa\u0312\u0319z", "Mas", "", "the name"),
}


def text_of(certificate: Path) -> str:
    text = subprocess.run(["pdftotext", "-raw", str(certificate), "-"], check=True, capture_output=True).stdout.decode()
    return "".join(text.split())


@pytest.fixture(scope="module")
def printed(quick_demo_folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A certificate by its name, all of one run."""
    place = tmp_path_factory.mktemp("strange")
    folder = quick_demo_folder.copied_to(place / "work")
    holders = dict(zip(PEOPLE, PRINTED.values(), strict=False))
    names = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in holders.values()]
    registry = write_plain_export(place / "registry", list(holders), map(b1_by_test, holders), names)
    outcome = folder.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert outcome.code == 0, outcome.out + outcome.err
    files = {path.stem: path for path in folder.certificates}
    assert len(files) == len(PRINTED)
    return {holders[one["person_id"]]: files[one["certificate_id"]] for one in outcome.json["decisions"]}


@pytest.mark.parametrize("name", PRINTED.values(), ids=PRINTED)
def test_a_strange_name_is_printed_as_it_is_and_changes_nothing(printed: dict[str, Path], name: str) -> None:
    certificate = printed[name]
    assert text_of(certificate).count("".join(name.split())) == 2  # once a language
    reader = PdfReader(certificate)
    assert len(reader.pages) == 2
    links = [
        note.get_object()["/A"]["/URI"]
        for page in reader.pages
        for note in page.get("/Annots", ())
        if "/A" in note.get_object()
    ]
    assert all(link.startswith("https://valide.redsara.es/") for link in links)


@pytest.mark.parametrize("name", HELD.values(), ids=HELD)
def test_a_name_that_cannot_be_printed_faithfully_holds_the_person(
    quick_folder: Folder, write_registry: Write, name: str
) -> None:
    registry = write_registry([A], [b1_by_test(A)], names=[name])
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert outcome.code == 1
    assert outcome.json["held"][0]["person_id"] == A
    assert quick_folder.certificates == []


@pytest.mark.parametrize(
    ("name", "command"),
    [
        pytest.param(*case, id=f"{kind}, {case[1]}", marks=marks)
        for kind, name in MISPRINTED.items()
        for case, marks in (
            ((name, "plan"), pytest.mark.long if kind == "words longer than their page" else ()),
            ((name, "issue"), () if kind == "longer than its page" else pytest.mark.long),
        )
    ],
)
def test_a_name_that_would_not_come_out_right_holds_the_person_before_anything_is_made(
    quick_folder: Folder, tmp_path: Path, name: tuple[str, str, str, str], command: str
) -> None:
    *parts, told = name
    people = [(A, *map(str.strip, parts)), (B, "Biel", "Pons", "")]
    registry = write_export(tmp_path / "registry", people, map(b1_by_test, (A, B)))
    outcome = quick_folder.call(command, "--level", "B1", "--registry", registry, "--json")
    assert outcome.code == 1
    assert [one["person_id"] for one in outcome.json["held"]] == [A]
    (problem,) = outcome.json["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("people.csv", 2, "given_name")
    assert told in problem["message"]
    assert len(quick_folder.certificates) == (command == "issue")


def test_letters_that_came_out_right_once_need_no_further_trial(
    quick_folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [
        "Nguyễn",
        "Ngọc",
        "Ngọc Nguyễn",
        "Mare\u0301",
        "Vale\u0301",
        "Xa\u0312\u0319z",
        "Ma\u0312\u0319z",
        "Nguyễn",
    ]
    people = [(person_id, name, "Mas", "") for person_id, name in zip(PEOPLE, names, strict=False)]
    registry = write_export(tmp_path / "registry", people, [b1_by_test(one[0]) for one in people])
    tried: list[str] = []

    def recorded(options: RenderingOptions, order: CertificateOrder) -> str:
        tried.append(order.decision.person.given_name)
        return trial(options, order)

    trial = tasks.trial
    monkeypatch.setattr(tasks, "trial", recorded)
    outcome = quick_folder.call("plan", "--level", "B1", "--registry", registry, "--json")
    assert sorted(tried) == sorted({*names} - {"Ngọc Nguyễn", "Vale\u0301"})
    assert {one["person_id"] for one in outcome.json["held"]} == {people[5][0], people[6][0]}


def test_a_long_name_that_fits_is_issued(quick_folder: Folder, tmp_path: Path) -> None:
    people = [(A, "Maria Immaculada " * 4, "Fernández de Córdoba-Asturias", "Ade\u0301bayo\u0323\u0300")]
    registry = write_export(tmp_path / "registry", people, [b1_by_test(A)])
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    assert len(quick_folder.certificates) == 1
