"""Electronic documents as the Esquema Nacional de Interoperabilidad wants them."""

import base64
import re
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, fromstring

import pytest

from sealtool.eni import VERSION, eni_document, eni_metadata
from sealtool.model import CertificateId

CERTIFICATE = CertificateId("0DEAK-324YG-6E12V-14DGD")
SEALED_AT = datetime(2026, 11, 22, 3, 30, 1, tzinfo=UTC)
BOTH = ("ca", "es")


def document() -> Element:
    made = eni_document(eni_metadata("A04003003", CERTIFICATE, BOTH, SEALED_AT), b"%PDF-1.7 sealed")
    return fromstring(made)  # noqa: S314 - our own output


def names(element: Element) -> list[str]:
    return [child.tag.rpartition("}")[2] for child in element]


@pytest.mark.parametrize("languages", [BOTH, ("ca",), ("es",)])
def test_an_identifier_has_the_form_of_the_norm(languages: tuple[str, ...]) -> None:
    identifier = eni_metadata("A04003003", CERTIFICATE, languages, SEALED_AT)["Identificador"]
    assert re.fullmatch(r"ES_[A-Z0-9]{9}_\d{4}_[A-Za-z0-9_]{1,30}", identifier)


def test_the_files_of_one_certificate_have_identifiers_of_their_own() -> None:
    found = {
        eni_metadata("A04003003", CERTIFICATE, each, SEALED_AT)["Identificador"] for each in (BOTH, ("ca",), ("es",))
    }
    assert len(found) == 3


def test_a_certificate_is_an_original_certificate_of_the_administration_sealed_with_pades() -> None:
    metadata = eni_metadata("A04003003", CERTIFICATE, BOTH, SEALED_AT)
    assert metadata["VersionNTI"] == VERSION
    assert metadata["OrigenCiudadanoAdministracion"] is True
    assert (metadata["EstadoElaboracion"], metadata["TipoDocumental"], metadata["TipoFirma"]) == (
        "EE01",
        "TD11",
        "TF06",
    )
    assert metadata["FechaCaptura"] == "2026-11-22T03:30:01+00:00"


def test_a_document_has_the_elements_of_the_schema_in_their_order() -> None:
    root = document()
    assert root.tag == f"{{{VERSION}}}documento"
    assert [child.tag for child in root] == [
        f"{{{VERSION}/contenido}}contenido",
        f"{{{VERSION}/metadatos}}metadatos",
        "{http://administracionelectronica.gob.es/ENI/XSD/v1.0/firma}firmas",
    ]
    content, metadata, signatures = root
    assert names(content) == ["ValorBinario", "NombreFormato"]
    assert names(metadata) == [
        *("VersionNTI", "Identificador", "Organo", "FechaCaptura", "OrigenCiudadanoAdministracion"),
        *("EstadoElaboracion", "TipoDocumental"),
    ]
    assert names(signatures[0]) == ["TipoFirma", "ContenidoFirma"]
    assert metadata[4].text == "true"


def test_the_document_holds_the_sealed_file_and_says_that_its_signature_is_in_it() -> None:
    root = document()
    assert base64.b64decode(root[0][0].text or "") == b"%PDF-1.7 sealed"
    reference = root[2][0][1][0][0]
    assert reference.tag.endswith("}ReferenciaFirma")
    assert reference.text == root[0].get("Id")
