"""Timing: contenders in turn, on the CPU's clock or with events on the GPU."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Call = Callable[[], Any]


class Clock(Protocol):
    """Seconds that calling `call` `times` times takes."""

    def __call__(self, call: Call, times: int) -> float: ...


def cpu_clock(call: Call, times: int) -> float:
    """Wall time of `times` calls."""
    start = time.perf_counter()
    for _ in range(times):
        call()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Patience:
    """How long to go on: `seconds` for a contender and its warm-up, at most `runs` timed runs."""

    seconds: float = 4.0
    runs: int = 9
    shortest: float = 2e-3


QUICK = Patience(seconds=0.6, runs=3)


@dataclass
class Contender:
    """Something timed: one call, or several that take turns so that no cache stays warm.

    `first` is the time of a call made before, if there was one.
    """

    name: str
    calls: Sequence[Call]
    first: float = 0.0
    samples: list[float] = field(default_factory=list)
    spent: float = 0.0
    times: int = 1
    error: str = ""

    @property
    def median(self) -> float:
        """Seconds of the middle run."""
        return statistics.median(self.samples)

    def next(self) -> Call:
        """The call whose turn it is."""
        return self.calls[len(self.samples) % len(self.calls)]

    def warm_up(self, clock: Clock, patience: Patience) -> None:
        """Call once or twice; a call that is over at once is timed many times in a row."""
        if self.first > patience.seconds:
            self.samples = [self.first]
            return
        once = clock(self.next(), 1)
        self.spent += once
        if once > patience.seconds:
            self.samples = [once]
            return
        again = clock(self.next(), 1)
        self.spent += again
        self.times = max(1, int(patience.shortest / max(min(once, again), 1e-7)))

    def run(self, clock: Clock) -> None:
        """One timed run."""
        seconds = clock(self.next(), self.times)
        self.spent += seconds
        self.samples.append(seconds / self.times)

    def done(self, patience: Patience) -> bool:
        """Whether another run would be too many or too long."""
        if self.error or len(self.samples) >= patience.runs:
            return True
        return bool(self.samples) and self.spent + self.samples[-1] * self.times > patience.seconds


def in_turn(contenders: Sequence[Contender], clock: Clock, patience: Patience, rest: float) -> None:
    """Time A, B, C, A, B, C, ... so that whatever the machine does, it does to all.

    `rest` seconds between two contenders let the threads of the last one go to sleep.
    """
    for one in contenders:
        one.samples, one.spent, one.times = [], 0.0, 1
    gc.collect()
    collecting = gc.isenabled()
    gc.disable()
    try:
        for one in contenders:
            _guarded(one, lambda c: c.warm_up(clock, patience))
            time.sleep(rest)
        while waiting := [c for c in contenders if not c.done(patience)]:
            for one in waiting:
                _guarded(one, lambda c: c.run(clock))
                time.sleep(rest)
    finally:
        if collecting:
            gc.enable()


def _guarded(one: Contender, step: Callable[[Contender], None]) -> None:
    if one.error:
        return
    try:
        step(one)
    except Exception as error:  # a rival's failure is a row of the table, not the end of it
        one.error = f"{type(error).__name__}: {error}".splitlines()[0]
