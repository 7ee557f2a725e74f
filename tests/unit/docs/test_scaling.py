"""The arithmetic of docs/scaling.md is what its inputs lead to."""

import re
import tomllib
from pathlib import Path

import pytest

from sealtool.settings import Settings
from tools.scaling import PAGE, inputs_of, rate_alone, rate_with_cluster, with_results, workers_for

PAGE_TEXT = PAGE.read_text(encoding="utf-8")


def test_the_results_on_the_page_are_those_of_its_inputs() -> None:
    assert with_results(PAGE_TEXT) == PAGE_TEXT, "call: PYTHONPATH=. python tools/scaling.py"


def test_an_input_that_is_changed_changes_the_results() -> None:
    faster = PAGE_TEXT.replace("| `seal` | ", "| `seal` | 0")
    assert inputs_of(faster) == inputs_of(PAGE_TEXT)
    costs = re.compile(r"(\| `(?:lay_out|seal|check|traffic)` \| )([0-9.]+)")
    twice = costs.sub(lambda found: f"{found[1]}{float(found[2]) * 2}", PAGE_TEXT)
    assert with_results(twice) != twice
    assert rate_alone(inputs_of(twice), 4) == pytest.approx(rate_alone(inputs_of(PAGE_TEXT), 4) / 2)


def test_every_input_is_explained_by_its_use_or_its_formula() -> None:
    names, used = set(inputs_of(PAGE_TEXT)), set(re.findall(r"`([^`]+)`", PAGE_TEXT.split("<!-- end -->", 1)[1]))
    in_formulas = {word for formula in used for word in re.findall(r"\w+", formula)}
    assert names - in_formulas <= {"plan", "rows", "softhsm", "levels"}, "which are named by their rows"


INPUTS = {"lay_out": 5.0, "seal": 50.0, "check": 95.0, "traffic": 0.0, "own_checks": 0.0}


@pytest.mark.parametrize(
    ("cores", "alone", "with_cluster", "workers"),
    [(1, 1000 / 150, 1000 / 55, 2), (2, 10.0, 20.0, 2), (3, 20.0, 20.0, 2), (8, 20.0, 20.0, 2)],
)
def test_one_core_seals_and_the_others_do_the_rest(cores: int, alone: float, with_cluster: float, workers: int) -> None:
    assert rate_alone(INPUTS, cores) == pytest.approx(alone)
    assert rate_with_cluster(INPUTS, cores) == pytest.approx(with_cluster)
    assert workers_for(INPUTS, cores) == workers


def test_the_configuration_of_a_cluster_is_valid() -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", PAGE_TEXT, re.DOTALL | re.MULTILINE)
    assert Settings.model_validate(tomllib.loads(block)).cluster.address == "tls://dask.example:8786"


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE_TEXT):
        assert (PAGE.parent / Path(target)).exists(), target
