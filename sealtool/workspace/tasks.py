"""What worker processes run, those of this machine and those of a cluster: they are told by name what to call.

Each process keeps one renderer for as long as it lives. Auditors' processes lay nothing out, so what lays out is
imported where it is first needed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sealtool.errors import RenderingError, TemplateError
from sealtool.model import CertificateOrder, UnsealedPdf, Verification

if TYPE_CHECKING:
    from sealtool.rendering import RenderingOptions
    from sealtool.verification import Trust


@cache
def renderer(options: RenderingOptions) -> Any:
    """The renderer of this process."""
    from sealtool.rendering import CertificateRenderer

    return CertificateRenderer(options)


def likeness(options: RenderingOptions) -> dict[str, str]:
    """What a process lays out and judges with."""
    from sealtool.cluster.likeness import program_likeness

    of_renderer: dict[str, str] = renderer(options).likeness()
    return program_likeness() | of_renderer


def coverage(options: RenderingOptions) -> Any:
    """The characters that can be printed."""
    return renderer(options).coverage


def get_ready(options: RenderingOptions, order: CertificateOrder) -> None:
    """What a worker needs for its first certificate, and for the first of a kind.

    One after the other: a thread that imports beside the work, which imports as well, can find modules half made.
    """
    import_module("sealtool.verification")
    renderer(options).get_ready_for(order)


def lay_out(options: RenderingOptions, order: CertificateOrder) -> UnsealedPdf:
    """The pages of a certificate.

    Raises:
        RenderingError: they cannot be laid out.
    """
    pages: UnsealedPdf = renderer(options).render(order)
    return pages


def trial(options: RenderingOptions, order: CertificateOrder) -> str:
    """Why the pages of a certificate would not show what its record says; empty where they do.

    Whoever reads a page, our own verifier among them, need not find what was written there: that is tried out.
    """
    from sealtool.rendering import certificate_record
    from sealtool.verification.record import read_record
    from sealtool.verification.visible import check_pages

    try:
        pages = renderer(options).render_plainly(order)
    except (RenderingError, TemplateError) as error:
        return error.message
    objections = check_pages(pages.content, read_record((certificate_record(order),)), pages.pages)
    return " ".join(one.reason.message for one in objections)


def check(trust: Trust, now: Callable[[], datetime], content: bytes) -> Verification:
    """The judgement of a file that was sealed here."""
    return judge_certificate(trust, now(), content, None)


def judge_certificate(trust: Trust, now: datetime, content: bytes, sha256: str | None) -> Verification:
    """The judgement of one sealed file, for auditors."""
    from sealtool.verification import verify_certificate

    return verify_certificate(content, trust, now=now, expected_sha256=sha256)


def judge_seal(trust: Trust, now: datetime, content: bytes, seal: bytes) -> Verification:
    """The judgement of a detached seal over a manifest, for auditors."""
    from sealtool.verification import verify_detached

    return verify_detached(content, seal, trust, now=now)
