"""A bar that shows how far a long call is."""

from __future__ import annotations

import sys
import time

_WIDTH = 30
_APART = 0.1  # seconds between two drawings


class Bar:
    """One line on stderr, drawn again and again, and gone when the call is over."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._drawn = 0.0
        self._long = 0

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` steps are over."""
        if done >= total:
            self.clear()
            return
        full = _WIDTH * done // total
        self.say(f"{'#' * full}{'-' * (_WIDTH - full)} {done}/{total}")

    def say(self, text: str) -> None:
        """Show a few words in place of what stood there, unless that is quite new."""
        now = time.monotonic()
        if now - self._drawn >= _APART:
            line = f"{self.title} {text}"
            self._write(line.ljust(self._long))
            self._drawn, self._long = now, len(line)

    def clear(self) -> None:
        """Leave an empty line."""
        if self._long:
            self._write(" " * self._long + "\r")
            self._long = 0

    def _write(self, text: str) -> None:
        sys.stderr.write("\r" + text)
        sys.stderr.flush()

    def __del__(self) -> None:
        """Clear the line of a call that ended early."""
        if sys is not None:  # else Python is on its way out
            self.clear()
