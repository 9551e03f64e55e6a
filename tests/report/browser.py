"""A headless Chromium, driven through a pipe by its DevTools protocol."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium")
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe"),
)
# The protocol is spoken on descriptors 3 and 4.
_START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
_END = b"\0"
STOP_SECONDS = 20


class Browser:
    """One page of a browser."""

    def __init__(self, commands: int, messages: int) -> None:
        """Open an empty page."""
        self._commands = commands
        self._messages = messages
        self._received = b""
        self._number = 0
        self._session: str | None = None
        self._requests: dict[str, str] = {}
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: object) -> Any:  # noqa: ANN401  whatever the method returns
        """Send a command, and wait for its result."""
        self._number += 1
        command: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + _END)
        message = self._next()
        while message.get("id") != self._number:
            message = self._next()
        assert "error" not in message, message
        return message["result"]

    def _next(self) -> dict[str, Any]:
        while _END not in self._received:
            part = os.read(self._messages, 1 << 16)
            assert part, "the browser has ended"
            self._received += part
        text, _, self._received = self._received.partition(_END)
        message: dict[str, Any] = json.loads(text)
        parameters = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self._requests[parameters["requestId"]] = parameters["request"]["url"]
        elif message.get("method") == "Network.loadingFailed" and parameters.get("blockedReason") == "csp":
            del self._requests[parameters["requestId"]]
        return message

    @property
    def requests(self) -> list[str]:
        """What has been asked for since the page was opened, without what its policy has stopped."""
        return list(self._requests.values())

    def open(self, path: Path, *, width: int = 1000, colours: str = "light") -> Self:
        """Open a file, and wait until all that it names is loaded.

        Args:
            path: The file.
            width: The width of the window, in CSS pixels.
            colours: `light`, `dark`, or `forced` for those of a reader who has chosen few of strong contrast.
        """
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        features = {
            "prefers-color-scheme": "dark" if colours == "dark" else "light",
            "forced-colors": "active" if colours == "forced" else "none",
        }
        self.send(
            "Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in features.items()]
        )
        self._requests.clear()
        self.send("Page.navigate", url=path.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass
        return self

    def evaluate(self, script: str) -> Any:  # noqa: ANN401  whatever the script gives
        """Run a script beside the page, which its policy does not reach; a promise is waited for."""
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """Start a browser, and stop it at the end."""
    assert CHROMIUM
    read_commands, commands = os.pipe()
    messages, write_messages = os.pipe()
    # Above those that the browser expects.
    passed = tuple(fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in (read_commands, write_messages))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, *map(str, passed), CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}"],
            pass_fds=passed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for descriptor in (read_commands, write_messages, *passed):
            os.close(descriptor)
        try:
            yield Browser(commands, messages)
        finally:
            # The end of its commands ends the browser.
            os.close(commands)
            process.wait(STOP_SECONDS)
            os.close(messages)
