"""Stages and their times."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(eq=False)
class Stage:
    """A stage of the chain: its name, what it does, its time, and what came out."""

    name: str
    what: str
    seconds: float | None = None
    came: str = ""


class Clock:
    """Stages as they run. `watch` is called when one begins and when it ends."""

    def __init__(self, watch: Callable[[Stage], None] | None = None) -> None:
        self.stages: list[Stage] = []
        self._watch = watch or (lambda stage: None)

    @contextlib.contextmanager
    def stage(self, name: str, what: str) -> Iterator[Stage]:
        """Time a block; it may say in ``stage.came`` what came out."""
        stage = Stage(name, what)
        self.stages.append(stage)
        self._watch(stage)
        start = time.perf_counter()
        yield stage
        stage.seconds = time.perf_counter() - start
        self._watch(stage)
