"""A headless Chromium, driven over its debugging pipe."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

import pytest

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--window-size=1280,1600",
    "--remote-debugging-pipe",
)
#: Chromium reads commands from descriptor 3 and answers on 4.
_LAUNCH = """
import os, sys
ours = [os.dup2(int(fd), 100 + n) for n, fd in enumerate(sys.argv[1:3])]
os.dup2(ours[0], 3)
os.dup2(ours[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_chromium():
    """The path of a Chromium; root installs Debian's when there is none, others skip the test."""
    if not _chromium() and os.geteuid() == 0 and shutil.which("apt-get"):
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-q", *command], env=env, check=True, capture_output=True)
    return _chromium() or pytest.skip("there is no Chromium here, and only root may install one")


def _chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """One page. `run` evaluates JavaScript in it; `wait` does until it is true."""

    def __init__(self, profile):
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        launcher = [sys.executable, "-c", _LAUNCH, str(theirs_in), str(theirs_out)]
        self._process = subprocess.Popen(
            [*launcher, find_chromium(), *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        os.set_blocking(self._in, False)
        self._buffer = b""
        self._calls = 0
        self._session = None
        #: What the page complained of: errors, refused scripts and styles.
        self.complaints = []
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        attached = self._send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Log", "Runtime"):
            self._send(f"{domain}.enable")

    def open(self, url):
        self._send("Page.navigate", url=url)

    def run(self, script):
        """The value of a JavaScript expression."""
        answer = self._send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script, timeout=30):
        """The value of an expression as soon as it is true."""
        deadline = time.monotonic() + timeout
        while not (value := self.run(script)):
            assert time.monotonic() < deadline, script
            time.sleep(0.1)
        return value

    def click(self, selector):
        """Click an element as soon as it is there."""
        self.wait(f"!!document.querySelector({json.dumps(selector)})")
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def fill(self, selector, text):
        """Type into a field, in a way that the page notices."""
        self.wait(f"!!document.querySelector({json.dumps(selector)})")
        self.run(
            f"""(() => {{
                const field = document.querySelector({json.dumps(selector)});
                const kind = Object.getPrototypeOf(field);
                Object.getOwnPropertyDescriptor(kind, "value").set.call(field, {json.dumps(text)});
                field.dispatchEvent(new Event("input", {{bubbles: true}}));
            }})()"""
        )

    def screenshot(self, path):
        picture = self._send("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(picture))

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def _send(self, method, **params):
        self._calls += 1
        call = {"id": self._calls, "method": method, "params": params}
        if self._session:
            call["sessionId"] = self._session
        os.write(self._out, json.dumps(call).encode() + b"\0")
        deadline = time.monotonic() + 30
        while True:
            message = self._receive(deadline)
            if message.get("id") == self._calls:
                assert "error" not in message, (method, message)
                return message["result"]
            if message.get("method") == "Log.entryAdded":
                self.complaints.append(message["params"]["entry"]["text"])
            elif message.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(message["params"]["exceptionDetails"]["text"])

    def _receive(self, deadline):
        while b"\0" not in self._buffer:
            assert time.monotonic() < deadline, "Chromium does not answer"
            with contextlib.suppress(BlockingIOError):
                chunk = os.read(self._in, 1 << 16)
                assert chunk, "Chromium has gone"
                self._buffer += chunk
                continue
            time.sleep(0.02)
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)
