"""A remote signing service on loopback (CSC API 1.0.4 and 2.0): a real HTTP server with a key of its own.

It is as strict as the specification lets it be: no request without the bearer token, no signature without an
authorisation that was given for exactly these digests, none twice. Its faults are switches.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from asn1crypto import algos
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding

TOKEN = "bearer-t0ken-of-the-test"
PIN = "p1n-of-the-test"
CREDENTIAL = "seal/1"

RSA, PSS = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"
SHA256_RSA, SHA384_RSA = "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12"
SHA256_ECDSA, SHA384_ECDSA = "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3"
DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Body = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - what it is called in the specification's words
    """CSC API 1.0.4, 10.1."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


@dataclass
class CscServer:
    """The service, its key, its switches, and what it was asked.

    Attributes:
        faults_left: so many requests to come are answered with ``fault`` (an HTTP status, or 0 to hang up).
        delay: seconds before every answer.
        forge: turns a good signature into what is given.
        describe: changes the answer to ``credentials/info``.
        authorised: numbers of signatures that authorisations were given for, in order.
    """

    key: PrivateKey
    certificates: list[x509.Certificate]
    version: str = "v1"
    algorithms: tuple[str, ...] = (RSA, PSS, SHA256_RSA, SHA256_ECDSA, SHA384_ECDSA)
    multisign: int = 4
    token: str = TOKEN
    pin: str | None = PIN
    url: str = ""
    faults_left: int = 0
    fault: int = 503
    faulty: str = ""
    delay: float = 0.0
    redirect_to: str = ""
    forge: Any = None
    fewer: int = 0
    describe: Any = None
    asked: list[str] = field(default_factory=list)
    authorised: list[int] = field(default_factory=list)
    signed: int = 0
    _activated: dict[str, list[str]] = field(default_factory=dict)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post(f"/csc/{self.version}/{{group}}/{{task}}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        endpoint = f"{request.match_info['group']}/{request.match_info['task']}"
        self.asked.append(endpoint)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), self.delay)
        if self.faults_left and endpoint.endswith(self.faulty):
            self.faults_left -= 1
            if not self.fault:
                assert request.transport is not None
                request.transport.abort()
            return web.Response(status=self.fault or 200, text="<html>not now</html>", content_type="text/html")
        if self.redirect_to:
            return web.Response(status=307, headers={"Location": self.redirect_to})
        try:
            return web.json_response(self._answer(endpoint, request.headers.get("Authorization"), await request.json()))
        except Refusal as no:
            return web.json_response({"error": no.error, "error_description": no.description}, status=no.status)

    def _answer(self, endpoint: str, authorization: str | None, body: Body) -> Body:
        if authorization != f"Bearer {self.token}":
            raise Refusal("invalid_token", f"not this one: {authorization}", 401)
        if body.get("credentialID") != CREDENTIAL:
            raise Refusal("invalid_request", "Invalid parameter credentialID")
        tasks = {
            "credentials/info": self._info,
            "credentials/authorize": self._authorize,
            "signatures/signHash": self._sign,
        }
        return tasks[endpoint](body)

    def _info(self, body: Body) -> Body:
        if body.get("certificates") != "chain":
            raise Refusal("invalid_request", "Invalid parameter certificates")
        answer: Body = {
            "key": {"status": "enabled", "algo": list(self.algorithms), "len": self.key.key_size},
            "cert": {
                "status": "valid",
                "certificates": [
                    base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in self.certificates
                ],
            },
            "SCAL": "2",
            "multisign": self.multisign,
        }
        if self.version == "v1":
            answer |= {"authMode": "explicit" if self.pin else "implicit"}
            answer |= {"PIN": {"presence": str(bool(self.pin)).lower()}, "OTP": {"presence": "false"}}
        else:
            objects = [{"type": "Password", "id": "seal-pin", "format": "A"}] if self.pin else []
            answer |= {"auth": {"mode": "explicit" if self.pin else "implicit", "objects": objects}}
        return answer if self.describe is None else self.describe(answer)

    def _authorize(self, body: Body) -> Body:
        wanted, given = self._hashes(body), body.get("numSignatures")
        if given != len(wanted) or not 1 <= given <= self.multisign:
            raise Refusal("invalid_request", "Invalid parameter numSignatures")
        pin = body.get("PIN")
        if self.version == "v2":
            pin = next((each["value"] for each in body.get("authData", ()) if each["id"] == "seal-pin"), None)
        if pin != self.pin:
            raise Refusal("invalid_pin", f"The PIN {pin} is invalid")
        sad = secrets.token_hex(16)
        self._activated[sad] = wanted
        self.authorised.append(given)
        return {"SAD": sad, "expiresIn": 60}

    def _sign(self, body: Body) -> Body:
        wanted = self._hashes(body)
        if self._activated.pop(body.get("SAD", ""), None) != wanted:
            raise Refusal("invalid_request", "Invalid parameter SAD")
        if body.get("signAlgo") not in self.algorithms:
            raise Refusal("invalid_request", "Invalid parameter signAlgo")
        digest = DIGESTS[body["hashAlgo" if self.version == "v1" else "hashAlgorithmOID"]]
        signatures = [self._signature(base64.b64decode(each, validate=True), digest, body) for each in wanted]
        self.signed += len(signatures)
        if self.forge is not None:
            signatures = [self.forge(each) for each in signatures]
        return {"signatures": [base64.b64encode(each).decode() for each in signatures[self.fewer :]]}

    def _hashes(self, body: Body) -> list[str]:
        found = body.get("hash" if self.version == "v1" else "hashes")
        if not isinstance(found, list) or not found:
            raise Refusal("invalid_request", "Missing (or invalid type) array parameter hash")
        return found

    def _signature(self, value: bytes, digest: hashes.HashAlgorithm, body: Body) -> bytes:
        if len(value) != digest.digest_size:
            raise Refusal("invalid_request", "Invalid digest value length")
        match self.key:
            case ec.EllipticCurvePrivateKey() as key:
                return key.sign(value, ec.ECDSA(Prehashed(digest)))
            case rsa.RSAPrivateKey() as key if body["signAlgo"] == PSS:
                parameters = algos.RSASSAPSSParams.load(base64.b64decode(body["signAlgoParams"]), strict=True)
                salt = parameters["salt_length"].native
                return key.sign(value, padding.PSS(padding.MGF1(digest), salt), Prehashed(digest))
            case rsa.RSAPrivateKey() as key:
                return key.sign(value, padding.PKCS1v15(), Prehashed(digest))


@contextmanager
def serving(server: CscServer, tls: ssl.SSLContext | None = None) -> Iterator[CscServer]:
    """Serves in a thread of its own, on a free port of 127.0.0.1."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=0)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        return int(runner.addresses[0][1])

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        server.url = (
            f"http{'s' if tls else ''}://127.0.0.1:{asyncio.run_coroutine_threadsafe(start(), loop).result(10)}"
        )
        yield server
    finally:
        loop.call_soon_threadsafe(server._closing.set)
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
