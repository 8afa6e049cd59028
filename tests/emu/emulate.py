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
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from voxkern import _gpu

ROOT = Path(__file__).parents[2]
BUILDS = ROOT / "build" / "emu"
SANITIZERS = {"plain": "", "address": "address,undefined", "thread": "thread"}

# Orders of threads and blocks under which a right kernel gives the same answer.
SCHEDULES = {
    "forward": ("forward", 0, 0.0, 1),
    "reverse": ("reverse", 0, 0.0, 1),
    "random": ("random", 1, 0.2, 1),
    "crowded": ("random", 2, 0.2, 4),
}


def missing():
    """Why the emulator cannot be built here, or None."""
    for tool in ("cmake", "c++"):
        if shutil.which(tool) is None:
            return f"the emulator is compiled when tested: install {tool}"
    if importlib.util.find_spec("pybind11") is None:
        return "the emulator is compiled when tested: pip install pybind11"
    return None


def build(variant="plain", root=ROOT, folder=None):
    """Compile what has changed and return the module's path."""
    folder = Path(folder or BUILDS / variant)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        _run(
            *("cmake", "-S", Path(__file__).parent, "-B", folder, *generator),
            f"-DVOXKERN_ROOT={root}",
            f"-DVOXKERN_EMU_SANITIZE={SANITIZERS[variant]}",
            f"-DPython_EXECUTABLE={sys.executable}",
        )
        _run("cmake", "--build", folder, "--parallel", str(os.cpu_count()))
    return next(folder.glob("_cuda_emu*.so"))


@functools.cache
def _library(name):
    """The path of a library of the compiler, or None."""
    found = subprocess.run(
        ["c++", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return found if Path(found).is_file() else None


def missing_sanitizer(variant):
    """Why a sanitized build cannot run here, or None."""
    name = "libtsan.so" if variant == "thread" else "libasan.so"
    return None if _library(name) else f"the compiler has no {name}"


def sanitized_environment(variant):
    """What a Python that loads a sanitized build needs around it."""
    if variant == "thread":
        return {"LD_PRELOAD": _library("libtsan.so"), "TSAN_OPTIONS": "halt_on_error=1 exitcode=66"}
    preload = " ".join(filter(None, map(_library, ("libasan.so", "libstdc++.so"))))
    options = "detect_leaks=0:detect_stack_use_after_return=0"
    return {"LD_PRELOAD": preload, "ASAN_OPTIONS": options, "UBSAN_OPTIONS": "print_stacktrace=1"}


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")


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


def gpu():
    """A `Gpu` whose kernels run on the CPU."""
    return _gpu.Gpu(HostArrays(), module().launch)


class WatchedGpu(_gpu.Gpu):
    """A `Gpu` that keeps the names of what is launched."""

    def __init__(self, *args):
        super().__init__(*args)
        self.launched = set()

    def launch(self, name, *args):
        self.launched.add(name)
        super().launch(name, *args)
