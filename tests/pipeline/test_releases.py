"""What was issued by an earlier version is judged the same by this one: verdicts, levels, certified facts."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import verify_certificate
from tests.pipeline.kept_release import EXPECTED, OUT, RELEASES, files, judged, trust_of
from tests.pki.tampering import flip

KEPT = sorted(path for path in RELEASES.iterdir() if path.is_dir())
each_release = pytest.mark.parametrize("release", KEPT, ids=lambda path: path.name)


def _expected(release: Path) -> dict[str, Any]:
    return json.loads((release / EXPECTED).read_bytes())  # type: ignore[no-any-return]


def test_there_are_kept_releases() -> None:
    assert KEPT


@each_release
def test_a_kept_release_is_judged_as_it_was(release: Path) -> None:
    expected = _expected(release)
    assert judged(release, datetime.fromisoformat(expected["judged_at"])) == expected


@each_release
def test_a_kept_release_has_every_level_of_the_seal(release: Path) -> None:
    documents = _expected(release)["documents"]
    assert {one["verdict"] for one in documents} == {"PASSED"}
    assert {one["sha256"] for one in documents} == {one["listed_sha256"] for one in documents}
    levels = Counter(one["pades_level"] for one in documents)
    assert set(levels) == set(PadesLevel)
    assert all(2 <= count <= 3 for count in levels.values())
    assert {(one["certificate"]["level"], one["certificate"]["area"]) for one in documents} >= {("B1", None), ("C2", 4)}


@each_release
def test_a_changed_byte_of_a_kept_certificate_does_not_pass(release: Path) -> None:
    now, trust = datetime.fromisoformat(_expected(release)["judged_at"]), trust_of(release)
    for path in (release / OUT).glob("*/*/*.pdf"):
        content = path.read_bytes()
        changed = flip(content, content.index(b"/ByteRange") // 2)
        assert verify_certificate(changed, trust, now=now).verdict is not Verdict.PASSED


@each_release
def test_no_private_key_is_kept(release: Path) -> None:
    for path in files(release):
        content = path.read_bytes()
        assert b"PRIVATE KEY" not in content, path
        assert path.suffix in {".pdf", ".json", ".p7s", ".csv", ".pem", ".crl", ".md"}, path
        for load in (load_der_private_key, load_pem_private_key, load_pkcs12):
            with pytest.raises(ValueError):
                load(content, None)


@each_release
def test_a_kept_release_is_small(release: Path) -> None:
    assert sum(path.stat().st_size for path in files(release)) < 1_500_000
