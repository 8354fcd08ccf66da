"""Headless Chromium over its debugging port: also pictures of WebGL, which --screenshot leaves blank."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imageio.v3
import numpy as np
from websockets.sync.client import connect

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--remote-debugging-port=0", "--window-size=400,300", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


class Page:
    """A page that is open."""

    def __init__(self, socket):
        self._socket, self._number, self._problems = socket, 0, []

    def call(self, method: str, **params) -> dict:
        """Send a command of the DevTools protocol and return its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while (answer := json.loads(self._socket.recv(timeout=120.0))).get("id") != self._number:
            self._note(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def evaluate(self, expression: str):
        """Value of a JavaScript expression; a promise is awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def problems(self) -> list[str]:
        """Uncaught exceptions, errors in the console and requests that failed, since the page was opened."""
        self.evaluate("0")  # what was sent before has come by then
        return self._problems

    def _note(self, event: dict) -> None:
        params = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self._problems.append(json.dumps(params["exceptionDetails"])[:500])
        elif event.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self._problems.append(json.dumps(params["args"])[:500])
        elif event.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self._problems.append(json.dumps(params["entry"])[:500])

    def picture(self) -> np.ndarray:
        """What is shown now, sRGB, shape [height, width, 3]."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        return imageio.v3.imread(io.BytesIO(data))[..., :3].astype(int)


@contextmanager
def opened(page: Path, profile: Path) -> Iterator[Page]:
    """Open a file in a browser of its own, with its profile in a folder."""
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    browser = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        port = next(found[1] for line in browser.stderr if (found := re.search(r"ws://127.0.0.1:(\d+)/", line)))
        request = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?{page.as_uri()}", method="PUT")
        address = json.load(urllib.request.urlopen(request, timeout=30))["webSocketDebuggerUrl"]
        with connect(address, max_size=None, open_timeout=30) as socket:
            shown = Page(socket)
            for domain in ("Runtime", "Log"):  # both tell what has happened before, too
                shown.call(f"{domain}.enable")
            loaded = "document.readyState === 'complete' && location.protocol === 'file:'"
            assert wait_for(lambda: shown.evaluate(loaded), seconds=60.0), f"{page} does not load"
            yield shown
    finally:
        browser.terminate()
        browser.wait(timeout=30)


def wait_for(condition, seconds: float) -> bool:
    """Whether a condition came true within some time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.5)
    return False
