"""Builds the kernels for the CPU that plays a GPU, and hands out a `Gpu` on it.

    gpu = emulate.gpu()
    y = gpu.empty(x.shape, x.dtype)
    gpu.launch("median<f32>", gpu.blocks(x.size), 256, x, y, x.shape)

Arrays are NumPy's. VOXKERN_EMU chooses the build: plain, address or thread.
"""

import fcntl
import functools
import importlib.util
import os
import sys
from pathlib import Path

import builds
import numpy as np

from voxkern import _gpu

ROOT = Path(__file__).parents[2]
BUILDS = ROOT / "build" / "emu"

# Orders of threads and blocks under which a right kernel gives the same answer.
SCHEDULES = {
    "forward": ("forward", 0, 0.0, 1),
    "reverse": ("reverse", 0, 0.0, 1),
    "random": ("random", 1, 0.2, 1),
    "crowded": ("random", 2, 0.2, 4),
}


def missing():
    """Why the emulator cannot be built here, or None."""
    return builds.missing_tool("the emulator")


def build(variant="plain"):
    """Compile what has changed and return the module's path."""
    folder = BUILDS / variant
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        builds.run(
            *("cmake", "-S", Path(__file__).parent, "-B", folder, *builds.NINJA),
            f"-DVOXKERN_EMU_SANITIZE={builds.SANITIZERS[variant]}",
            f"-DPython_EXECUTABLE={sys.executable}",
        )
        builds.run("cmake", "--build", folder, "--parallel", str(os.cpu_count()))
    return next(folder.glob("_cuda_emu*.so"))


@functools.cache
def module():
    """The built module, `_cuda_emu`."""
    path = os.environ.get("VOXKERN_EMU_MODULE") or build(os.environ.get("VOXKERN_EMU", "plain"))
    spec = importlib.util.spec_from_file_location("_cuda_emu", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


class HostArrays:
    """NumPy's arrays in the part of device arrays. What is not written is garbage, every time."""

    device, stream = 0, 0

    def empty(self, shape, dtype):
        array = np.empty(shape, dtype)
        array.view(np.uint8)[...] = 1 if np.dtype(dtype).kind == "b" else 0xCB
        return array

    def zeros(self, shape, dtype):
        return np.zeros(shape, dtype)

    def put(self, array):
        return array.copy()

    def get(self, array):
        return array

    def sort(self, array):
        return np.sort(array, axis=None)


class SmallGpu(_gpu.Gpu):
    """A `Gpu` that gives a launch so few blocks that each has to take several turns."""

    @staticmethod
    def blocks(count, threads=256, most=2):
        return _gpu.Gpu.blocks(count, threads, min(most, 2))

    @staticmethod
    def tiles(shape, tile, most=2):
        return _gpu.Gpu.tiles(shape, tile, min(most, 2))


def gpu(kind=_gpu.Gpu):
    """A `Gpu` whose kernels run on the CPU."""
    return kind(HostArrays(), module().launch)


class WatchedGpu(_gpu.Gpu):
    """A `Gpu` that keeps the names of what is launched."""

    def __init__(self, *args):
        super().__init__(*args)
        self.launched = set()

    def launch(self, name, *args):
        self.launched.add(name)
        super().launch(name, *args)
