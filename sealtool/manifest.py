"""The verification manifest: what a run issued, and what a validator will say of each file.

The pydantic models below are the format; the published JSON Schema is made from them. The JSON is canonical
(:mod:`sealtool.canonical`), so one manifest has one hash.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, ValidationError

from sealtool.canonical import canonical_json
from sealtool.identifiers import parse_certificate_id
from sealtool.model import Verification
from sealtool.published import Part, schema_of
from sealtool.spreadsheets import BYTE_ORDER_MARK, as_text

SCHEMA: Final = "sealtool.manifest/1"
FIRST_OF_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a cell of the table never begins with. No more than at first: tables of before must stay what they are to the
byte, and all that others write in one are names of authorities and organisations."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in lower-case hexadecimal")]
Moment = Annotated[datetime, Field(description="ISO 8601, in UTC")]


def _known_certificate_id(text: str) -> str:
    if parse_certificate_id(text) != text:
        raise ValueError("this is no certificate id")
    return text


class SealEntry(Part):
    """The seal as VALIDe shows it."""

    subject: str
    organization_identifier: str = Field(description="organizationIdentifier, 2.5.4.97")
    issuer: str
    serial_number: str = Field(pattern=r"^\d+$", description="decimal, as VALIDe shows it")
    serial_number_hex: str = Field(pattern=r"^[0-9a-f]+$")
    certificate_sha256: Sha256
    policy_oids: tuple[str, ...]
    qualified_statements: tuple[str, ...]
    valid_from: Moment
    valid_until: Moment
    format: Literal["PAdES"] = "PAdES"
    sub_filter: str
    pades_level: Literal["B-B", "B-T", "B-LT", "B-LTA"]
    digest_algorithm: str
    signature_algorithm: str
    signing_time: Moment | None
    time_stamp_at: Moment | None
    time_stamp_authority: str
    signature_policy: str = Field(description="object identifier; empty when the seal names none")


class ManualCheck(Part):
    """What an operator writes down after a check by hand at VALIDe, which asks a captcha."""

    verdict: str = ""
    checked_on: str = ""
    operator: str = ""


class ValideEntry(Part):
    """What to expect of VALIDe, and room for what it said."""

    address: str
    expected_verdict: str
    manual_check: ManualCheck = ManualCheck()


class EniEntry(Part):
    """Minimum metadata of an electronic document, by the names of the Spanish norm (NTI de Documento electrónico)."""

    version_nti: str = Field(alias="VersionNTI", serialization_alias="VersionNTI")
    identifier: str = Field(
        alias="Identificador", serialization_alias="Identificador", pattern=r"^ES_[A-Z0-9]{9}_\d{4}_[A-Za-z0-9_]{1,30}$"
    )
    organs: tuple[str, ...] = Field(alias="Organo", serialization_alias="Organo", description="DIR3 codes")
    captured_at: Moment = Field(alias="FechaCaptura", serialization_alias="FechaCaptura")
    by_administration: Literal[True] = Field(
        alias="OrigenCiudadanoAdministracion", serialization_alias="OrigenCiudadanoAdministracion"
    )
    elaboration: Literal["EE01"] = Field(
        alias="EstadoElaboracion", serialization_alias="EstadoElaboracion", description="original"
    )
    file_format: Literal["PDF"] = Field(alias="NombreFormato", serialization_alias="NombreFormato")
    kind: Literal["TD11"] = Field(
        alias="TipoDocumental", serialization_alias="TipoDocumental", description="certificate"
    )
    signature: Literal["TF06"] = Field(alias="TipoFirma", serialization_alias="TipoFirma", description="PAdES")


class DocumentEntry(Part):
    """One sealed file."""

    certificate_id: Annotated[str, AfterValidator(_known_certificate_id)]
    path: str = Field(
        pattern=r"^\d{4}/(A1|A2|B1|B2|C1|C2)/[0-9A-Z-]+(\.ca|\.es)?\.pdf$",
        description="relative to the output folder, the parent of the folder of manifests",
    )
    sha256: Sha256
    size: int = Field(ge=1, alias="bytes", serialization_alias="bytes")
    pages: int = Field(ge=1)
    level: Literal["A1", "A2", "B1", "B2", "C1", "C2"]
    area: int | None = Field(ge=1, le=6, description="the area, at C2 only")
    languages: tuple[Literal["ca", "es"], ...]
    state: Literal["issued", "superseded", "revoked"]
    predecessor: str | None
    successor: str | None
    seal: SealEntry
    # Manifests of before this was known do not have it, and must stay what they are to the byte, with their tables.
    provable_until: Moment | None = Field(
        default=None,
        exclude_if=lambda moment: moment is None,
        description="until when what the file holds proves its seal without being renewed",
    )
    eni: EniEntry | None = Field(
        default=None,
        exclude_if=lambda entry: entry is None,
        description="for the archive; manifests of before this was known do not have it",
    )
    valide: ValideEntry


class InputFile(Part):
    """A file of the registry export that the run read."""

    name: str
    sha256: Sha256
    rows: int


class PreviousManifest(Part):
    """The manifest before this one in the same folder: so that none can be taken away unnoticed."""

    run_id: str
    sha256: Sha256


class RunEntry(Part):
    """The run that wrote the manifest."""

    run_id: str
    created_at: Moment
    tool_version: str
    rules_version: str
    rules_sha256: Sha256
    inputs: tuple[InputFile, ...]
    counts: Mapping[str, int]
    ledger_sequence: int = Field(ge=0, description="number of the newest event in the ledger")
    ledger_head: Sha256 = Field(description="hash of that event: the head of the ledger's hash chain")
    previous_manifest: PreviousManifest | None = Field(description="null in the first one of a ledger")


_NO_DOCUMENTS: Final = '"documents":[]'


class Manifest(Part):
    """A manifest: the files of which no earlier manifest speaks, or whose state has changed since."""

    schema_name: Literal["sealtool.manifest/1"] = Field(default=SCHEMA, alias="schema", serialization_alias="schema")
    run: RunEntry
    documents: tuple[DocumentEntry, ...]

    def to_json(self) -> bytes:
        """Canonical JSON, UTF-8; document by document, as there may be many."""
        nothing_listed = self.model_copy(update={"documents": ()})
        before, _, behind = canonical_json(_as_values(nothing_listed)).partition(_NO_DOCUMENTS)
        documents = b",".join(canonical_json(_as_values(document)).encode() for document in self.documents)
        opening, closing = _NO_DOCUMENTS[:-1], _NO_DOCUMENTS[-1]
        return b"".join((before.encode(), opening.encode(), documents, closing.encode(), behind.encode()))

    def to_csv(self) -> bytes:
        """The documents as a table for a spreadsheet: UTF-8 with BOM, semicolons, one line a document.

        A cell that a spreadsheet would take for a formula is preceded by an apostrophe.
        """
        text = io.StringIO()
        columns = list(dict.fromkeys(name for row in self._rows() for name in row)) or ["run_id"]
        writer = csv.DictWriter(text, fieldnames=columns, delimiter=";")
        writer.writeheader()
        writer.writerows(
            {name: as_text(value, FIRST_OF_FORMULA) for name, value in row.items()} for row in self._rows()
        )
        return BYTE_ORDER_MARK + text.getvalue().encode()

    def _rows(self) -> Iterator[dict[str, str]]:
        for document in self.documents:
            yield {"run_id": self.run.run_id, **_flat(_as_values(document))}


def _as_values(part: Part) -> dict[str, Any]:
    return part.model_dump(mode="json", by_alias=True)


def parse_manifest(content: bytes) -> Manifest:
    """Reads a manifest strictly.

    Raises:
        ValueError: it is not a manifest of this schema; the message says where.
    """
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ValueError(f"{place}: {first['msg']}") from None


def json_schema() -> dict[str, Any]:
    """The published JSON Schema."""
    return schema_of(Manifest, "manifest:1")


def seal_as_json(verification: Verification) -> dict[str, Any]:
    """What the manifest will say of a seal, from our own verifier's judgement of the finished file.

    Raises:
        ValueError: the file has no verified seal.
    """
    if verification.seal is None or verification.pades_level is None:
        raise ValueError("only a verified seal can be described")
    facts = verification.seal
    entry = SealEntry(
        subject=facts.subject,
        organization_identifier=facts.organization_identifier,
        issuer=facts.issuer,
        serial_number=facts.serial_number,
        serial_number_hex=f"{int(facts.serial_number):x}",
        certificate_sha256=facts.certificate_sha256,
        policy_oids=facts.policy_oids,
        qualified_statements=facts.qualified_statements,
        valid_from=facts.valid_from.astimezone(UTC),
        valid_until=facts.valid_until.astimezone(UTC),
        sub_filter=facts.sub_filter,
        pades_level=verification.pades_level.value,
        digest_algorithm=facts.digest_algorithm,
        signature_algorithm=facts.signature_algorithm,
        signing_time=facts.signing_time and facts.signing_time.astimezone(UTC),
        time_stamp_at=facts.time_stamp_at and facts.time_stamp_at.astimezone(UTC),
        time_stamp_authority=facts.time_stamp_authority,
        signature_policy=facts.signature_policy,
    )
    return entry.model_dump(mode="json")


def sealed_at(seal: SealEntry) -> datetime:
    """When a document was sealed, as far as is proven: the time stamp's word, otherwise the seal's own.

    Raises:
        ValueError: neither says.
    """
    moment = seal.time_stamp_at or seal.signing_time
    if moment is None:
        raise ValueError("a seal without any time cannot have been made here")
    return moment


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    row: dict[str, str] = {}
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            row.update(_flat(inner, f"{prefix}{name}."))
        elif isinstance(inner, Sequence) and not isinstance(inner, str):
            row[prefix + name] = " ".join(str(one) for one in inner)
        else:
            row[prefix + name] = "" if inner is None else str(inner)
    return row
