"""A certificate that takes the place of another names it, on its pages and in its record; others stay as they were."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sealtool.model import CertificateId, CertificateOrder, Language
from sealtool.rendering import CertificateRenderer, RenderingOptions, certificate_record

OrderFactory = Callable[..., CertificateOrder]
TextOf = Callable[..., str]
BEFORE = CertificateId("7K3M9-PQ2XA-0DV4T-8HJ5C")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def order(make_order: OrderFactory) -> CertificateOrder:
    return replace(make_order(), certificate_id=CertificateId("8K3M9-PQ2XA-0DV4T-8HJ5C"), replaces=BEFORE)


def test_each_page_names_the_certificate_that_was_replaced(order: CertificateOrder, text_of: TextOf) -> None:
    assert f"Substitueix el certificat: {BEFORE}" in text_of(order, 0)
    assert f"Sustituye al certificado: {BEFORE}" in text_of(order, 1)


def test_a_first_certificate_names_no_other(order: CertificateOrder, text_of: TextOf) -> None:
    assert "Substitueix" not in text_of(replace(order, replaces=None))
    assert "replaces" not in json.loads(certificate_record(replace(order, replaces=None)))


def test_the_record_that_names_it_is_of_the_schema(order: CertificateOrder) -> None:
    record = json.loads(certificate_record(order))
    assert record["replaces"] == BEFORE
    schema = json.loads((ROOT / "docs/schemas/record-1.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(record)


def test_it_is_filled_in_with_the_bytes_of_the_engine(
    order: CertificateOrder, renderer: CertificateRenderer, engine_runs: list[str]
) -> None:
    first = replace(order, languages=(Language.SPANISH,))
    for one in (
        first,
        replace(first, replaces=CertificateId("9K3M9-PQ2XA-0DV4T-8HJ5C")),
        replace(first, replaces=None),
    ):
        filled_in = renderer.render(one).content
        assert one.certificate_id not in engine_runs
        assert filled_in == renderer.render_plainly(one).content
        engine_runs.clear()


def test_a_template_of_before_has_no_words_for_it_and_prints_as_it_did(
    order: CertificateOrder, renderer: CertificateRenderer, tmp_path: Path
) -> None:
    for language in Language:
        text = (ROOT / "templates" / language / "certificate.html").read_text(encoding="utf-8")
        of_before = "\n".join(line for line in text.split("\n") if "replaces_label" not in line)
        (tmp_path / language).mkdir()
        (tmp_path / language / "certificate.html").write_text(of_before, encoding="utf-8")
    old = CertificateRenderer(RenderingOptions(templates=tmp_path))
    plain = replace(order, replaces=None)
    assert old.render(plain).content == renderer.render(plain).content
    assert old.render(order).pages == 2
