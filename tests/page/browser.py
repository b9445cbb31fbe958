"""A headless Chromium, driven over its debugging pipe (chromedevtools.github.io/devtools-protocol): no driver, no port.

Chromium reads commands from file descriptor 3 and writes to 4, each JSON with a zero byte at its end.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 30.0

FLAGS = (
    "--headless",
    "--no-sandbox",  # which root has no use for; the page is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class Browser:
    """One tab."""

    def __init__(self, to: BinaryIO, back: BinaryIO) -> None:
        self._to, self._back = to, back
        self._read, self._number, self._session = b"", 0, ""
        self.errors: list[str] = []
        """What the page's scripts threw, and what its policy kept it from."""
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._send(f"{domain}.enable")

    def open(self, url: str) -> None:
        self._send("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression, once its promise is kept."""
        answer = self._send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """As a mouse does, in the middle of the element."""
        self.run(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        x, y = self.run(
            f"(box => [box.x + box.width / 2, box.y + box.height / 2])"
            f"(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def until(self, script: str, seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not self.run(script):
            shown = self.run("document.body?.innerText")
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {script}\n{shown}\n{self.errors}"
            time.sleep(0.05)

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._send("Emulation.setEmulatedMedia", features=[scheme])
        self._send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def screenshot(self) -> bytes:
        return base64.b64decode(self._send("Page.captureScreenshot", format="png")["data"])

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._number:
                assert "error" not in told, f"{method}: {told['error']}"
                return dict(told["result"])
            if told.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(told["params"]["exceptionDetails"]))
            if told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
                self.errors.append(json.dumps(told["params"]["entry"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            more = self._back.read(65536)
            assert more, "Chromium ended"
            self._read += more
        message, _, self._read = self._read.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A new one, with a profile of its own."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    assert executable, f"This test needs a browser: install one of {', '.join(NAMES)}."
    commands, to = os.pipe()
    back, answers = os.pipe()

    def as_3_and_4() -> None:
        os.dup2(commands, 13)
        os.dup2(answers, 14)
        os.dup2(13, 3)
        os.dup2(14, 4)

    process = subprocess.Popen(
        [executable, *FLAGS, f"--user-data-dir={profile}"],
        preexec_fn=as_3_and_4,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands)
    os.close(answers)
    try:
        with os.fdopen(to, "wb", 0) as commands_in, os.fdopen(back, "rb", 0) as answers_out:
            yield Browser(cast(BinaryIO, commands_in), cast(BinaryIO, answers_out))
    finally:
        process.kill()
        process.wait()
