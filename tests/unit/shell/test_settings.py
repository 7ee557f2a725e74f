import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from sealtool.errors import ConfigurationError, UsageError
from sealtool.model import PadesLevel
from sealtool.settings import Settings, find_configuration, load_settings, with_cluster


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
        ("registry.max_shrink = 1.5", "registry.max_shrink: has to be 1 or less"),
        ("registry.max_shrink = nan", "registry.max_shrink: has to be"),
        ("registry.max_shrink = true", "registry.max_shrink: has to be a number"),
        ('registry.max_shrink = "0.1"', "registry.max_shrink: has to be a number"),
        ('registry.encoding = "latin-1"', "registry.encoding: has to be 'utf-8' or 'windows-1252'"),
        ("registry.aliases = { a = 1 }", "registry.aliases.a: has to be a text"),
        ('revocation.fetch = "no"', "revocation.fetch: has to be true or false"),
        ("revocation.fetch = 0", "revocation.fetch: has to be true or false"),
        ("run.workers = true", "run.workers: has to be a whole number"),
        ("run.workers = 2.0", "run.workers: has to be a whole number"),
        ('run.renew_days = "90"', "run.renew_days: has to be a whole number"),
        ("run.log = 1979-05-27", "run.log: has to be a text"),
        ('trust.anchors = "pki/root.pem"', "trust.anchors: has to be a list"),
        ("trust.anchors = [1]", r"trust.anchors \(entry 1\): has to be a text"),
        ('seal.passphrase = "hush"', "seal.passphrase: has to be a table"),
        ('seal = "seal.p12"', "seal: has to be a table"),
        ("seal.csc = {}", "seal.csc.token: is missing"),
        ("rendering.fonts = []", "rendering.fonts: has to be a list with an entry"),
        ("seal.pkcs11 = { module = 'm', token = 't', key_id = 'xyz' }", "seal.pkcs11.key_id: has to be bytes in hex"),
        ('eni.organ = "govern"', "eni.organ: has to be nine capital letters or digits"),
        ('ledger.url = "mysql://db/sealtool"', "ledger.url: has to be an SQLite file"),
        ('ledger.url = "ledger.sqlite"', "ledger.url: has to be an SQLite file"),
        ('ledger.url = "sqlite:////"', "ledger.url: has to be an SQLite file"),
        (f'ledger.url = "sqlite:///{"a/" * 2500}x"', "ledger.url: is longer than a path can be"),
        (f'ledger.url = "sqlite:///{"a" * 250}"', "ledger.url: is longer than a path can be"),
        (f'output.folder = "{"a" * 300}"', "output.folder: is longer than a path can be"),
        (f'rendering.templates = "{"a" * 300}"', "rendering.templates: is longer than a path can be"),
        (f'trust.anchors = ["root.pem", "{"a" * 300}"]', "trust.anchors: is longer than a path can be"),
        ('run.timezone = "Palma"', "time zone"),
        ('run.timezone = "Europe"', "run.timezone: 'Europe' is no time zone"),
        ('run.timezone = "America"', "run.timezone: 'America' is no time zone"),
        (f'run.timezone = "{"x" * 5000}"', "run.timezone: 'x+' is no time zone"),
        ('output.folder = "a\\u0000b"', "output.folder: has the character NUL"),
        ('ledger.url = "sqlite:///led\\u0000ger"', "ledger.url: has the character NUL"),
        ('trust.anchors = ["root.pem", "a\\u0000b"]', "trust.anchors: has the character NUL"),
        ('revocation.crls = ["\\u0000"]', "revocation.crls: has the character NUL"),
        ('seal.passphrase.env = "A\\u0000"', "seal.passphrase.env: has the character NUL"),
        ('output.folder = "~nobody-of-that-name/out"', "there is no home folder ~nobody-of-that-name"),
        ('trust.anchors = ["~nobody-of-that-name/root.pem"]', "there is no home folder ~nobody-of-that-name"),
        (f"eni.organ = 'A04003003'\nrun.renew_days = {'9' * 5000}", r"a number has more digits than .* \(at line 2\)"),
        (f"x = {'[' * 3000}", "not valid TOML: lists or tables stand in each other too deeply"),
        (f"x = {'{ a = ' * 3000}", "not valid TOML: lists or tables stand in each other too deeply"),
        (f'valide.address = "https://{"v" * 90}.es"', "valide.address: has to have 100 characters or fewer"),
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


KINDS = ['"text"', "1", "1.5", "true", "[]", "[1]", "[true]", "{}", "{ a = 1 }", "1979-05-27"]


def keys_of(section: type[BaseModel], name: str = "") -> Iterator[str]:
    for key, field in section.model_fields.items():
        yield f"{name}{key}"
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from keys_of(kind, f"{name}{key}.")


def complaint(write: object, text: str) -> str:
    """What is said of a configuration, empty where nothing is."""
    try:
        load(write, text)
    except ConfigurationError as error:
        return error.message
    return ""


@pytest.mark.parametrize("key", list(keys_of(Settings)))
def test_a_mistake_is_told_in_the_words_of_the_file_and_not_of_a_library(write: object, key: str) -> None:
    said = [complaint(write, f"{key} = {value}") for value in KINDS]
    assert sum(map(bool, said)) >= len(KINDS) - 3
    assert not re.search(r"[Ii]nput|\bvalid\b|instance|tuple|pattern|Value error", "".join(said))


def test_an_address_that_fits_the_page_is_printed(write: object) -> None:
    address = f"https://{'v' * 89}.es"
    assert load(write, f'valide.address = "{address}"').valide.address == address


def test_a_mark_of_the_encoding_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "sealtool.toml"
    path.write_bytes(b'\xef\xbb\xbfrendering.marking = "DEMOSTRACI\xc3\x93"\n')
    assert load_settings(path).rendering.marking == "DEMOSTRACIÓ"


@pytest.mark.parametrize(("encoding", "line"), [("latin-1", 2), ("utf-16", 1)])
def test_a_file_of_another_encoding_is_told_with_the_line_where_it_shows(
    tmp_path: Path, encoding: str, line: int
) -> None:
    path = tmp_path / "sealtool.toml"
    path.write_text('run.workers = 1\nrendering.marking = "DEMOSTRACIÓ"\n', encoding=encoding)
    with pytest.raises(ConfigurationError, match=rf"is not UTF-8 text \(line {line}\)"):
        load_settings(path)


def test_a_whole_number_may_stand_for_any_number(write: object) -> None:
    assert load(write, "registry.max_shrink = 1\ntime_stamp.timeout_seconds = 5").registry.max_shrink == 1.0


def test_a_missing_file_is_an_error_that_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="sealtool init"):
        load_settings(tmp_path / "nowhere.toml")


def test_the_named_configuration_comes_before_all_others(tmp_path: Path) -> None:
    (tmp_path / "sealtool.toml").touch()
    environ = {"SEALTOOL_CONFIG": "from-environment.toml"}
    assert find_configuration(Path("named.toml"), environ=environ, folder=tmp_path) == Path("named.toml")
    assert find_configuration(None, environ=environ, folder=tmp_path) == Path("from-environment.toml")
    assert find_configuration(None, environ={}, folder=tmp_path) == tmp_path / "sealtool.toml"


def test_a_folder_that_cannot_be_looked_into_has_no_configuration() -> None:
    too_long = Path("/" + "x" * 300)  # the system refuses it to root, too
    assert find_configuration(None, environ={}, folder=too_long) is None


def test_the_password_of_a_ledger_belongs_to_a_server(write: object) -> None:
    server = 'url = "postgresql+psycopg://sealtool@db/sealtool"'
    settings = load(write, f'[ledger]\n{server}\npassword = {{ env = "LEDGER" }}')
    assert settings.ledger.url == "postgresql+psycopg://sealtool@db/sealtool"
    with pytest.raises(ConfigurationError, match="SQLite"):
        load(write, '[ledger]\npassword = { env = "LEDGER" }')


TLS = 'cluster = {{ address = "{}", ca = "ca.pem", certificate = "host.pem", key = "host.key" }}'


@pytest.mark.parametrize("address", ["tls://dask.example:8786", "tls://10.0.0.1:8786", "tcp://127.0.0.1:8786"])
def test_a_cluster_is_reached_by_tls_or_on_this_machine(write: object, tmp_path: Path, address: str) -> None:
    cluster = load(write, TLS.format(address)).cluster
    assert (cluster.address, cluster.ca) == (address, tmp_path / "ca.pem")


@pytest.mark.parametrize(
    "address",
    [
        "tcp://dask.example:8786",
        "tcp://10.0.0.1:8786",
        "dask.example:8786",
        "tls://dask.example",
        "ucx://x:1",
        "tls://:1",
    ],
)
def test_any_other_address_of_a_cluster_is_a_mistake(write: object, address: str) -> None:
    with pytest.raises(ConfigurationError, match="cluster: "):
        load(write, TLS.format(address))


def test_tls_needs_certificates(write: object) -> None:
    with pytest.raises(ConfigurationError, match="ca, certificate and key"):
        load(write, 'cluster.address = "tls://dask.example:8786"')


def test_an_address_on_the_command_line_keeps_to_the_same_rules(write: object) -> None:
    settings = load(write, TLS.format("tls://dask.example:8786"))
    assert with_cluster(settings, "local").cluster.address is None
    other = with_cluster(settings, "tls://other.example:1").cluster
    assert (other.address, other.ca) == ("tls://other.example:1", settings.cluster.ca)
    with pytest.raises(UsageError, match="this machine only"):
        with_cluster(settings, "tcp://other.example:1")


@pytest.mark.parametrize(
    "address",
    [
        "valide",
        "",
        "https://",
        "https:///valide/",
        "ftp://valide.example/",
        "valide.example/valide/",
        "https://valide.example:no/",
        "https://[::1/",
        "https://valide.example/a b",
        "https://validació.example/",
        "https://office:hush@valide.example/",
    ],
)
def test_an_address_that_leads_nowhere_is_never_printed_on_certificates(write: object, address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"valide\.address: .*address") as caught:
        load(write, f'valide.address = "{address}"')
    assert "hush" not in caught.value.message


@pytest.mark.parametrize("address", ["https://valide.example", "http://[::1]:8080/valide/?lang=ca#top"])
def test_an_address_of_the_web_is_taken_as_it_is(write: object, address: str) -> None:
    assert load(write, f'valide.address = "{address}"').valide.address == address


@pytest.mark.parametrize("key", ["rendering.marking", "valide.expected_verdict"])
@pytest.mark.parametrize("text", [r"two\nlines", r"turned \u202e round"])
def test_what_is_printed_or_listed_is_one_line_that_can_be_seen(write: object, key: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{key}: has to be one line"):
        load(write, f'{key} = "{text}"')


def test_an_organisation_without_a_name_would_stand_for_seals_of_nobody(write: object) -> None:
    with pytest.raises(ConfigurationError, match=r"trust\.organizations \(entry 2\): .*not empty"):
        load(write, 'trust.organizations = ["VATES-S0711001H", " "]')
