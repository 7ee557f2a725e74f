"""HTTP as this room uses it: by the proxy of the environment, one session for many requests, no answer too long."""

from __future__ import annotations

import aiohttp


class AnswerTooLongError(aiohttp.ClientError):
    """A service answers with more than it can have to say."""


def open_session(*, longest_answer: int) -> aiohttp.ClientSession:
    """A session that reads at most ``longest_answer`` bytes of an answer; to be called inside the event loop.

    The number of connections has no limit of its own: it is that of the seals in flight, and one more wait in a
    queue would make a slow service slower.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        response_class=_bounded(longest_answer),
        trust_env=True,  # administrations reach the outside through a proxy
    )


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
