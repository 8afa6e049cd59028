"""Every implementation of every kernel gives the rule's answer: nobody lists them here."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from parity import hold, outputs

from voxkern import _backends
from voxkern._kernel import Kernel, kernels

KERNELS = kernels()
SHAPES = [(1, 1, 1), (1, 1, 9), (1, 6, 7), (4, 1, 5), (4, 5, 6), (3, 9, 70)]
LEVELS = ["v2", "v3", "v4", "base"]


def levels() -> list[str]:
    """The CPU builds that are here and run on this processor."""
    best = _backends.level()
    if best is None:
        return []
    runs = LEVELS[: LEVELS.index(best) + 1] if best != "base" else ["base"]
    return [name for name in runs if _backends.module(f"_cpu_{name}")]


def runners(kernel: Kernel) -> Iterator[tuple[str, Callable[..., None]]]:
    for name in levels():
        function = getattr(importlib.import_module(f"voxkern._cpu_{name}"), kernel.name, None)
        if function is not None:
            for threads in (1, 3):
                yield f"{name}, {threads} threads", functools.partial(function, threads)
    numba = _backends.Numba.find(kernel)
    if numba is not None:
        yield "numba", lambda *args: numba(2, args)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, dtype) for name in sorted(KERNELS) for dtype in KERNELS[name].dtypes],
)
def test_all_backends_agree(name: str, dtype: str, shape: tuple[int, int, int]) -> None:
    kernel = KERNELS[name]
    assert kernel.sample is not None, f"{name} has no example arguments"
    for seed in range(3):
        args = kernel.sample(np.random.default_rng(seed), shape, dtype)
        written = outputs(kernel, args)
        before = [a.copy() for a in written]
        kernel.rule(*args)
        wanted = [a.copy() for a in written]
        for where, run in runners(kernel):
            for a, b in zip(written, before, strict=True):
                a[...] = b
            run(*args)
            for got, want in zip(written, wanted, strict=True):
                hold(kernel, got, want, f"{where}, seed {seed}", args[0])


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_threads_do_not_change_a_bit(name: str) -> None:
    kernel = KERNELS[name]
    if _backends.Native.find(kernel) is None:
        pytest.skip(f"{name} has no compiled kernel here: build with a C++ compiler")
    run = _backends.Native.find(kernel)
    for dtype in kernel.dtypes:
        args = kernel.sample(np.random.default_rng(7), (17, 33, 41), dtype)
        written = outputs(kernel, args)
        before = [a.copy() for a in written]
        first = None
        for threads in (1, 2, 3, 8):
            for a, b in zip(written, before, strict=True):
                a[...] = b
            run(threads, args)
            answer = [a.tobytes() for a in written]
            first = first or answer
            assert answer == first, f"{name} {dtype} differs with {threads} threads"


def as_numpy(value: object) -> object:
    """An argument's numbers as NumPy's, its arrays and tuples as they are."""
    if type(value) is int:
        return np.int64(value)
    return np.float64(value) if type(value) is float else value


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_numbers_of_numpy_are_read_as_pythons(name: str) -> None:
    kernel = KERNELS[name]
    run = _backends.Native.find(kernel)
    if run is None:
        pytest.skip(f"{name} has no compiled kernel here: build with a C++ compiler")
    args = kernel.sample(np.random.default_rng(1), (4, 5, 6), kernel.dtypes[-1])
    written = outputs(kernel, args)
    before = [a.copy() for a in written]
    run(1, args)
    wanted = [a.copy() for a in written]
    for a, b in zip(written, before, strict=True):
        a[...] = b
    run(1, tuple(map(as_numpy, args)))
    for got, want in zip(written, wanted, strict=True):
        np.testing.assert_array_equal(got, want)
