"""One computation, one signature, several ways to run it.

A kernel is declared by its *rule*: a plain Python function that writes the answer
voxel by voxel. The rule is the definition. Compiled by Numba it is the fallback on
the CPU; left as it is, it is what the tests hold every other implementation to.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, TypeAlias

import numpy as np

from . import _backends

# What a rule loops over where the order of the turns does not matter.
prange = range

# The words of a kernel's signature; every backend takes its arguments in these.
In: TypeAlias = Annotated[Any, "In"]
Out: TypeAlias = Annotated[Any, "Out"]
ListIn: TypeAlias = Annotated[Any, "ListIn"]
ListOut: TypeAlias = Annotated[Any, "ListOut"]
Size: TypeAlias = Annotated[tuple[int, int, int], "Size"]
Vec3: TypeAlias = Annotated[tuple[float, float, float], "Vec3"]
Edge: TypeAlias = Annotated[int, "Edge"]
Scalar: TypeAlias = Annotated[Any, "Scalar"]

Rule = Callable[..., None]
Sample = Callable[["np.random.Generator", tuple[int, int, int], str], tuple[Any, ...]]

# The families of kernels, the most used first.
FAMILIES = (
    *("filters", "warp", "morphology", "regions", "segment"),
    *("metrics", "registration", "features", "evaluate"),
)
REGISTRY: dict[str, Kernel] = {}


def kernels() -> dict[str, Kernel]:
    """Return every kernel by its name, those of families not loaded yet too."""
    for family in FAMILIES:
        importlib.import_module("." + family, __package__)
    return REGISTRY


_DEFAULT = os.environ.get("VOXKERN_BACKEND")
_forced: contextvars.ContextVar[str | None] = contextvars.ContextVar("voxkern_backend")


def use_backend(name: str) -> contextlib.AbstractContextManager[None]:
    """Run every kernel inside the block on one backend, or raise.

    Parameters
    ----------
    name : {'native', 'numba', 'cuda', 'cupy', 'python'}
        'native' is compiled C++, 'numba' the rules through Numba, 'cuda' compiled
        CUDA, 'cupy' the same CUDA text compiled by CuPy at its first use, 'python'
        the rules as they are (slow; for tests).

    Notes
    -----
    Nothing changes outside a ``with`` block. VOXKERN_BACKEND does so for a whole process.

    Examples
    --------
    >>> with voxkern.use_backend("numba"):
    ...     y = voxkern.median_filter(np.zeros((4, 4)), 3)
    """
    if name not in _backends.NAMES:
        raise ValueError(f"name must be one of {', '.join(_backends.NAMES)}; got {name!r}")
    return _using(name)


@contextlib.contextmanager
def _using(name: str) -> Iterator[None]:
    token = _forced.set(name)
    try:
        yield
    finally:
        _forced.reset(token)


def forced() -> str | None:
    """Return the backend that `use_backend` or VOXKERN_BACKEND asks for."""
    return _forced.get(_DEFAULT)


def kernel(
    *,
    dtypes: Iterable[str],
    exact: bool = True,
    rtol: float = 0.0,
    atol: float = 0.0,
    of: str = "answer",
    why: str = "",
    host: bool = False,
) -> Callable[[Rule], Kernel]:
    """Declare a kernel from its rule.

    The rule's name, less its underscore, is the symbol that every backend is asked
    for. `dtypes` are the types of its first array. A kernel is `exact` when all
    backends give equal bits; otherwise `rtol` and `atol` (relative to the largest
    magnitude of the answer, or of the first array where `of` is "image", for answers
    that cancel) say how far they may be apart, and `why` says why. A `host` kernel takes
    small tables that are in NumPy wherever the images are, and runs on the CPU for all.
    """

    def declare(rule: Rule) -> Kernel:
        declared = Kernel(rule, tuple(dtypes), exact, rtol, atol, of, why, host)
        functools.update_wrapper(declared, rule)
        return declared

    return declare


class Kernel:
    """A declared kernel: its rule, and how to run it where the arrays are."""

    def __init__(
        self, rule: Rule, dtypes: tuple[str, ...], exact: bool, rtol: float, atol: float, of: str,
        why: str, host: bool,
    ) -> None:  # fmt: skip
        self.name = rule.__name__.lstrip("_")
        self.rule = rule
        self.dtypes = dtypes
        self.exact, self.rtol, self.atol, self.of, self.why = exact, rtol, atol, of, why
        self.host = host
        self.sample: Sample | None = None
        self.overrides: dict[str, Callable[..., None]] = {}
        self._runners: dict[tuple[type, str | None], _backends.Runner] = {}
        if exact == bool(rtol or atol or why):
            raise TypeError(f"{self.name}: a kernel is either exact, or has a tolerance and a why")
        if self.name in REGISTRY:
            raise TypeError(f"kernel {self.name!r} is declared twice")
        REGISTRY[self.name] = self

    def example(self, make: Sample) -> Sample:
        """Give the kernel a maker of valid arguments, ``make(rng, shape, dtype)``."""
        self.sample = make
        return make

    def on(self, backend: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Use another text on one backend.

        On 'numba' it is a faster rule. On 'cuda' it is the plan of the launches,
        ``plan(gpu, *args)``, which serves both compiled CUDA and CuPy.
        """

        def register(function: Callable[..., None]) -> Callable[..., None]:
            self.overrides[backend] = function
            return function

        return register

    def backends(self, device: str) -> list[str]:
        """Return the names of the backends that can run this here, the best first."""
        return [b.name for b in _backends.FOR[device] if b.find(self) is not None]

    def __call__(self, *args: Any, workers: int | None = None) -> None:
        """Run on the backend that fits the first array; the arguments are trusted."""
        key = type(args[0]), _forced.get(_DEFAULT)
        run = self._runners.get(key)
        if run is None:
            device = _backends.device_of(args[0])
            run = self._runners[key] = _backends.settle(self, device, key[1])
        run(workers or _backends.threads(), *args)
