"""OCSP responses, CRLs and certificates by HTTP: fetched once in a gathering, whole, and not too long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, cast

import aiohttp
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import pem
from pyhanko_certvalidator.fetchers import Fetchers
from pyhanko_certvalidator.fetchers.aiohttp_fetchers import AIOHttpFetcherBackend

from sealtool.sealing.network import open_session

LONGEST_ANSWER: Final = 64 * 1024 * 1024
"""Bytes. The longest public CRLs have some tens of megabytes; a longer answer would only fill the memory."""


@asynccontextmanager
async def fetchers(timeout_seconds: float) -> AsyncIterator[Fetchers]:
    """Fetchers that remember what they fetched, and what they could not, for as long as they are open."""
    async with open_session(longest_answer=LONGEST_ANSWER) as session:
        checked = cast("aiohttp.ClientSession", _CheckedSession(session))
        yield AIOHttpFetcherBackend(checked, per_request_timeout=timeout_seconds).get_fetchers()


class _CheckedSession:
    """What the fetchers use of a session.

    They take an :class:`aiohttp.ClientError` for a source that failed, and turn to the next one. A time-out or an
    answer that does not parse would end the search instead.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def get(self, **request: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """A CRL or a certificate."""
        is_crl = request["headers"]["Accept"] == "application/pkix-crl"
        return _checked(self._session.get(**request), _read_crl if is_crl else None)

    def post(self, **request: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """An OCSP response."""
        return _checked(self._session.post(**request), _read_response)


@asynccontextmanager
async def _checked(
    request: AbstractAsyncContextManager[aiohttp.ClientResponse], read: Callable[[bytes], object] | None
) -> AsyncIterator[aiohttp.ClientResponse]:
    try:
        async with request as response:
            content = await response.read()
            if read is not None:
                read(content)
            yield response
    except TimeoutError as error:
        raise aiohttp.ServerTimeoutError("it did not answer in time") from error
    except (ValueError, TypeError, KeyError) as error:
        raise aiohttp.ClientPayloadError("its answer cannot be read") from error


def _read_response(content: bytes) -> None:
    # parsing is lazy: touch everything now
    asn1_ocsp.OCSPResponse.load(content, strict=True).native  # noqa: B018


def _read_crl(content: bytes) -> None:
    if pem.detect(content):
        _, _, content = pem.unarmor(content)
    parsed = asn1_crl.CertificateList.load(content, strict=True)
    for part in ("issuer", "this_update", "next_update", "crl_extensions"):  # of the entries there may be millions
        parsed["tbs_cert_list"][part].native  # noqa: B018
