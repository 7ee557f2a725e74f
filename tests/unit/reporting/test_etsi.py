"""The validation report of ETSI TS 119 102-2: our verdicts in the standard's words."""

import base64
from xml.etree import ElementTree as ET

import pytest

from sealtool.model import Verdict
from sealtool.reporting.etsi import NAMESPACE, REASON_TYPE, etsi_report
from sealtool.reporting.report import Report
from tests.unit.reporting.examples import EVIDENCE, FAILED, MISSING, not_passed, passed, report

_NAMES = {"vr": NAMESPACE, "ds": "http://www.w3.org/2000/09/xmldsig#"}


def parsed(one: Report) -> ET.Element:
    return ET.fromstring(etsi_report(one))  # noqa: S314 - our own


def texts(element: ET.Element, path: str) -> list[str | None]:
    return [found.text for found in element.findall(path, _NAMES)]


def reports(one: Report) -> list[ET.Element]:
    return parsed(one).findall("vr:SignatureValidationReport", _NAMES)


@pytest.mark.parametrize(
    ("verdict", "name"),
    [
        (Verdict.PASSED, "total-passed"),
        (Verdict.FAILED, "total-failed"),
        (Verdict.INDETERMINATE, "indeterminate"),
    ],
)
def test_each_verdict_has_the_standards_name(verdict: Verdict, name: str) -> None:
    (one,) = reports(report(not_passed("a.pdf", verdict, "")))
    assert texts(one, ".//vr:MainIndication") == [f"urn:etsi:019102:mainindication:{name}"]


def test_there_is_one_report_for_each_file_in_their_order() -> None:
    found = reports(report(FAILED, MISSING, passed()))
    assert [texts(one, ".//vr:SubIndication") for one in found] == [
        ["urn:etsi:019102:subindication:FORMAT_FAILURE"],
        ["urn:etsi:019102:subindication:SIGNED_DATA_NOT_FOUND"],
        [],
    ]


def test_our_reasons_go_with_the_status() -> None:
    (one,) = reports(report(MISSING))
    assert texts(one, ".//vr:ReportData/vr:Type") == [REASON_TYPE]
    assert texts(one, ".//vr:ReportData/vr:Value") == ["FILE_MISSING: Gone."]


def test_the_seal_is_identified_by_what_it_signs_and_by_its_value() -> None:
    (one,) = reports(report(passed()))
    identifier = one.find("vr:SignatureIdentifier", _NAMES)
    assert identifier is not None
    assert texts(identifier, ".//ds:DigestValue") == [base64.b64encode(EVIDENCE.attributes_digest).decode()]
    assert texts(identifier, "ds:SignatureValue") == [base64.b64encode(EVIDENCE.signature).decode()]


def test_the_best_signature_time_is_the_proven_one_and_otherwise_that_of_judgement() -> None:
    proven, unproven = reports(report(passed(), MISSING))
    assert texts(proven, ".//vr:BestSignatureTime/vr:POETime") == ["2026-03-02T12:00:05Z"]
    assert texts(unproven, ".//vr:BestSignatureTime/vr:POETime") == ["2026-03-03T09:30:00Z"]
    assert texts(proven, ".//vr:ValidationTime") == ["2026-03-03T09:30:00Z"]


def test_the_process_is_named_by_the_time_stamps_that_were_judged() -> None:
    judged, missing = reports(report(passed(), MISSING))
    path = "vr:SignatureValidationProcess/vr:SignatureValidationProcessID"
    assert texts(judged, path) == ["urn:etsi:019102:validationprocess:LTA"]
    assert texts(missing, path) == ["urn:etsi:019102:validationprocess:Basic"]


def test_what_is_referred_to_is_there_once_however_many_files_share_it() -> None:
    whole = parsed(report(passed("a.pdf"), passed("b.pdf"), FAILED))
    identifiers = [one.attrib["id"] for one in whole.iter(f"{{{NAMESPACE}}}ValidationObject")]
    references = {one.attrib["VOReference"] for one in whole.iter() if "VOReference" in one.attrib}
    assert len(identifiers) == len(set(identifiers)) == 3 + 2 + 3
    assert references == set(identifiers)
    certificates = texts(whole, ".//vr:ValidationObjectRepresentation/vr:base64")
    assert certificates == [base64.b64encode(der).decode() for der in EVIDENCE.certificates]


def test_names_that_xml_cannot_hold_do_not_break_it() -> None:
    (value,) = texts(reports(report(FAILED))[0], ".//vr:ReportData/vr:Value")
    assert value is not None
    assert "\\x1b[2K" in value
    assert "<script>" in value


def test_it_names_no_person() -> None:
    content = etsi_report(report(passed())).decode("utf-8")
    assert "10000000P" not in content
    assert "Gal·la" not in content


def test_it_tells_which_program_judged() -> None:
    (name,) = texts(parsed(report(passed())), "vr:SignatureValidator/vr:DigitalId/*")
    assert name == "CN=sealtool 9.9.9"
