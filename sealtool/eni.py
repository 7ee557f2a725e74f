"""Electronic documents of the Spanish administration (Esquema Nacional de Interoperabilidad).

The minimum metadata and the exchange format of the NTI de Documento electrónico (resolution of 19 July 2011): what an
archive asks for when it takes a certificate in.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from sealtool.model import CertificateId

VERSION: Final = "http://administracionelectronica.gob.es/ENI/XSD/v1.0/documento-e"
_METADATA: Final = f"{VERSION}/metadatos"
_CONTENT: Final = f"{VERSION}/contenido"
_SIGNATURE: Final = "http://administracionelectronica.gob.es/ENI/XSD/v1.0/firma"
_ORIGINAL: Final = "EE01"
_CERTIFICATE: Final = "TD11"
_PADES: Final = "TF06"

for _prefix, _uri in (("enidoc", VERSION), ("enidocmeta", _METADATA), ("enifile", _CONTENT), ("enids", _SIGNATURE)):
    register_namespace(_prefix, _uri)


def eni_metadata(
    organ: str, certificate_id: CertificateId, languages: tuple[str, ...], sealed_at: datetime
) -> dict[str, Any]:
    """The minimum metadata of a certificate, by the names that the norm gives them.

    Args:
        organ: DIR3 code of the issuing office, nine characters.
        certificate_id: of the certificate.
        languages: of this file; a certificate with a file for each language is several documents.
        sealed_at: aware; the day of capture, and in UTC the year of the identifier.
    """
    suffix = "" if len(languages) > 1 else languages[0].upper()
    specific = certificate_id.replace("-", "") + suffix
    return {
        "VersionNTI": VERSION,
        "Identificador": f"ES_{organ}_{sealed_at.year}_{specific}",
        "Organo": [organ],
        "FechaCaptura": sealed_at.isoformat(timespec="seconds"),
        "OrigenCiudadanoAdministracion": True,
        "EstadoElaboracion": _ORIGINAL,
        "NombreFormato": "PDF",
        "TipoDocumental": _CERTIFICATE,
        "TipoFirma": _PADES,
    }


def eni_document(metadata: Mapping[str, Any], content: bytes) -> bytes:
    """The document in the exchange format: the file itself, its metadata, and where its signature is.

    Args:
        metadata: of :func:`eni_metadata`.
        content: the sealed PDF.

    Returns:
        XML in UTF-8, of the schema ``documentoEni.xsd`` v1.0.
    """
    document = Element(f"{{{VERSION}}}documento", {"Id": "DOCUMENT"})
    holder = SubElement(document, f"{{{_CONTENT}}}contenido", {"Id": "CONTENT"})
    SubElement(holder, f"{{{_CONTENT}}}ValorBinario").text = base64.b64encode(content).decode("ascii")
    SubElement(holder, f"{{{_CONTENT}}}NombreFormato").text = metadata["NombreFormato"]
    described = SubElement(document, f"{{{_METADATA}}}metadatos", {"Id": "METADATA"})
    _add(described, "VersionNTI", metadata["VersionNTI"])
    _add(described, "Identificador", metadata["Identificador"])
    for organ in metadata["Organo"]:
        _add(described, "Organo", organ)
    _add(described, "FechaCaptura", metadata["FechaCaptura"])
    _add(described, "OrigenCiudadanoAdministracion", str(metadata["OrigenCiudadanoAdministracion"]).lower())
    state = SubElement(described, f"{{{_METADATA}}}EstadoElaboracion")
    _add(state, "ValorEstadoElaboracion", metadata["EstadoElaboracion"])
    _add(described, "TipoDocumental", metadata["TipoDocumental"])
    signature = SubElement(
        SubElement(document, f"{{{_SIGNATURE}}}firmas"), f"{{{_SIGNATURE}}}firma", {"Id": "SIGNATURE", "ref": "CONTENT"}
    )
    SubElement(signature, f"{{{_SIGNATURE}}}TipoFirma").text = metadata["TipoFirma"]
    made = SubElement(SubElement(signature, f"{{{_SIGNATURE}}}ContenidoFirma"), f"{{{_SIGNATURE}}}FirmaConCertificado")
    SubElement(made, f"{{{_SIGNATURE}}}ReferenciaFirma").text = "CONTENT"
    return bytes(tostring(document, encoding="utf-8", xml_declaration=True))


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, f"{{{_METADATA}}}{name}").text = text
