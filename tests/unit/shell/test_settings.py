from pathlib import Path

import pytest

from sealtool.errors import ConfigurationError
from sealtool.model import PadesLevel
from sealtool.settings import Settings, find_configuration, load_settings


@pytest.fixture
def write(tmp_path: Path) -> object:
    def write_text(text: str) -> Path:
        path = tmp_path / "sealtool.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_text


def load(write: object, text: str) -> Settings:
    assert callable(write)
    return load_settings(write(text))


def test_an_empty_file_stands_on_the_defaults(write: object) -> None:
    settings = load(write, "")
    assert settings.seal.level is PadesLevel.B_LTA
    assert settings.registry.max_shrink == 0.10


def test_relative_paths_are_taken_from_the_folder_of_the_file(write: object, tmp_path: Path) -> None:
    settings = load(
        write,
        """
        output.folder = "out"
        ledger.url = "sqlite:///data/ledger.sqlite"
        seal.pkcs12 = "pki/seal.p12"
        seal.passphrase.file = "pki/pass"
        trust.anchors = ["root.pem"]
        revocation.crls = ["crl/*.crl"]
        """,
    )
    assert settings.output.folder == tmp_path / "out"
    assert settings.ledger.url == f"sqlite:///{tmp_path / 'data/ledger.sqlite'}"
    assert settings.seal.pkcs12 == tmp_path / "pki/seal.p12"
    assert settings.seal.passphrase is not None
    assert settings.seal.passphrase.file == tmp_path / "pki/pass"
    assert settings.trust.anchors == (tmp_path / "root.pem",)
    assert settings.revocation.crls == (str(tmp_path / "crl/*.crl"),)


def test_absolute_paths_stay(write: object) -> None:
    assert load(write, 'output.folder = "/srv/out"').output.folder == Path("/srv/out")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('seal.level = "B-X"', "seal.level"),
        ("sael.level = 1", "sael: there is no such key"),
        ("registry.max_shrink = 1.5", "registry.max_shrink"),
        ('registry.encoding = "latin-1"', "registry.encoding"),
        ('run.timezone = "Palma"', "time zone"),
        ('seal.passphrase = { env = "A", prompt = true }', "exactly one"),
        ("seal.passphrase = {}", "exactly one"),
        ('time_stamp = { demo_pkcs12 = "tsa.p12" }', "belong together"),
        (
            'time_stamp = { urls = ["https://x/"], demo_pkcs12 = "a", demo_passphrase = { prompt = true } }',
            "exclude each other",
        ),
        ("this is no TOML", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(write: object, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        load(write, text)


def test_every_mistake_is_reported_at_once(write: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(write, 'seal.level = "B-X"\nrun.workers = -1')
    assert "seal.level" in caught.value.message
    assert "run.workers" in caught.value.message


def test_a_missing_file_is_an_error_that_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="sealtool init"):
        load_settings(tmp_path / "nowhere.toml")


def test_the_named_configuration_comes_before_all_others(tmp_path: Path) -> None:
    (tmp_path / "sealtool.toml").touch()
    environ = {"SEALTOOL_CONFIG": "from-environment.toml"}
    assert find_configuration(Path("named.toml"), environ=environ, folder=tmp_path) == Path("named.toml")
    assert find_configuration(None, environ=environ, folder=tmp_path) == Path("from-environment.toml")
    assert find_configuration(None, environ={}, folder=tmp_path) == tmp_path / "sealtool.toml"


def test_the_password_of_a_ledger_belongs_to_a_server(write: object) -> None:
    server = 'url = "postgresql+psycopg://sealtool@db/sealtool"'
    settings = load(write, f'[ledger]\n{server}\npassword = {{ env = "LEDGER" }}')
    assert settings.ledger.url == "postgresql+psycopg://sealtool@db/sealtool"
    with pytest.raises(ConfigurationError, match="SQLite"):
        load(write, '[ledger]\npassword = { env = "LEDGER" }')
