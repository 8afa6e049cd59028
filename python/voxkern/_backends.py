"""Where kernels run. With _jit and _gpu the only importers of compiled code, Numba and CuPy."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import os
import threading
import types
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ._kernel import Kernel

# Runs a kernel with (threads, *arguments).
Runner = Callable[..., None]

_INSTALL = (
    "install a wheel with compiled kernels, or a C++ compiler and "
    "`pip install --no-binary voxkern voxkern`, or Numba: `pip install 'voxkern[numba]'`"
)


def device_of(array: Any) -> str:
    """Return 'cuda' for arrays that live on a CUDA device, else 'cpu'."""
    if type(array) is np.ndarray:  # most are; to find what is not there takes long
        return "cpu"
    return "cuda" if hasattr(array, "__cuda_array_interface__") else "cpu"


@functools.cache
def module(name: str) -> types.ModuleType | None:
    """Return a compiled module of this package, or None where it was not built or is broken."""
    try:
        return importlib.import_module("." + name, __package__)
    except ModuleNotFoundError:
        return None
    except ImportError as error:
        warnings.warn(f"voxkern.{name} does not load: {error}", RuntimeWarning, stacklevel=2)
        return None


@functools.cache
def level() -> str | None:
    """Return the CPU level in use: VOXKERN_LEVEL, or the best that is built and runs here."""
    probe = module("_level")
    if probe is None:
        return None
    best = probe.best()
    order = ["base"] if best == "base" else ["v2", "v3", "v4"]
    runs = order[: order.index(best) + 1] if best in order else []
    wanted = os.environ.get("VOXKERN_LEVEL")
    if wanted:
        if wanted not in runs:
            raise ValueError(
                f"VOXKERN_LEVEL must be one of {', '.join(runs)} on this CPU; got {wanted!r}"
            )
        return wanted if module(f"_cpu_{wanted}") else None
    return next((name for name in reversed(runs) if module(f"_cpu_{name}")), None)


def native() -> types.ModuleType | None:
    """Return the compiled CPU module in use, or None."""
    name = level()
    return module(f"_cpu_{name}") if name else None


_threads: int | None = None


def set_threads(n: int | None) -> None:
    """Use at most `n` threads for CPU calls in this process; None for every core given to us.

    VOXKERN_THREADS sets the same from outside, and ``workers=`` for one call.
    """
    global _threads
    if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
        raise ValueError(f"n must be a positive integer or None; got {n!r}")
    _threads = n


def threads() -> int:
    """Return how many threads a CPU call may use."""
    global _threads
    if _threads is None:
        _threads = _default_threads()
    return _threads


def _default_threads() -> int:
    text = os.environ.get("VOXKERN_THREADS")
    if text:
        if not text.isdigit() or int(text) < 1:
            raise ValueError(f"VOXKERN_THREADS must be a positive integer; got {text!r}")
        return int(text)
    compiled = native()
    if compiled is not None:
        return int(compiled.cores())
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class Native:
    """C++ compiled ahead of time, in the build that fits this CPU."""

    name = "native"

    @staticmethod
    def find(kernel: Kernel) -> Runner | None:
        return getattr(native(), kernel.name, None)

    @staticmethod
    def why_not() -> str | None:
        if native() is not None:
            return None
        return "no compiled CPU module: this is a pure-Python install"


class Numba:
    """The rule, or a faster one for Numba, compiled at its first use."""

    name = "numba"
    # Numba's simplest threading layer does not bear two callers at once.
    _one_at_a_time = threading.Lock()

    @staticmethod
    def find(kernel: Kernel) -> Runner | None:
        if importlib.util.find_spec("numba") is None:
            return None
        return Numba._runner(kernel)

    @staticmethod
    @functools.cache
    def _runner(kernel: Kernel) -> Runner:
        compiled: list[Any] = []

        def run(threads: int, *args: Any) -> None:
            with Numba._one_at_a_time:
                import numba

                if not compiled:
                    # A layer that survives fork, unless the user chose one.
                    if numba.config.THREADING_LAYER == "default":
                        numba.config.THREADING_LAYER = "forksafe"
                    compiled.append(compile_rule(kernel.overrides.get("numba", kernel.rule)))
                before = numba.get_num_threads()
                numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
                try:
                    compiled[0](*map(_writable, args))
                finally:
                    numba.set_num_threads(before)

        return run

    @staticmethod
    def why_not() -> str | None:
        if importlib.util.find_spec("numba") is None:
            return "Numba is not installed: `pip install 'voxkern[numba]'`"
        return None


def _after_fork() -> None:
    Numba._one_at_a_time = threading.Lock()  # another thread may have held it, which is not here


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Alias:
    """An array's memory, as if it could be written to."""

    def __init__(self, array: Any) -> None:
        self.array = array  # lives as long as the alias
        told = array.__array_interface__
        self.__array_interface__ = told | {"data": (told["data"][0], False)}


def _writable(arg: Any) -> Any:
    """Return the argument, an array that is read-only as an alias that is not.

    A rule writes to its outputs alone, which are checked before; but Numba would compile it anew
    for each array that happens to be read-only.
    """
    if not isinstance(arg, np.ndarray) or arg.flags.writeable:  # NumPy's numbers have flags too
        return arg
    return np.asarray(_Alias(arg))


@functools.cache
def compile_rule(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a rule, and the helpers of this package that it calls, with Numba."""
    import numba

    names = dict(rule.__globals__)
    used = _names_used(rule.__code__)
    for name in used:
        value = names.get(name)
        if name == "prange":
            names[name] = numba.prange
        elif inspect.isfunction(value) and value.__module__.partition(".")[0] == __package__:
            names[name] = compile_rule(value)
    text = types.FunctionType(rule.__code__, names, rule.__name__, rule.__defaults__)
    text.__module__ = rule.__module__
    text.__qualname__ = rule.__qualname__
    compiled: Callable[..., Any] = numba.njit(
        text, nogil=True, parallel="prange" in used, error_model="numpy", cache=True
    )
    return compiled


def _names_used(code: types.CodeType) -> set[str]:
    used = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            used |= _names_used(constant)
    return used


class Python:
    """The rule as it is: slow, and the definition. Only ever asked for by name."""

    name = "python"

    @staticmethod
    def find(kernel: Kernel) -> Runner | None:
        return lambda threads, *args: kernel.rule(*args)

    @staticmethod
    def why_not() -> str | None:
        return None


class Cuda:
    """CUDA compiled ahead of time, launched as the op's plan says."""

    name = "cuda"

    @staticmethod
    def find(kernel: Kernel) -> Runner | None:
        plan = kernel.overrides.get("cuda")
        if plan is None or Cuda.why_not() is not None:
            return None
        from . import _gpu

        return lambda threads, *args: plan(_gpu.compiled(args[0]), *args)

    @staticmethod
    @functools.cache
    def why_not() -> str | None:
        compiled = module("_cuda")
        if compiled is None:
            return "no compiled CUDA module: this build had no CUDA compiler"
        count, reason = compiled.device_count()
        return None if count else str(reason)


class Jit:
    """The same CUDA text and plan, compiled at its first use by CuPy."""

    name = "cupy"

    @staticmethod
    def find(kernel: Kernel) -> Runner | None:
        plan = kernel.overrides.get("cuda")
        if plan is None or Jit.why_not() is not None:
            return None
        from . import _gpu

        return lambda threads, *args: plan(_gpu.jit(args[0]), *args)

    @staticmethod
    @functools.cache
    def why_not() -> str | None:
        if importlib.util.find_spec("cupy") is None:
            return "CuPy is not installed: `pip install 'voxkern[cuda13]'` (or cuda12)"
        import cupy

        try:
            return None if cupy.cuda.runtime.getDeviceCount() else "no CUDA device"
        except cupy.cuda.runtime.CUDARuntimeError as error:
            return f"no CUDA device: {error}"


FOR: dict[str, tuple[Any, ...]] = {"cpu": (Native, Numba, Python), "cuda": (Cuda, Jit)}
NAMES = tuple(backend.name for backends in FOR.values() for backend in backends)


def settle(kernel: Kernel, device: str, wanted: str | None) -> Runner:
    """Return the runner for `kernel` on `device`, or raise and say what would help."""
    if kernel.host and wanted in [backend.name for backend in FOR["cuda"]]:
        wanted = None  # the images are there, its tables are not
    for backend in FOR[device]:
        if backend.name == wanted or (wanted is None and (backend is not Python or kernel.host)):
            run: Runner | None = backend.find(kernel)
            if run is not None:
                return run
    if wanted is not None:
        raise NotImplementedError(_why_not_forced(kernel, device, wanted))
    if device == "cpu":
        raise ImportError(f"{kernel.name} has no implementation here: {_INSTALL}")
    if "cuda" not in kernel.overrides:
        raise NotImplementedError(
            f"{kernel.name} has no CUDA schedule yet; take the array to the CPU first: "
            "cupy.asnumpy(x), or x.cpu() of a PyTorch tensor"
        )
    reasons = "; ".join(f"{b.name}: {b.why_not()}" for b in FOR[device])
    raise ImportError(f"{kernel.name} cannot run on a CUDA array here: {reasons}")


def _why_not_forced(kernel: Kernel, device: str, wanted: str) -> str:
    there = next((d for d, backends in FOR.items() if wanted in [b.name for b in backends]), None)
    if there is None:
        return f"backend {wanted!r} does not exist; there are {', '.join(NAMES)}"
    if there != device:
        return f"backend {wanted!r} runs on {there} arrays; got one on {device}"
    backend = next(b for b in FOR[device] if b.name == wanted)
    return f"{kernel.name} cannot run on {wanted!r}: {backend.why_not() or 'not written for it'}"
