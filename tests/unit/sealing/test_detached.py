from __future__ import annotations

import asyncio
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from pyhanko.keys.internal import translate_pyca_cryptography_cert_to_asn1 as asn1
from pyhanko.sign.validation import async_validate_detached_cms
from pyhanko_certvalidator import ValidationContext

from sealtool.model import PadesLevel
from sealtool.sealing import Sealer, SealingProfile

CONTENT = '{"manifest": "acreditació"}\n'.encode()


def detached(pki: Any, now: datetime, *, stamped: bool = True, level: PadesLevel = PadesLevel.B_B) -> bytes:
    sealer = Sealer(
        pki.seal,
        SealingProfile(level),
        time_stamps=[pki.authority] if stamped else [],
        trust_anchors=pki.anchors,
        revocation=pki.revocation,
        clock=lambda: now,
    )
    return asyncio.run(sealer.seal_detached(CONTENT))


def openssl(pki: Any, folder: Path, seal: bytes, content: bytes, now: datetime) -> subprocess.CompletedProcess[bytes]:
    (folder / "seal.p7s").write_bytes(seal)
    (folder / "content").write_bytes(content)
    arguments = ["-in", folder / "seal.p7s", "-content", folder / "content", "-binary"]
    trust = ["-CAfile", pki.folder / pki.files.trust_anchor, "-purpose", "any", "-attime", str(int(now.timestamp()))]
    return subprocess.run(
        ["openssl", "cms", "-verify", "-cades", "-inform", "DER", *arguments, *trust, "-out", "/dev/null"],
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("stamped", [True, False])
def test_detached_seal_validates_with_openssl(pki: Any, tmp_path: Path, now: datetime, stamped: bool) -> None:
    result = openssl(pki, tmp_path, detached(pki, now, stamped=stamped), CONTENT, now)

    assert result.returncode == 0, result.stderr


def test_detached_seal_of_something_else_does_not_validate(pki: Any, tmp_path: Path, now: datetime) -> None:
    assert openssl(pki, tmp_path, detached(pki, now), CONTENT + b" ", now).returncode != 0


@pytest.mark.parametrize("stamped", [True, False])
def test_detached_seal_validates_with_pyhanko(pki: Any, now: datetime, stamped: bool) -> None:
    signed = cms.ContentInfo.load(detached(pki, now, stamped=stamped))["content"]
    crls = [(pki.folder / "pki" / name).read_bytes() for name in ("root.crl", "issuing.crl")]
    roots = [asn1(anchor) for anchor in pki.anchors]
    trust = ValidationContext(trust_roots=roots, moment=now, crls=crls, revocation_mode="require")

    status = asyncio.run(async_validate_detached_cms(CONTENT, signed, signer_validation_context=trust))

    assert status.bottom_line
    assert (status.timestamp_validity is not None) is stamped


@pytest.mark.parametrize("level", list(PadesLevel))
def test_detached_seal_is_cades_at_every_level(pki: Any, now: datetime, level: PadesLevel) -> None:
    signed = cms.ContentInfo.load(detached(pki, now, level=level))["content"]
    (signer_info,) = signed["signer_infos"]
    attributes = {attribute["type"].native for attribute in signer_info["signed_attrs"]}

    assert {"content_type", "message_digest", "signing_certificate_v2", "signing_time"} <= attributes
    assert [attribute["type"].native for attribute in signer_info["unsigned_attrs"]] == ["signature_time_stamp_token"]
    assert signed["encap_content_info"]["content"].native is None
