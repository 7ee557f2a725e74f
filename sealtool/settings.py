"""The configuration: one TOML file, checked as a whole, frozen, with every path made absolute."""

from __future__ import annotations

import base64
import errno
import glob
import hashlib
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    field_validator,
    model_validator,
)

from sealtool.errors import ConfigurationError, UsageError
from sealtool.model import PadesLevel
from sealtool.regular_files import read_regular_file, real_path

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

CONFIG_NAME = "sealtool.toml"
SYSTEM_CONFIG = Path("/etc/sealtool") / CONFIG_NAME
ENVIRONMENT_VARIABLE = "SEALTOOL_CONFIG"


_LEDGER_URL = (
    "an SQLite file, like sqlite:///ledger.sqlite, or a database, like postgresql+psycopg://sealtool@db/sealtool"
)

_ENDS_OF_A_LEDGER = ("", "-wal", "-shm", ".lock", "-journal")
"""How the names of the files go on that an SQLite ledger consists of."""


class _Section(BaseModel):
    # Flags and numbers are strict of themselves. The rest is not: TOML has lists for tuples, and texts for paths.
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _without_nul(cls, value: object) -> object:
        """No path, address or name goes on after one, wherever it is handed to the system."""
        if any(isinstance(one, str) and "\0" in one for one in (value if isinstance(value, list) else (value,))):
            msg = "has the character NUL (\\u0000) in it, which nothing can be called by"
            raise ValueError(msg)
        return value


SectionT = TypeVar("SectionT", bound=_Section)

LOCAL = "local"
"""In the place of a cluster's address: none, whatever the configuration says."""

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine, to which nobody listens on the way."""


def _web_address(url: str) -> str:
    """An address that can be gone to, and that tells nothing secret to whoever sees it in a message."""
    try:
        parts = urlsplit(url)
        leads_somewhere = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of brackets, or of a port that is no number
        leads_somewhere = False
    if not leads_somewhere or not _URI_CHARACTERS.fullmatch(url):
        msg = "has to be an address like https://host.example/: https:// or http://, a host, no spaces and no accents"
        raise ValueError(msg)
    if parts.username is not None or parts.password is not None:
        msg = "an address with a user name or password in it would show them in messages: use credentials"
        raise ValueError(msg)
    return url


_URI_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""All that an address may be made of (RFC 3986, 2)."""


def _one_line(text: str) -> str:
    """A text that can be printed or listed as it is."""
    if not text.isprintable():
        msg = "has to be one line, without characters that nobody sees"
        raise ValueError(msg)
    return text


def _of_form(pattern: str, form: str) -> AfterValidator:
    """Demands a form of a text, in words."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            msg = f"has to be {form}"
            raise ValueError(msg)
        return text

    return AfterValidator(check)


WebAddress = Annotated[str, AfterValidator(_web_address)]
OneLine = Annotated[str, AfterValidator(_one_line)]
Name = Annotated[str, _of_form(r"(?s).*\S.*", "a name, and not empty")]


class OutputSettings(_Section):
    """Where certificates and manifests go."""

    folder: Path = Path("out")
    one_file_per_language: StrictBool = False


class RegistrySettings(_Section):
    """Where the exports of the training registry are, and how they are written."""

    folder: Path | None = None
    """Used where a command is called without --registry."""

    encoding: Literal["utf-8", "windows-1252"] = "utf-8"
    max_shrink: Annotated[StrictFloat, Field(ge=0, le=1)] = 0.10
    aliases: Mapping[str, str] = Field(default_factory=dict)


class RulesSettings(_Section):
    """Which version of the law decides; empty means the one in force on the day."""

    version: str = ""


class PassphraseSettings(_Section):
    """Where the passphrase of the key comes from: exactly one of the four."""

    env: str | None = None
    file: Path | None = None
    credential: str | None = None
    prompt: StrictBool = False

    @model_validator(mode="after")
    def _exactly_one_source(self) -> Self:
        if sum(bool(source) for source in (self.env, self.file, self.credential, self.prompt)) != 1:
            msg = "name exactly one of env, file, credential and prompt"
            raise ValueError(msg)
        return self


class LedgerSettings(_Section):
    """Where the ledger is. ``url`` is an SQLAlchemy URL; an SQLite path is relative to the file."""

    url: Annotated[str, _of_form(r"(?s)sqlite:///.*[^/].*|postgresql\+psycopg://.+", _LEDGER_URL)] = (
        "sqlite:///ledger.sqlite"
    )
    password: PassphraseSettings | None = None
    """Of a PostgreSQL database; None where libpq knows it (``~/.pgpass``) or none is needed (peer)."""

    @model_validator(mode="after")
    def _password_of_a_server(self) -> Self:
        if self.password and self.url.startswith("sqlite:"):
            msg = "password means nothing to an SQLite file: leave it out"
            raise ValueError(msg)
        return self


class SignaturePolicySettings(_Section):
    """A signature policy that the seal names (EPES): one that sealtool knows by name, or any by all it takes."""

    name: Literal["AGE-1.9"] | None = None
    oid: Annotated[str, _of_form(r"[012](\.(0|[1-9][0-9]*))+", "numbers with dots between them")] | None = None
    digest_algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    digest: str | None = None
    """Base 64."""
    uri: WebAddress | None = None

    @model_validator(mode="after")
    def _by_name_or_in_full(self) -> Self:
        if self.name and self.model_fields_set != {"name"}:
            msg = "name says it all: leave out oid, digest_algorithm, digest and uri, or name"
            raise ValueError(msg)
        if not self.name and not (self.oid and self.digest):
            msg = "give name, or oid and digest"
            raise ValueError(msg)
        if self.digest and len(base64.b64decode(self.digest)) != hashlib.new(self.digest_algorithm).digest_size:
            msg = f"digest is of another length than {self.digest_algorithm}: every seal would name no document"
            raise ValueError(msg)
        return self

    @field_validator("digest")
    @classmethod
    def _base_64(cls, digest: str | None) -> str | None:
        try:
            base64.b64decode(digest or "", validate=True)
        except ValueError:
            msg = "is no base 64"
            raise ValueError(msg) from None
        return digest


class TokenSettings(_Section):
    """A seal key on a PKCS#11 token."""

    module: Path
    token: str | None = None
    slot: Annotated[StrictInt, Field(ge=0)] | None = None
    key: str | None = None
    key_id: Annotated[str, _of_form(r"([0-9a-fA-F]{2})+", "bytes in hexadecimal, two digits each")] | None = None
    certificate: Path | None = None
    certificate_label: str | None = None
    chain: tuple[Path, ...] = ()
    pss: StrictBool = False

    @model_validator(mode="after")
    def _one_token_one_key_one_certificate(self) -> Self:
        if (self.token is None) == (self.slot is None):
            msg = "name exactly one of token and slot"
            raise ValueError(msg)
        if self.key is None and self.key_id is None:
            msg = "name the key with key, key_id or both"
            raise ValueError(msg)
        if self.certificate is not None and self.certificate_label is not None:
            msg = "certificate and certificate_label exclude each other"
            raise ValueError(msg)
        return self


class RemoteKeySettings(_Section):
    """A seal key at a remote signing service (CSC API)."""

    url: str
    credential: str
    api_version: Literal["v1", "v2"] = "v1"
    token: PassphraseSettings
    pin: PassphraseSettings | None = None
    timeout_seconds: Annotated[StrictFloat, Field(gt=0, le=300)] = 30.0
    chain: tuple[Path, ...] = ()
    pss: StrictBool = False

    @field_validator("url")
    @classmethod
    def _protected_base_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.hostname in _HERE and parts.scheme == "http"):
            msg = "must begin with https://: token and PIN travel on it"
            raise ValueError(msg)
        if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
            msg = "must be an address like https://signing.example, and no more"
            raise ValueError(msg)
        if re.search(r"/csc(/|$)", parts.path):
            msg = "must end before /csc/v1: sealtool adds it"
            raise ValueError(msg)
        return url.rstrip("/")


class SealSettings(_Section):
    """The key of the electronic seal and the form of the seal."""

    pkcs12: Path | None = None
    pss: StrictBool = False
    """Of the key in ``pkcs12``; the other sources have their own."""
    pkcs11: TokenSettings | None = None
    passphrase: PassphraseSettings | None = None
    csc: RemoteKeySettings | None = None
    """It has no passphrase, but a token and a PIN of its own."""
    level: PadesLevel = PadesLevel.B_LTA
    digest_algorithm: Literal["sha256", "sha384", "sha512"] = "sha256"
    policy: SignaturePolicySettings | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        named = [name for name in ("pkcs12", "pkcs11", "csc") if getattr(self, name)]
        if len(named) > 1:
            msg = f"{' and '.join(named)} exclude each other: a seal has one key"
            raise ValueError(msg)
        if self.csc and self.passphrase:
            msg = "csc has no passphrase: name seal.csc.token, and seal.csc.pin where the key has one"
            raise ValueError(msg)
        if self.pss and not self.pkcs12:
            msg = "pss here belongs to pkcs12: write it into the table of the key"
            raise ValueError(msg)
        return self


class CredentialSettings(_Section):
    """What a time stamp authority knows its customer by: user name and password, or a bearer token alone."""

    url: str
    username: Annotated[str, _of_form(r"[^:\r\n]+", "one line without a colon")] | None = None
    secret: PassphraseSettings


class TimeStampSettings(_Section):
    """The time stamp authorities, in order of preference; ``demo_pkcs12`` is for demonstrations only."""

    urls: tuple[WebAddress, ...] = ()
    timeout_seconds: Annotated[StrictFloat, Field(gt=0, le=300)] = 10.0
    retries: Annotated[StrictInt, Field(ge=0, le=10)] = 2
    backoff_seconds: Annotated[StrictFloat, Field(ge=0, le=30)] = 1.0
    credentials: tuple[CredentialSettings, ...] = ()
    demo_pkcs12: Path | None = None
    demo_passphrase: PassphraseSettings | None = None

    @model_validator(mode="after")
    def _credentials_of_authorities(self) -> Self:
        named = [each.url for each in self.credentials]
        if set(named) - set(self.urls) or len(set(named)) < len(named):
            msg = "each url of credentials is one of urls, and there once"
            raise ValueError(msg)
        if any(urlsplit(url).scheme == "http" and urlsplit(url).hostname not in _HERE for url in named):
            msg = "credentials go to addresses with https:// only: on others, everybody on the way could read them"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _demo_or_real(self) -> Self:
        if self.demo_pkcs12 and self.urls:
            msg = "a demonstration authority and real ones exclude each other"
            raise ValueError(msg)
        if bool(self.demo_pkcs12) != bool(self.demo_passphrase):
            msg = "demo_pkcs12 and demo_passphrase belong together"
            raise ValueError(msg)
        return self


class RevocationSettings(_Section):
    """Where revocation data comes from: files, the network, or both."""

    crls: tuple[str, ...] = ()
    """Paths or glob patterns of CRL files (DER or PEM)."""
    fetch: StrictBool = False


class TrustSettings(_Section):
    """Whom a verification believes."""

    anchors: tuple[Path, ...] = ()
    """Certificates of the authorities: PEM or DER files, or folders."""
    lists: tuple[Path, ...] = ()
    """EU trusted lists and the certificates of their signers: files or folders. For ``verify`` alone."""
    organizations: tuple[Name, ...] = ()
    """organizationIdentifiers whose seals count; empty for any that the authorities vouch for."""


class RenderingSettings(_Section):
    """How certificates look."""

    templates: Path | None = None
    fonts: Annotated[tuple[str, ...], Field(min_length=1)] = ("EB Garamond", "Lato")
    """The families that pages may be set in, the one of names first."""
    marking: OneLine = ""
    """A text across the top of each page, such as that it is a demonstration."""


_LONGEST_PRINTED = 100
"""Characters of an address: about a line of the page. Thousands go into no QR code."""


class ValideSettings(_Section):
    """The public validator: where certificates send a reader, and what it is expected to say of the seal."""

    address: Annotated[str, Field(max_length=_LONGEST_PRINTED), AfterValidator(_web_address)] = (
        "https://valide.redsara.es/valide/"
    )
    """Printed on each page, as text, link and QR code."""
    expected_verdict: OneLine = "valid"


class EniSettings(_Section):
    """Electronic documents for the archive (Esquema Nacional de Interoperabilidad)."""

    organ: Annotated[str, _of_form(r"[A-Z0-9]{9}", "nine capital letters or digits")] = "A04003003"
    """DIR3 code of the issuing office; by default that of the Government of the Balearic Islands."""


class RunSettings(_Section):
    """How a run behaves."""

    workers: Annotated[StrictInt, Field(ge=0, le=256)] = 0
    """Processes that lay out and check certificates; 0 means one for each core."""
    timezone: str = "Europe/Madrid"
    log: Path = Path("sealtool.log")
    """Where the details of a failure are written."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """How a run speaks on standard error; ``auto`` is JSON where that is no terminal."""
    metrics: Path | None = None
    """A file for the textfile collector of Prometheus' node exporter."""
    renew_days: Annotated[StrictInt, Field(ge=1, le=3650)] = 90
    """A document is due for renewal so many days before it can no longer be proven."""

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the database: "Europe"
            msg = f"'{name}' is no time zone of the IANA database"
            raise ValueError(msg) from None
        return name

    @property
    def worker_count(self) -> int:
        """How many worker processes to use on this machine."""
        return self.workers or len(os.sched_getaffinity(0))


class ClusterSettings(_Section):
    """Workers on other machines (Dask)."""

    address: str | None = None
    """Of the scheduler; None to work on this machine alone."""
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    """PEM files: the cluster's own authority, and what this machine shows there."""
    timeout_seconds: Annotated[StrictFloat, Field(gt=0, le=3600)] = 30.0
    own_checks: Annotated[StrictFloat, Field(ge=0, le=1)] = 0.05
    """The share of the workers' judgements that the sealing host makes as well."""

    @property
    def is_protected(self) -> bool:
        """Whether connections are encrypted, and both ends show certificates."""
        return (self.address or "").startswith("tls:")

    @model_validator(mode="after")
    def _protected(self) -> Self:
        if self.address is None:
            return self
        parts = urlsplit(self.address)
        if parts.scheme not in {"tcp", "tls"} or not parts.hostname or parts.port is None or parts.path.strip("/"):
            msg = "an address is tls://host:port, or tcp://127.0.0.1:port on this machine"
            raise ValueError(msg)
        if parts.scheme == "tcp" and parts.hostname not in _HERE:
            msg = (
                "tcp:// goes to this machine only: names and identity numbers travel there, and whoever can talk to a "
                "scheduler can run programs on its workers. Use tls://, or a tunnel that ends here"
            )
            raise ValueError(msg)
        if parts.scheme == "tls" and not (self.ca and self.certificate and self.key):
            msg = "tls:// needs ca, certificate and key in the section [cluster]"
            raise ValueError(msg)
        return self


class Settings(_Section):
    """All of the configuration. Sections left out stand on their defaults."""

    output: OutputSettings = OutputSettings()
    registry: RegistrySettings = RegistrySettings()
    rules: RulesSettings = RulesSettings()
    seal: SealSettings = SealSettings()
    time_stamp: TimeStampSettings = TimeStampSettings()
    revocation: RevocationSettings = RevocationSettings()
    trust: TrustSettings = TrustSettings()
    rendering: RenderingSettings = RenderingSettings()
    valide: ValideSettings = ValideSettings()
    eni: EniSettings = EniSettings()
    run: RunSettings = RunSettings()
    cluster: ClusterSettings = ClusterSettings()
    ledger: LedgerSettings = LedgerSettings()

    def secret_sources(self) -> Iterator[PassphraseSettings]:
        """Where every secret comes from that the configuration names."""
        yield from _secret_sources(self)

    @property
    def ledger_file(self) -> Path | None:
        """The ledger, with links followed; None where a server keeps it."""
        path = self.ledger.url.removeprefix("sqlite:///")
        return None if path == self.ledger.url else real_path(Path(path))

    def ledger_parts(self) -> list[Path]:
        """The files of which the ledger consists, that with the longest name last; none where a server keeps it."""
        file = self.ledger_file
        return [] if file is None else [file.with_name(f"{file.name}{end}") for end in _ENDS_OF_A_LEDGER]


def _secret_sources(section: _Section) -> Iterator[PassphraseSettings]:
    if isinstance(section, PassphraseSettings):
        yield section
        return
    for name in type(section).model_fields:
        value = getattr(section, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, _Section):
                yield from _secret_sources(one)


def find_configuration(named: Path | None, *, environ: Mapping[str, str], folder: Path) -> Path | None:
    """The configuration file that counts: named, from the environment, in the folder, or the system's.

    A file that was asked for by name counts even when it is not there: reading it then says so.
    """
    if named is not None:
        return named
    if value := environ.get(ENVIRONMENT_VARIABLE):
        return Path(value)
    # os.path, since a folder that may not be looked into (root's, after sudo -u) has none for us and is no error
    return next((path for path in (folder / CONFIG_NAME, SYSTEM_CONFIG) if os.path.isfile(path)), None)  # noqa: PTH113


def load_settings(path: Path) -> Settings:
    """Reads and checks a configuration file; relative paths in it are taken from its folder.

    Raises:
        ConfigurationError: the file cannot be read, is no TOML, or has a key or value that means nothing.
    """
    raw = _parsed(path, _text_of(path))
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise mistaken(path, map(_mistake, error.errors())) from error
    try:
        settings = _with_absolute_paths(settings, real_path(path).parent)
    except _NobodysHomeError as error:
        raise mistaken(path, [str(error)]) from error
    if too_long := [f"{name}: is longer than a path can be" for name, one in _all_paths(settings) if _is_too_long(one)]:
        raise mistaken(path, too_long)
    return settings


def named_paths(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """All files and folders that the configuration names as such, each with its key."""
    for key in type(section).model_fields:
        value, name = getattr(section, key), f"{prefix}{key}"
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, BaseModel):
                yield from named_paths(one, f"{name}.")
            elif isinstance(one, Path):
                yield name, one


def _all_paths(settings: Settings) -> Iterator[tuple[str, Path]]:
    yield from named_paths(settings)
    yield from (("ledger.url", part) for part in settings.ledger_parts()[-1:])


def _is_too_long(path: Path) -> bool:
    """Whether no file could ever have this path: the one trouble that Python does not take for a file's absence."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


def _text_of(path: Path) -> str:
    try:
        content = read_regular_file(path)
    except OSError as error:
        raise ConfigurationError(
            f"The configuration {path} cannot be read: {error.strerror or error}.",
            advice="Name another with --config, or make a working folder with `sealtool init`.",
        ) from error
    try:
        return content.decode("utf-8-sig")  # editors of Windows begin a file with a mark of its encoding
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"The configuration {path} is not UTF-8 text (line {line}), as TOML has to be.",
            advice="Save it as UTF-8 with an editor: accents are most often what is written otherwise.",
        ) from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _no_toml(path, str(error)) from error
    except RecursionError:  # and nothing of a traceback of thousands of lines
        raise _no_toml(path, "lists or tables stand in each other too deeply") from None
    except ValueError as error:  # Python reads no number of so many digits
        most = sys.get_int_max_str_digits()
        numbers = (number for number, line in enumerate(text.splitlines(), 1) if re.search(rf"[0-9_]{{{most}}}", line))
        line = next(numbers, 0)
        raise _no_toml(path, f"a number has more digits than can be read (at line {line})") from error


def _no_toml(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The configuration {path} is not valid TOML: {why}.", advice="Correct it; where a line is named, that one."
    )


def mistaken(path: Path, mistakes: Iterable[str]) -> ConfigurationError:
    """The error for a configuration with mistakes, each of which begins with the key it is about."""
    listed = "\n".join(f"  {mistake}" for mistake in mistakes)
    return ConfigurationError(
        f"The configuration {path} has mistakes:\n{listed}\nNothing was done.",
        advice="Correct these entries; the operator's guide lists every key.",
    )


def with_cluster(settings: Settings, address: str) -> Settings:
    """The same settings with another cluster; ``local`` for none.

    Raises:
        UsageError: there can be no cluster at that address.
    """
    changed = {**dict(settings.cluster), "address": None if address == LOCAL else address}
    try:
        return settings.model_copy(update={"cluster": ClusterSettings.model_validate(changed)})
    except ValidationError as error:
        why = "; ".join(map(_words, error.errors()))
        raise UsageError(f"--cluster {address} means nothing: {why}.") from error


def _mistake(mistake: ErrorDetails) -> str:
    return f"{_place(mistake['loc'])}: {_words(mistake)}"


def _place(location: tuple[int | str, ...]) -> str:
    parts = (f" (entry {part + 1})" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _words(mistake: ErrorDetails) -> str:
    """What is wrong with a value, in the words of TOML."""
    words = _WORDS.get(mistake["type"])
    return mistake["msg"].removeprefix("Value error, ") if words is None else words.format(**mistake.get("ctx", {}))


_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "there is no such key",
    "string_type": "has to be a text",
    "path_type": "has to be a text, the path of a file or folder",
    "enum": "has to be {expected}",
    "literal_error": "has to be {expected}",
    "bool_type": "has to be true or false",
    "int_type": "has to be a whole number",
    "float_type": "has to be a number",
    "greater_than": "has to be a number above {gt:g}",
    "greater_than_equal": "has to be {ge:g} or more",
    "less_than_equal": "has to be {le:g} or less",
    "string_too_long": "has to have {max_length} characters or fewer",
    "tuple_type": "has to be a list, in square brackets",
    "too_short": "has to be a list with an entry at least",
    "dict_type": "has to be a table",
    "model_type": "has to be a table",
}
"""What the library calls a mistake, and what we do; the words of our own checks stand beside these."""


class _NobodysHomeError(Exception):
    """A path begins with the home folder of somebody whom the system does not know."""


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise _NobodysHomeError(f"'{path}': there is no home folder {path.parts[0]} on this machine") from error


def _with_absolute_paths(section: SectionT, folder: Path) -> SectionT:
    """The same settings with every path, glob pattern and SQLite file anchored at the folder."""
    changes: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, _Section):
            changes[name] = _with_absolute_paths(value, folder)
        elif isinstance(value, Path):
            changes[name] = folder / _expanded(value)
        elif name == "credentials":
            changes[name] = tuple(_with_absolute_paths(entry, folder) for entry in value)
        elif name in {"anchors", "chain", "lists"}:
            changes[name] = tuple(folder / _expanded(entry) for entry in value)
        elif name == "crls":
            # the pattern is the user's, the folder is not: its name may hold brackets
            changes[name] = tuple(str(Path(glob.escape(str(folder))) / _expanded(Path(entry))) for entry in value)
    if isinstance(section, LedgerSettings) and (file := section.url.removeprefix("sqlite:///")) != section.url:
        changes["url"] = f"sqlite:///{folder / file}"
    return section.model_copy(update=changes)
