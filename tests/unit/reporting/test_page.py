"""The page for people: true, whole, quiet, and deaf to what names in it would like."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from sealtool.model import SealQualification
from sealtool.reporting.page import html_page
from tests.unit.reporting.colours import contrast
from tests.unit.reporting.examples import CERTIFIED, FAILED, HOSTILE, MISSING, SEAL, passed, report


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and the text in order."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_top_tells_what_was_judged_when_by_what_and_on_whose_word() -> None:
    text = Page(html_page(report(passed()))).text
    top = text[: text.index("What passed")]
    for told in ("archive", "2026-03-03 09:30:00 UTC", "9.9.9", "CN=Arrel,C=ES", "cd" * 32, "VATES-S0711001H"):
        assert told in top
    assert "personal data" in top


def test_it_says_so_where_the_seal_of_any_organisation_counted() -> None:
    assert "Any." in Page(html_page(report(passed(), organizations=()))).text
    assert "Any." not in Page(html_page(report(passed()))).text


def test_what_a_file_certifies_and_who_sealed_it_is_all_there() -> None:
    text = Page(html_page(report(passed()))).text
    for told in (
        *("C2, area 4", "Gal·la de la Prova", "10000000P", "2025-03-12", "2026-03-02", "TEST-0000-0001"),
        *("VATES-S0711001H", "CN=Autoritat", "1234567890", "B-LTA", "2026-03-02 12:00:05 UTC", "CN=Segell de temps"),
        *("2032-11-20", "2025-01-01 to 2029-01-01", "0f" * 32, "/archive/passed.pdf"),
    ):
        assert told in text


def test_what_the_trusted_lists_say_is_told_where_they_were_asked() -> None:
    one = passed()
    seal = replace(SEAL, qualification=SealQualification.QUALIFIED)
    asked = replace(one, verification=replace(one.verification, seal=seal))
    text = Page(html_page(replace(report(asked), by_trusted_lists=True))).text
    assert "qualified electronic seal" in text
    assert "119 612" in text
    assert "trusted lists" not in Page(html_page(report(one))).text


def test_what_did_not_pass_comes_first_and_of_it_what_is_proven_bad() -> None:
    text = Page(html_page(report(MISSING, passed(), FAILED))).text
    places = [text.index(told) for told in ("ANNOTATION_UNEXPECTED", "FILE_MISSING", "What passed", "TEST-0000-0001")]
    assert places == sorted(places)
    assert "FORMAT_FAILURE" in text
    assert "SIGNED_DATA_NOT_FOUND" in text


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([passed()], "Everything that was judged passed."),
        ([passed(), MISSING], "Nothing was proven bad"),
        ([passed(), MISSING, FAILED], "something was proven bad"),
    ],
    ids=["passed", "indeterminate", "failed"],
)
def test_the_outcome_is_that_of_the_worst_file(files: list, told: str) -> None:  # type: ignore[type-arg]
    assert told in Page(html_page(report(*files))).text


def test_files_with_the_same_reasons_are_told_once() -> None:
    other = replace(MISSING, path=MISSING.path.with_name("other.pdf"))
    text = Page(html_page(report(MISSING, other))).text
    assert text.count("FILE_MISSING") == 1
    assert "2 files" in text
    assert "other.pdf" in text


def test_hostile_names_stay_text_and_cannot_hide() -> None:
    hostile = replace(CERTIFIED, full_name=HOSTILE, certificate_id=HOSTILE)
    content = html_page(report(FAILED, passed(certified=hostile)))
    page = Page(content)
    assert not page.named("script")
    assert '<script>alert("x")</script>\\u202e\\x1b[2K{{ 7*7 }}' in page.text
    assert all(one.isprintable() or one == "\n" for one in content.decode("utf-8"))


def test_it_needs_and_runs_nothing_from_elsewhere() -> None:
    page = Page(html_page(report(FAILED, passed())))
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & {tag for tag, _ in page.elements}
    assert not any(name.startswith("on") or name in {"href", "src"} for _, one in page.elements for name in one)
    style = re.findall(r"<style>(.*?)</style>", html_page(report(passed())).decode("utf-8"), re.DOTALL)
    assert "url(" not in style[0]
    assert "@import" not in style[0]
    assert {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"} in (
        page.named("meta")
    )


def test_it_can_be_read_aloud_and_without_colours() -> None:
    page = Page(html_page(report(FAILED, passed())))
    assert page.open == []
    assert page.named("html") == [{"lang": "en"}]
    assert len(page.named("h1")) == 1
    assert all("scope" in cell for cell in page.named("th"))
    labelled = [section["aria-labelledby"] for section in page.named("section")]
    assert labelled == [heading["id"] for heading in page.named("h2")]
    for verdict in ("PASSED", "FAILED"):
        assert verdict in page.text


def test_every_colour_of_text_stands_out_from_the_paper() -> None:
    style = html_page(report(passed())).decode("utf-8")
    for name in ("ink", "quiet", "passed", "failed", "open"):
        (colour,) = re.findall(rf"--{name}: (#[0-9a-f]{{6}})", style)
        # WCAG 2.2, 1.4.3: 4.5 to 1; on the shaded ground as well
        assert contrast("#f5f6f8", colour) >= 4.5, name


def test_two_thousand_files_take_one_closed_line_each() -> None:
    files = [passed(f"{number}.pdf") for number in range(2000)]
    content = html_page(report(*files))
    assert content.count(b"<details><summary>") == content.count(b"<details") == 2000
    assert len(content) < 8_000_000
