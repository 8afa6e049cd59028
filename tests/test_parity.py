"""Every implementation of every kernel gives the rule's answer: nobody lists them here."""

from __future__ import annotations

import functools
import importlib
import itertools
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


# Numba compiles a rule anew for each type, which takes most of the time here: of whole numbers and
# of floats those that users have most. The slow tests try the others.
NUMBA = ("uint8", "float32")
CASES = [(name, dtype) for name in sorted(KERNELS) for dtype in KERNELS[name].dtypes]


def few(name: str) -> list[str]:
    """The types for which a rule is compiled by Numba here."""
    dtypes = KERNELS[name].dtypes
    return [dtype for dtype in dtypes if dtype in NUMBA] or [dtypes[-1]]


def natives(kernel: Kernel) -> Iterator[tuple[str, Callable[..., None]]]:
    for name in levels():
        function = getattr(importlib.import_module(f"voxkern._cpu_{name}"), kernel.name, None)
        if function is not None:
            for threads in (1, 3):
                yield f"{name}, {threads} threads", functools.partial(function, threads)


def numba(kernel: Kernel) -> Iterator[tuple[str, Callable[..., None]]]:
    found = _backends.Numba.find(kernel)
    if found is not None:
        yield "numba", functools.partial(found, 2)


def hold_all(name: str, dtype: str, runners: list[tuple[str, Callable[..., None]]]) -> None:
    """Assert that each gives the rule's answer, whatever the shape."""
    kernel = KERNELS[name]
    assert kernel.sample is not None, f"{name} has no example arguments"
    for shape, seed in itertools.product(SHAPES, range(3)):
        args = kernel.sample(np.random.default_rng(seed), shape, dtype)
        written = outputs(kernel, args)
        before = [a.copy() for a in written]
        kernel.rule(*args)
        wanted = [a.copy() for a in written]
        for where, run in runners:
            for a, b in zip(written, before, strict=True):
                a[...] = b
            run(*args)
            for got, want in zip(written, wanted, strict=True):
                hold(kernel, got, want, f"{where}, {shape}, seed {seed}", args[0])


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_all_backends_agree(name: str, dtype: str) -> None:
    kernel = KERNELS[name]
    hold_all(name, dtype, [*natives(kernel), *(numba(kernel) if dtype in few(name) else ())])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), [case for case in CASES if case[1] not in few(case[0])])
def test_numba_agrees_on_the_other_types(name: str, dtype: str) -> None:
    hold_all(name, dtype, [*numba(KERNELS[name])])


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
            run(threads, *args)
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
    run(1, *args)
    wanted = [a.copy() for a in written]
    for a, b in zip(written, before, strict=True):
        a[...] = b
    run(1, *map(as_numpy, args))
    for got, want in zip(written, wanted, strict=True):
        np.testing.assert_array_equal(got, want)
