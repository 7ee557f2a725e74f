"""A real browser without a window, asked over a pipe: it opens no port and sees no network."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.interop.java_judges import require

_PATIENCE_SECONDS = 60
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND"),
    "--remote-debugging-pipe",
)


@contextmanager
def browser(folder: Path) -> Iterator[Tab]:
    """Chromium with one empty tab; it keeps all that it writes in the folder."""
    require("chromium")
    (questions, ours), (theirs, answers) = os.pipe(), os.pipe()
    # The browser reads from descriptor 3 and writes to 4, so that neither end may have the other's number before.
    to_read, to_write = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (questions, answers))
    call = f'exec chromium "$@" 3<&{to_read} 4>&{to_write}'
    process = subprocess.Popen(
        ["bash", "-c", call, "chromium", *_OPTIONS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
        pass_fds=(to_read, to_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder)},
    )
    for end in (questions, answers, to_read, to_write):
        os.close(end)
    with os.fdopen(ours, "wb", buffering=0) as asking, os.fdopen(theirs, "rb", buffering=0) as hearing:
        try:
            yield Tab(asking.fileno(), hearing.fileno())
        finally:
            with suppress(OSError):
                asking.write(b'{"id": 0, "method": "Browser.close"}\0')
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_SECONDS)
            process.kill()
            process.wait()


class Tab:
    """One page. Every event that the browser told of it is in ``events``."""

    def __init__(self, asking: int, hearing: int) -> None:
        self._asking, self._hearing = asking, hearing
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = next(one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Has the browser do something, and returns what it answers."""
        self._number += 1
        question: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            question["sessionId"] = self._session
        os.write(self._asking, json.dumps(question).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, f"{method}: {heard['error']}"
                answer: dict[str, Any] = heard["result"]
                return answer
            self.events.append(heard)

    def open(self, file: Path, *, width: int, height: int = 900, media: Mapping[str, str] | None = None) -> None:
        """Loads a file into a window so wide, with what the reader prefers."""
        features = [{"name": name, "value": value} for name, value in (media or {}).items()]
        self.ask("Emulation.setEmulatedMedia", features=features)
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,  # as the protocol spells it
            mobile=False,
        )
        self.events.clear()
        self.ask("Page.navigate", url=file.as_uri())
        while not any(one.get("method") == "Page.loadEventFired" for one in self.events):
            self.events.append(self._hear())

    def tell(self, expression: str) -> Any:
        """The value of an expression of JavaScript on the page, whose own policy does not bind us."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def print(self) -> bytes:
        """The page as PDF, on the paper that its style asks for."""
        answer = self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        return base64.b64decode(answer["data"])

    def picture(self) -> bytes:
        """The whole page as PNG, below the window too."""
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    @property
    def requests(self) -> list[str]:
        """The addresses that were asked for since the page was opened."""
        return [one["params"]["request"]["url"] for one in self.events if one["method"] == "Network.requestWillBeSent"]

    @property
    def complaints(self) -> list[str]:
        """What the browser has to say against the page: errors, warnings, what its policy forbade."""
        told = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
        return [json.dumps(one["params"]) for one in self.events if one["method"] in told]

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._hearing, 1 << 16)
            assert more, "the browser ended"
            self._rest += more
        message, self._rest = self._rest.split(b"\0", 1)
        heard: dict[str, Any] = json.loads(message)
        return heard
