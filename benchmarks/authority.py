"""A time stamp authority on loopback that takes its time. Runs in a process of its own until its input ends.

    python -m benchmarks.authority FOLDER MILLISECONDS

FOLDER holds a demonstration PKI. Says the address on its first line of output.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE, Popen

from aiohttp import web
from asn1crypto import tsp

from sealtool.sealing import LocalTimeStampAuthority


@contextmanager
def slow_authority(folder: Path, milliseconds: int) -> Iterator[str]:
    """The address of a running authority."""
    command = [sys.executable, "-m", "benchmarks.authority", str(folder), str(milliseconds)]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise AssertionError("the pipes were asked for")
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait()


async def _serve(folder: Path, seconds: float) -> None:
    passphrase = (folder / "pki" / "tsa.passphrase").read_bytes().strip()
    authority = LocalTimeStampAuthority.from_pkcs12(
        folder / "pki" / "tsa.p12", passphrase, clock=lambda: datetime.now(UTC)
    )

    async def answer(request: web.Request) -> web.Response:
        question = tsp.TimeStampReq.load(await request.read())
        await asyncio.sleep(seconds)
        reply = await authority._answer(question)
        return web.Response(body=reply.dump(), content_type="application/timestamp-reply")

    application = web.Application()
    application.router.add_post("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}/", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]) / 1000))
