"""The machine: threads, both cores, the copy that everything is compared with, versions."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import os
import platform
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Name in the tables: module to import, distribution to install.
PEERS = {
    "NumPy": ("numpy", "numpy"),
    "SciPy": ("scipy", "scipy"),
    "scikit-image": ("skimage", "scikit-image"),
    "SimpleITK": ("SimpleITK", "SimpleITK"),
    "OpenCV": ("cv2", "opencv-python-headless"),
    "cc3d": ("cc3d", "connected-components-3d"),
    "edt": ("edt", "edt"),
    "bm4d": ("bm4d", "bm4d"),
    "DIPY": ("dipy", "dipy"),
    "fill_voids": ("fill_voids", "fill-voids"),
    "mahotas": ("mahotas", "mahotas"),
    "PyTorch": ("torch", "torch"),
    "CuPy": ("cupy", "cupy-cuda13x"),
    "cuCIM": ("cucim", "cucim-cu13"),
}

_threads = 1


def installed(peer: str) -> bool:
    """Whether the peer can be imported."""
    return importlib.util.find_spec(PEERS[peer][0]) is not None


def available_cpus() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads() -> int:
    """How many threads everybody has just now."""
    return _threads


def set_threads(count: int) -> None:
    """Give every library that is loaded the same number of threads."""
    global _threads
    _threads = count
    loaded = sys.modules
    if "voxkern" in loaded and hasattr(loaded["voxkern"], "set_threads"):
        loaded["voxkern"].set_threads(count)
    if "SimpleITK" in loaded:
        loaded["SimpleITK"].ProcessObject.SetGlobalDefaultNumberOfThreads(count)
    if "cv2" in loaded:
        loaded["cv2"].setNumThreads(count)
    if "torch" in loaded:
        loaded["torch"].set_num_threads(count)


_DOUGH = bytes(1 << 20)


def _knead(times: int) -> None:
    """Compute without memory traffic and without the interpreter's lock."""
    for _ in range(times):
        hashlib.sha256(_DOUGH)


def cores(count: int) -> float:
    """How many cores `count` computing threads get at this moment."""
    if count == 1:
        return 1.0
    best = 0.0
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(_knead, [1] * count))
        for _ in range(3):
            start = time.perf_counter()
            _knead(8)
            alone = time.perf_counter() - start
            start = time.perf_counter()
            list(pool.map(_knead, [8] * count))
            together = time.perf_counter() - start
            best = max(best, count * alone / together)
    return min(best, float(count))


def wait_for_cores(count: int, patience: float = 20.0) -> float:
    """Wait until the machine gives `count` threads their cores; return how many it gives."""
    end = time.perf_counter() + patience
    seen = cores(count)
    while seen < 0.8 * count and time.perf_counter() < end:
        time.sleep(1)
        seen = cores(count)
    return seen


class PlainCopy:
    """Copy one float32 array of `shape` into another with all threads: the yardstick."""

    def __init__(self, shape: tuple[int, ...], count: int) -> None:
        self.bytes = 8 * int(np.prod(shape))
        source = np.ones(shape, np.float32).ravel()
        target = np.empty_like(source)
        target.fill(0)
        cuts = np.linspace(0, source.size, count + 1).astype(int)
        self._parts: list[tuple[NDArray[Any], NDArray[Any]]] = [
            (target[a:b], source[a:b]) for a, b in itertools.pairwise(cuts)
        ]
        self._pool = ThreadPoolExecutor(max(1, count - 1))

    def __call__(self) -> None:
        others = [self._pool.submit(np.copyto, *part) for part in self._parts[1:]]
        np.copyto(*self._parts[0])
        for other in others:
            other.result()

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "processor": _processor(),
        "cpus": available_cpus(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Versions of ourselves and of every peer that is installed."""
    found = {"voxkern": str(importlib.import_module("voxkern").__version__)}
    for name, (_, distribution) in PEERS.items():
        candidates = [distribution, distribution.removesuffix("-headless")]
        for candidate in dict.fromkeys(candidates):
            try:
                found[name] = metadata.version(candidate)
                break
            except metadata.PackageNotFoundError:
                continue
    return found
