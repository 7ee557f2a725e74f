"""HTTP as this room uses it: by the proxy of the environment, one session for many requests, no answer too long."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp


class AnswerTooLongError(aiohttp.ClientError):
    """A service answers with more than it can have to say."""


def open_session(*, longest_answer: int, for_address: str | None = None) -> aiohttp.ClientSession:
    """A session that reads at most ``longest_answer`` bytes of an answer; to be called inside the event loop.

    The client looks for a proxy in two threads for each request, which takes longer than the rest of it. A session for
    one address, to which no proxy leads, spares that.

    The number of connections has no limit of its own: it is that of the seals in flight, and one more wait in a
    queue would make a slow service slower.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        response_class=_bounded(longest_answer),
        # administrations reach the outside through a proxy
        trust_env=for_address is None or _is_behind_proxy(for_address),
    )


def _is_behind_proxy(address: str) -> bool:
    """Whether the environment names a proxy for an address."""
    parts = urlsplit(address)
    return parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")


def _bounded(longest: int) -> type[aiohttp.ClientResponse]:
    class Bounded(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            if self._body is None:
                self._body = await self._read_bounded()
            return await super().read()

        async def _read_bounded(self) -> bytes:
            body = bytearray()
            async for chunk in self.content.iter_any():
                body += chunk
                if len(body) > longest:
                    self.close()
                    raise AnswerTooLongError(f"its answer is longer than {longest} bytes")
            return bytes(body)

    return Bounded
