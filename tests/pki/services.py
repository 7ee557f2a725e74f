"""The PKI of certomancer.yml as HTTP services on loopback: OCSP, CRLs and time stamps, in whatever mood a test wants.

Everything is served by certomancer, over real connections. A fault is a function put before a path: it sees the
request and the honest answer.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from certomancer.integrations.animator import Animator, AnimatorArchStore
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig, PKIArchitecture, ServiceLabel
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

CONFIGURATION = Path(__file__).with_name("certomancer.yml")
PASSPHRASE = b"correct horse"
OCSP_ONLY, OCSP_AND_CRL = "ocsp-only", "ocsp-and-crl"
_KEYS = ("root", "issuing", "responder", "root-responder", "impostor", "seal", "tsa", "tsa-second")


@dataclass(frozen=True)
class Answer:
    """What goes back: status, content and its type."""

    status: int
    content: bytes
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What came in, and how to answer it honestly (of this or another request, at another path)."""

    content: bytes
    headers: Mapping[str, str]
    path: str
    ask: Callable[[bytes, str], Answer]

    def honest(self, content: bytes | None = None, path: str = "") -> Answer:
        return self.ask(self.content if content is None else content, path or self.path)


Fault = Callable[[Question], Answer]


def status(code: int, **headers: str) -> Fault:
    """Always this HTTP status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Answer(code, b"", headers=named)


def first(fault: Fault, *, times: int = 1) -> Fault:
    """A fault that passes after so many requests."""
    left = [times]

    def answer(question: Question) -> Answer:
        left[0] -= 1
        return fault(question) if left[0] >= 0 else question.honest()

    return answer


def changed(change: Callable[[bytes], bytes]) -> Fault:
    """The honest answer with another content."""

    def answer(question: Question) -> Answer:
        honest = question.honest()
        return replace(honest, content=change(honest.content))

    return answer


def garbage(_: Question) -> Answer:
    return Answer(200, b"\x30\x0bgarbage and", "application/octet-stream")


@dataclass
class Services:
    """A running PKI.

    Attributes:
        url: where, without a slash at the end.
        folder: for the files that a test needs.
        at: what time it is there; None for the time of this machine.
        faults: by beginnings of paths, such as ``/ocsp-only/tsa/first``.
        requests: how many came, by path.
        breakdowns: what went wrong here, and not where a test wants it to.
    """

    url: str
    folder: Path
    at: datetime | None = None
    faults: dict[str, Fault] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    breakdowns: list[Exception] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def architectures(self) -> Mapping[ArchLabel, PKIArchitecture]:
        """The same all the time: certomancer makes certificates when they are first asked for."""
        return CertomancerConfig.from_file(
            str(CONFIGURATION), key_search_dir=str(self.folder), external_url_prefix=self.url
        ).pki_archs

    def architecture(self, name: str) -> PKIArchitecture:
        return self.architectures[ArchLabel(name)]

    def certificate(self, name: str, architecture: str = OCSP_ONLY) -> x509.Certificate:
        with self._lock:
            return x509.load_der_x509_certificate(self.architecture(architecture).get_cert(CertLabel(name)).dump())

    def pkcs12(self, name: str, architecture: str = OCSP_ONLY) -> Path:
        """A key with its certificate and issuing CA, under PASSPHRASE."""
        path = self.folder / f"{architecture}-{name}.p12"
        path.touch(0o600)
        with self._lock:
            pki = self.architecture(architecture)
            path.write_bytes(pki.package_pkcs12(CertLabel(name), password=PASSPHRASE))
        return path

    def crl(self, authority: str, architecture: str, at: datetime) -> bytes:
        with self._lock:
            registry = self.architecture(architecture).service_registry
            return bytes(registry.get_crl(ServiceLabel(authority), at).dump())

    def responder(self, name: str, architecture: str = OCSP_ONLY) -> Any:
        """A certomancer.services.SimpleOCSPResponder, to have it say what it is told."""
        with self._lock:
            registry = self.architecture(architecture).service_registry
            return registry.summon_responder(ServiceLabel(name), self.at or datetime.now(UTC))

    def reset(self, at: datetime | None) -> None:
        """All well again, and whoever is kept waiting is let go."""
        self.stopping.set()
        self.stopping = threading.Event()
        self.faults.clear()
        self.requests.clear()
        self.breakdowns.clear()
        self.at = at

    def time_stamp_url(self, name: str, architecture: str = OCSP_ONLY) -> str:
        return f"{self.url}/{architecture}/tsa/{name}"

    def silence(self, _: Question) -> Answer:
        """No answer until the test is over."""
        stopping = self.stopping
        stopping.wait(10)
        return Answer(500, b"")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """WSGI."""
        request = Request(environ)
        with self._lock:
            self.requests[request.path] += 1
        question = Question(request.get_data(), dict(request.headers), request.path, self._honest)
        faults = [fault for path, fault in list(self.faults.items()) if request.path.startswith(path)]
        try:
            answer = faults[0](question) if faults else question.honest()
        except Exception as error:
            self.breakdowns.append(error)
            raise
        response = Response(answer.content, answer.status, dict(answer.headers), content_type=answer.content_type)
        return response(environ, start_response)

    def _honest(self, content: bytes, path: str) -> Answer:
        method = "GET" if "/crls/" in path else "POST"
        environ = Request.from_values(path, method=method, data=content).environ
        with self._lock:  # certomancer is not made for several threads
            animator = Animator(AnimatorArchStore(dict(self.architectures)), at_time=self.at, with_web_ui=False)
            response = Response.from_app(animator, environ)
        return Answer(response.status_code, response.get_data(), str(response.content_type))


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass

    def connection_dropped(self, *_: Any) -> None:
        """The client gave up waiting, as the test wants it to."""


def make_keys(folder: Path) -> None:
    for name in _KEYS:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{name}.pem").write_bytes(pem)


@contextmanager
def running(folder: Path, at: datetime | None = None) -> Iterator[Services]:
    """The services, up for as long as this is open."""
    make_keys(folder)
    services = Services("", folder, at)
    server: BaseWSGIServer = make_server("127.0.0.1", 0, services, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    services.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield services
    finally:
        services.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
