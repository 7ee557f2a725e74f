"""The test PKI and the sealed files, made once a session."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from weasyprint import HTML, Attachment

from sealtool.model import PadesLevel
from sealtool.verification import Trust
from tests.pki.authorities import NOW, Pki, pki
from tests.pki.sealed_files import SHOWN_FACTS, record_json, seal, small_pdf, stamper_of
from tests.pki.tampering import stamped


@pytest.fixture(scope="session")
def hierarchy() -> Pki:
    return pki()


@pytest.fixture(scope="session")
def trust(hierarchy: Pki) -> Trust:
    """The anchor alone."""
    return Trust((hierarchy.root.der,))


@pytest.fixture(scope="session")
def trust_with_lists(hierarchy: Pki) -> Trust:
    """The anchor and current revocation lists."""
    return Trust((hierarchy.root.der,), (), hierarchy.lists)


@pytest.fixture(scope="session")
def sealed() -> dict[PadesLevel, bytes]:
    return {level: seal(small_pdf(), level) for level in PadesLevel}


@pytest.fixture(scope="session")
def sealed_rsa() -> bytes:
    return seal(small_pdf(), PadesLevel.B_LT, who="rsa")


@pytest.fixture(scope="session")
def restamped(sealed: dict[PadesLevel, bytes], hierarchy: Pki) -> bytes:
    return stamped(sealed[PadesLevel.B_LTA], stamper_of(hierarchy, NOW + timedelta(hours=1)))


@pytest.fixture(scope="session")
def sealed_tagged() -> dict[PadesLevel, bytes]:
    """A tagged two-page PDF/UA-1 with tables, as certificates are."""
    rows = "".join(f"<tr><td>{number}</td><td>2024-11-30</td><td>formació</td></tr>" for number in range(1, 7))
    facts = "".join(f"<p>{value}</p>" for value in SHOWN_FACTS)
    page = f"<h1>Acreditació</h1><p>Nivell B1</p>{facts}<table><tr><th>a</th><th>b</th><th>c</th></tr>{rows}</table>"
    html = f"<html lang=ca><title>T</title><body>{page}<div style='break-before: page'>{page}</div></body></html>"
    record = Attachment(string=record_json(), name="record.json", relationship="Data")
    out = io.BytesIO()
    HTML(string=html).write_pdf(out, attachments=[record], pdf_variant="pdf/ua-1")
    return {level: seal(out.getvalue(), level) for level in PadesLevel}
