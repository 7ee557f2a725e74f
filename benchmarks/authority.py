"""A time stamp authority on loopback that takes its time. Runs in a process of its own until its input ends.

    python -m benchmarks.authority FOLDER MILLISECONDS

FOLDER holds a demonstration PKI. Says the address on its first line of output, and on its last one the processor time
that the answers took, in seconds. A real authority would run elsewhere: this one does next to nothing besides signing.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Final

from asn1crypto import tsp

from sealtool.sealing import LocalTimeStampAuthority

_LENGTH: Final = re.compile(rb"\r\nContent-Length: *([0-9]+)\r\n", re.IGNORECASE)
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: %d\r\n\r\n"


@dataclass
class SlowAuthority:
    """An authority in another process.

    Attributes:
        url: its address.
        processor_seconds: that all its answers took; known once it has ended.
    """

    url: str
    processor_seconds: float = 0.0


@contextmanager
def slow_authority(folder: Path, milliseconds: int) -> Iterator[SlowAuthority]:
    """A running authority."""
    command = [sys.executable, "-m", "benchmarks.authority", str(folder), str(milliseconds)]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise AssertionError("the pipes were asked for")
        authority = SlowAuthority(process.stdout.readline().strip())
        try:
            yield authority
        finally:
            process.stdin.close()
            authority.processor_seconds = float(process.stdout.readline() or "nan")


async def _serve(folder: Path, seconds: float) -> None:
    passphrase = (folder / "pki" / "tsa.passphrase").read_bytes().strip()
    authority = LocalTimeStampAuthority.from_pkcs12(
        folder / "pki" / "tsa.p12", passphrase, clock=lambda: datetime.now(UTC)
    )
    server = await asyncio.start_server(partial(_talk, authority, seconds), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    before = time.process_time()
    print(f"http://{host}:{port}/", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(time.process_time() - before, flush=True)


async def _talk(
    authority: LocalTimeStampAuthority, seconds: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection: as much of HTTP/1.1 as the client of the benchmark speaks."""
    try:
        while True:
            length = _LENGTH.search(await reader.readuntil(b"\r\n\r\n"))
            if length is None:
                raise AssertionError("the client says how long its requests are")
            question = tsp.TimeStampReq.load(await reader.readexactly(int(length[1])))
            await asyncio.sleep(seconds)
            answer = (await authority._answer(question)).dump()
            writer.write(_HEAD % len(answer) + answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):  # it hung up
        writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]) / 1000))
