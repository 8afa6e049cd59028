"""What is told of progress when steps are counted one by one."""

from __future__ import annotations

from collections.abc import Callable

from .. import _args

Progress = bool | Callable[[int, int], object]


def counting(progress: Progress, total: int, title: str) -> Callable[[], None]:
    """Return a function to call after each of `total` steps."""
    told = _args.as_progress(progress, title)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if told is not None:
            told(done, total)

    return step
