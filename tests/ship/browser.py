"""A page in a headless Chromium, driven over the pipe of its remote-debugging protocol; no package is needed."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ALONE = (
    "--headless=new --no-sandbox --no-first-run --no-default-browser-check --disable-background-networking "
    "--disable-component-update --disable-sync --disable-default-apps --disable-extensions --disable-gpu "
    "--disable-dev-shm-usage --mute-audio"
).split()
"""so that it asks nothing of any network"""
INSECURE = "insecure.test"
"""a name of this machine for which a browser gives no microphone"""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A folder's address, and the paths that were asked for, while files of it are served."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            asked.append(self.path)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("localhost", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Browser:
    """One page."""

    def __init__(self, *flags: str) -> None:
        """Start it; where there is no Chromium the test is skipped."""
        found = next(filter(None, map(shutil.which, NAMES)), None)
        if found is None:
            pytest.skip(f"needs a Chromium: none of {', '.join(NAMES)} is installed")
        self._home = tempfile.TemporaryDirectory(prefix="understudy-browser-", ignore_cleanup_errors=True)
        (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
        # The protocol's pipes are the file descriptors 3 and 4.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        nowhere = (
            f"--host-resolver-rules=MAP {INSECURE} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
        )
        own = ("--remote-debugging-pipe", f"--user-data-dir={self._home.name}/profile")
        command = ["bash", "-c", shell, "bash", found, *ALONE, nowhere, *own, *flags]
        self._log = Path(self._home.name) / "log"
        with self._log.open("wb") as log:
            alone = {**os.environ, "HOME": self._home.name}
            pipes = theirs_in, theirs_out
            self._process = subprocess.Popen(command, pass_fds=pipes, stdout=log, stderr=log, env=alone)
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in = os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb")
        self._number, self._session = 0, {}
        self.said: list[str] = []
        """errors and warnings of the page"""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, AssertionError):
            self._session = {}
            self.call("Browser.close")
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()
        self._in.close()
        self._home.cleanup()

    def call(self, method: str, **how: Any) -> dict[str, Any]:
        """What a method of the protocol answers."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": how, **self._session}
        self._out.write(json.dumps(asked).encode() + b"\0")
        while (told := self._told()).get("id") != self._number:
            if told.get("method") == "Runtime.exceptionThrown":
                self.said.append(json.dumps(told["params"]["exceptionDetails"]))
            if told.get("method") == "Log.entryAdded":
                self.said.append(told["params"]["entry"]["text"])
        assert "error" not in told, (method, told["error"])
        return told["result"]

    def _told(self) -> dict[str, Any]:
        data = bytearray()
        while (byte := self._in.read(1)) != b"\0":
            assert byte, f"the browser has ended: {self._log.read_text(errors='replace')[-2000:]}"
            data += byte
        return json.loads(data)

    def before(self, script: str) -> None:
        """What every page that is opened from now on runs before its own scripts."""
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, address: str) -> None:
        """Go there."""
        self.call("Page.navigate", url=address)

    def value(self, expression: str, **how: Any) -> Any:
        """What JavaScript of the page comes to."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, **how)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = 60) -> Any:
        """The same, once it is true."""
        until = time.monotonic() + seconds
        while not (found := self.value(expression)):
            assert time.monotonic() < until, (expression, self.value("document.body.innerText"), self.said)
            time.sleep(0.05)
        return found

    def choose(self, selector: str, path: Path) -> None:
        """Give a file to an input."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)


def hears(path: Path) -> tuple[str, ...]:
    """Flags by which a WAV file is the microphone, once."""
    return (
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}%noloop", "--autoplay-policy=no-user-gesture-required",
    )  # fmt: skip
