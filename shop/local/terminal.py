"""What `shop run` shows: its own steps with the time since its start, and the processes' logs."""

import sys
import threading
import time
from contextlib import suppress
from typing import IO


class Terminal:
    """Whole lines from several threads, one after the other."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._bold = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")

    def say(self, text: str) -> None:
        """A step, after the seconds since the start."""
        on, off = self._bold
        self._write(f"{on}[{time.monotonic() - self._began:5.1f} s] {text}{off}\n")

    def line(self, text: str) -> None:
        """A line as it is."""
        on, off = self._bold
        self._write(f"{on}{text}{off}\n")

    def relay(self, stream: IO[bytes]) -> threading.Thread:
        """Show what comes out of `stream` until it ends, from a thread of its own."""

        def pump() -> None:
            for line in stream:
                self._write(line.decode(errors="replace"))

        thread = threading.Thread(target=pump, daemon=True)
        thread.start()
        return thread

    def _write(self, text: str) -> None:
        # A terminal that was closed is no reason for the processes to stall on a full pipe.
        with self._lock, suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()
