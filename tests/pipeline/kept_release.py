"""What today's verifier says of a kept release: one sealed set for each version that was published."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sealtool.model import Verification
from sealtool.verification import Trust, load_trust, verify_certificate, verify_detached

RELEASES = Path(__file__).parents[1] / "releases"
OUT, TRUST, EXPECTED = "out", "trust", "expected.json"
SCHEMA = "sealtool.kept-release/1"
ORGANIZATION = "VATES-S0711001H"


def trust_of(release: Path) -> Trust:
    """The anchors and revocation lists that were kept with it, and the organisation whose seals count."""
    return load_trust([release / TRUST], [ORGANIZATION])


def judged(release: Path, now: datetime) -> dict[str, Any]:
    """Verdicts, levels and certified facts as of ``now``, in the form of ``expected.json``."""
    out, trust = release / OUT, trust_of(release)
    listed = {document["path"]: document for manifest in manifests(out) for document in _content(manifest)["documents"]}
    documents = [
        _told(path.relative_to(out).as_posix(), verify_certificate(path.read_bytes(), trust, now=now))
        | {"listed_sha256": listed.get(path.relative_to(out).as_posix(), {}).get("sha256")}
        for path in sorted(out.glob("*/*/*.pdf"))
    ]
    return {
        "schema": SCHEMA,
        "judged_at": now.isoformat(),
        "documents": documents,
        "manifests": [_manifest(path, trust, now) for path in manifests(out)],
    }


def manifests(out: Path) -> list[Path]:
    return sorted((out / "manifests").glob("*.json"))


def _content(manifest: Path) -> dict[str, Any]:
    return json.loads(manifest.read_bytes())  # type: ignore[no-any-return]


def _manifest(path: Path, trust: Trust, now: datetime) -> dict[str, Any]:
    content = path.read_bytes()
    verification = verify_detached(content, path.with_name(f"{path.name}.p7s").read_bytes(), trust, now=now)
    table = csv.reader(io.StringIO(path.with_suffix(".csv").read_text(encoding="utf-8-sig")))
    return _told(path.name, verification) | {
        "format": _content(path)["schema"],
        "documents": [document["path"] for document in _content(path)["documents"]],
        "lines_of_the_table": sum(1 for _ in table) - 1,
    }


def _told(name: str, verification: Verification) -> dict[str, Any]:
    certificate, seal = verification.certificate, verification.seal
    return {
        "path": name,
        "sha256": verification.sha256,
        "bytes": verification.size,
        "pages": verification.pages,
        "verdict": str(verification.verdict),
        "reasons": [reason.code for reason in verification.reasons],
        "pades_level": None if verification.pades_level is None else str(verification.pades_level),
        "sealed_at": None if verification.sealed_at is None else verification.sealed_at.isoformat(),
        "seal": None if seal is None else {"subject": seal.subject, "serial_number": seal.serial_number},
        "certificate": None if certificate is None else _certified(certificate),
    }


_CERTIFIED = ("certificate_id", "level", "area", "person_id", "full_name", "accredited_on", "issued_on")


def _certified(facts: object) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in _CERTIFIED}


def files(release: Path) -> Iterator[Path]:
    return (path for path in sorted(release.rglob("*")) if path.is_file())
