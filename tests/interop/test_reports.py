"""The validation report before the schema of ETSI TS 119 102-2, as EU DSS brings it."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from tests.interop.conftest import Issued
from tests.interop.java_judges import made_ready

pytestmark = pytest.mark.interop

_SCHEMA = "TS119102-2-v122.xsd"
_IMPORTED = {
    "xmldsig-core-schema.xsd": "xmldsig-core-schema.xsd",
    "XAdES.xsd": "XAdES01903v132-202407.xsd",
    "ts_119612v020201_201601xsd.xsd": "ts_119612v020101_xsd.xsd",
    "xml.xsd": "xml.xsd",
}


class _FromTheJars(etree.Resolver):
    """The schemas name each other by addresses on the network; the jars hold them all."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def resolve(self, url: str, _public_id: str | None, context: object) -> object:
        name = url.rsplit("/", 1)[-1]
        return self.resolve_filename(str(self._folder / _IMPORTED.get(name, name)), context)


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    folder = tmp_path_factory.mktemp("schemas")
    for jar in (made_ready("dss") / "libraries").glob("specs-*.jar"):
        with zipfile.ZipFile(jar) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if name.endswith(".xsd")])
    parser = etree.XMLParser(no_network=True, load_dtd=False)
    parser.resolvers.add(_FromTheJars(folder / "xsd"))
    return etree.XMLSchema(etree.parse(folder / "xsd" / _SCHEMA, parser))


def test_the_validation_report_follows_the_schema_of_the_standard(
    issued: Issued, schema: etree.XMLSchema, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    shutil.copytree(issued.folder.path / "out", folder)
    changed, taken, *_ = sorted(folder.glob("2*/*/*.pdf"))
    changed.write_bytes(changed.read_bytes().replace(b"%PDF-1.7", b"%PDF-1.6", 1))
    taken.unlink()
    (folder / "note<&\x07.pdf").write_bytes(b"hello")
    outcome = issued.folder.call("verify", folder, "--etsi", tmp_path / "report.xml", "--json")
    assert outcome.code == 1
    report = etree.parse(tmp_path / "report.xml")
    assert schema.validate(report), schema.error_log
    found = report.getroot().findall("{*}SignatureValidationReport")
    assert len(found) == len(outcome.json["files"]) > 10


def test_a_report_that_does_not_follow_the_schema_is_noticed(schema: etree.XMLSchema) -> None:
    assert not schema.validate(etree.XML('<ValidationReport xmlns="http://uri.etsi.org/19102/v1.2.1#"/>'))
