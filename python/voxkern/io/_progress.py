"""The hook for progress of long reads: nothing, a bar, or a callable."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = bool | Callable[[int, int], object]


@contextmanager
def counting(progress: Progress, total: int, title: str) -> Iterator[Callable[[], None]]:
    """A function to call after each of `total` steps."""
    if progress is False or progress is None:
        yield lambda: None
        return
    if progress is True:
        with _bar(total, title) as show:
            yield _counter(show, total)
        return
    if not callable(progress):
        raise TypeError(f"progress must be True, False or callable, not {progress!r}")
    yield _counter(progress, total)


def _counter(show: Callable[[int, int], object], total: int) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        show(done, total)

    return step


@contextmanager
def _bar(total: int, title: str) -> Iterator[Callable[[int, int], object]]:
    try:
        from rich.progress import Progress as Bar
    except ImportError:

        def line(done: int, total: int) -> None:
            print(f"\r{title}: {done}/{total}", end="", file=sys.stderr, flush=True)

        yield line
        print(file=sys.stderr)
        return
    with Bar(transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, total: bar.update(task, completed=done)
