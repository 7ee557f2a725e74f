"""The log and the metrics go to places of their own."""

import re
from pathlib import Path

import pytest

from sealtool.errors import ConfigurationError
from sealtool.separateness import insist_on_separateness
from sealtool.settings import load_settings

INSTALLATION = """
output.folder = "out"
registry.folder = "export"
ledger.url = "sqlite:///ledger.sqlite"
seal.pkcs12 = "pki/seal.p12"
seal.passphrase.file = "pki/seal.passphrase"
time_stamp.demo_pkcs12 = "pki/tsa.p12"
time_stamp.demo_passphrase.file = "pki/tsa.passphrase"
revocation.crls = ["crls/*.crl"]
trust.anchors = ["pki/root.pem", "anchors"]
rendering.templates = "templates"
cluster.key = "pki/cluster.key"
"""


def insist(folder: Path, text: str) -> None:
    configuration = folder / "sealtool.toml"
    configuration.write_text(text, encoding="utf-8")
    insist_on_separateness(load_settings(configuration), configuration)


@pytest.mark.parametrize("key", ["run.log", "run.metrics"])
@pytest.mark.parametrize(
    ("place", "why"),
    [
        *((f"ledger.sqlite{end}", "is also the ledger (ledger.url)") for end in ("", "-wal", "-shm", ".lock")),
        ("pki/seal.p12", "is also seal.pkcs12"),
        ("pki/../pki/seal.passphrase", "is also seal.passphrase.file"),
        ("pki/tsa.passphrase", "is also time_stamp.demo_passphrase.file"),
        ("pki/cluster.key", "is also cluster.key"),
        ("pki/root.pem", "is also trust.anchors"),
        ("anchors/other.pem", "lies in trust.anchors"),
        ("crls/root.crl", "is also one of revocation.crls"),
        ("sealtool.toml", "is also the configuration itself"),
        ("templates/ca/certificate.html", "lies in rendering.templates"),
        ("out/m.prom", "lies in output.folder"),
        ("out/2026/B1/0000.pdf", "lies in output.folder"),
        ("out", "is also output.folder"),
        ("export/people.csv", "lies in registry.folder"),
    ],
)
def test_neither_goes_to_a_place_that_has_another_purpose(tmp_path: Path, key: str, place: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(f"{key}: {why}")):
        insist(tmp_path, f'{INSTALLATION}{key} = "{place}"')


def test_a_link_is_the_place_that_it_leads_to_and_the_one_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()
    (tmp_path / "link").symlink_to("ledger.sqlite")
    (tmp_path / "hard").hardlink_to(tmp_path / "ledger.sqlite")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "away").symlink_to("../elsewhere")
    (tmp_path / "by").symlink_to("out")
    for place in ("link", "hard", "out/away", "by/m.prom"):
        with pytest.raises(ConfigurationError, match=re.escape("run.metrics: ")):
            insist(tmp_path, f'{INSTALLATION}run.metrics = "{place}"')


def test_metrics_never_take_the_place_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=re.escape("run.metrics: is also run.log")):
        insist(tmp_path, 'run.log = "one"\nrun.metrics = "one"')


def test_both_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"run\.log: .*\n.*run\.metrics: "):
        insist(tmp_path, f'{INSTALLATION}run.log = "out/log"\nrun.metrics = "out/m.prom"')


@pytest.mark.parametrize("place", ["sealtool.prom", "pki/sealtool.prom", "outside/m.prom", "crls/m.prom"])
def test_any_other_place_will_do(tmp_path: Path, place: str) -> None:
    insist(tmp_path, f'{INSTALLATION}run.log = "{place}.log"\nrun.metrics = "{place}"')


def test_a_folder_that_holds_the_configuration_as_well_is_for_more_than_trust(tmp_path: Path) -> None:
    insist(tmp_path, 'trust.anchors = ["."]\nregistry.folder = "."\nrun.metrics = "m.prom"')
    with pytest.raises(ConfigurationError, match=re.escape("run.log: lies in output.folder")):
        insist(tmp_path, 'output.folder = "."')


@pytest.mark.parametrize("folder", ["", ".", "out/.."])
def test_an_output_folder_that_holds_the_configuration_is_what_has_to_be_changed(tmp_path: Path, folder: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape("give output.folder a folder of its own")):
        insist(tmp_path, f'output.folder = "{folder}"')
