"""The same on a GPU: arrays moved there, three sets of them in turn, events for a clock."""

from __future__ import annotations

import importlib
from typing import Any

from voxkern.bench._clock import Call

ROTATING = 3  # sets of buffers: together larger than any L2 cache


def cupy() -> Any:
    """CuPy, or an ImportError that says how to get it."""
    try:
        return importlib.import_module("cupy")
    except ImportError as error:
        raise ImportError("--device cuda needs CuPy: pip install 'voxkern[cuda13]'") from error


class EventClock:
    """Time between two events on the current stream."""

    def __init__(self) -> None:
        self._events = [cupy().cuda.Event(), cupy().cuda.Event()]

    def __call__(self, call: Call, times: int) -> float:
        start, end = self._events
        start.record()
        for _ in range(times):
            call()
        end.record()
        end.synchronize()
        return float(cupy().cuda.get_elapsed_time(start, end)) / 1000


def to_device(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copies of `arrays` on the GPU."""
    return tuple(cupy().asarray(a) for a in arrays)


def plain_copy(shape: tuple[int, ...]) -> list[Call]:
    """The yardstick: copy one float32 array into another, on rotating buffers."""
    cp = cupy()

    def one() -> Call:
        source, target = cp.ones(shape, cp.float32), cp.empty(shape, cp.float32)
        return lambda: cp.copyto(target, source)

    return [one() for _ in range(ROTATING)]


def describe() -> dict[str, Any]:
    """The device, its driver and the CUDA versions."""
    runtime = cupy().cuda.runtime
    properties = runtime.getDeviceProperties(cupy().cuda.Device().id)
    return {
        "gpu": properties["name"].decode(),
        "memory": properties["totalGlobalMem"],
        "driver": runtime.driverGetVersion(),
        "cuda": runtime.runtimeGetVersion(),
    }
