"""The way through CuPy, up to the GPU that is not here.

A pretended CuPy checks what it is given against the kernels' signatures and runs them on the CPU.
Then CuPy itself is given the same arguments and has to get as far as the driver.
"""

import contextlib
import sys
import types

import emulate
import numpy as np
import pytest
from test_launch import (  # noqa: F401  (the same truths, on this way)
    test_a_mask_is_read_as_bytes,
    test_an_empty_grid_launches_nothing,
    test_every_kind_of_argument_arrives,
    test_none_is_a_null_pointer,
    test_numpy_scalars_are_numbers,
    test_shared_memory_is_shared,
    test_sums_are_exact,
    test_tiles_cover_a_volume_once,
)
from test_parity_emu import CASES, PLANS, answer_of, c_ordered, hold

from voxkern import _gpu, _jit

TYPES = {name: np.dtype(numpy).str for numpy, name in _gpu.NAMES.items()}
NUMBERS = {"i64": np.dtype("<i8"), "f64": np.dtype("<f8"), "Size": _jit.SIZE, "Vec3": _jit.VEC3}


class DeviceArray(np.ndarray):
    """NumPy's memory, to be reached as on a device."""

    __array_priority__ = 1

    @property
    def __cuda_array_interface__(self):
        return self.__array_interface__


class DeviceArrays(emulate.HostArrays):
    def empty(self, shape, dtype):
        return super().empty(shape, dtype).view(DeviceArray)

    def zeros(self, shape, dtype):
        return super().zeros(shape, dtype).view(DeviceArray)

    def put(self, array):
        return super().put(array).view(DeviceArray)


class At:
    """An array known by its address alone, of the type that the kernel expects."""

    def __init__(self, address, parameter):
        element = parameter.removeprefix("const ").removesuffix("*")
        self.__array_interface__ = {
            "shape": (1,),
            "typestr": TYPES[element],
            "data": (int(address), False),
            "version": 3,
        }


def unpack(packed, parameter):
    """An argument as it was, from the bytes that a kernel would be handed."""
    assert packed.size == 1
    if parameter.endswith("*"):
        assert packed.dtype == np.uint64
        return At(packed, parameter) if packed else None
    assert packed.dtype == NUMBERS[parameter]
    return packed.item()


class PretendModule:
    """What cupy.RawModule does, on the emulator."""

    def __init__(self, code, options, name_expressions):
        assert "--fmad=false" in options
        assert "#include <voxkern" not in code
        self.code, self.expressions = code, name_expressions

    def get_function(self, expression):
        assert expression in self.expressions
        kernels = emulate.module().kernels()
        (name,) = [name for name in kernels if _jit.expression(name) == expression]
        assert f"void {name.partition('<')[0]}(" in self.code

        def function(grid, block, args, stream):
            values = [
                unpack(a, parameter) for a, parameter in zip(args, kernels[name], strict=True)
            ]
            emulate.module().launch(name, grid, block, stream.ptr, 0, tuple(values))

        return function


@pytest.fixture
def gpu(emulator, monkeypatch):
    """A `Gpu` by way of _jit and a pretended CuPy, in place of the emulator's own."""
    cuda = types.SimpleNamespace(Device=lambda device: contextlib.nullcontext())
    monkeypatch.setitem(
        sys.modules, "cupy", types.SimpleNamespace(cuda=cuda, RawModule=PretendModule)
    )
    here = {
        name: path
        for path in emulate.ROOT.glob("tests/emu/*.cu")
        for name in _jit.exported(path.read_text(encoding="utf-8"))
    }
    known = _jit.instances() | here
    monkeypatch.setattr(_jit, "instances", lambda: known)
    _jit._function.cache_clear()
    return _gpu.Gpu(DeviceArrays(), _jit.launch)


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_a_plan_gives_the_rules_answer(gpu, name, dtype):
    kernel = PLANS[name]
    args = c_ordered(kernel.sample(np.random.default_rng(3), (3, 6, 33), dtype))
    wanted = answer_of(kernel, kernel.rule, args)
    words = [word for what, word in kernel.rule.__annotations__.items() if what != "return"]
    there = [
        a.view(DeviceArray) if word in ("In", "Out", "ListOut") else a
        for a, word in zip(args, words, strict=True)
    ]
    got = answer_of(kernel, lambda *a: kernel.overrides["cuda"](gpu, *a), there)
    for answer, want in zip(got, wanted, strict=True):
        hold(kernel, np.asarray(answer), want, "a pretended CuPy", args[0])


def test_names_become_expressions():
    assert _jit.expression("clear") == "voxkern::kernel::clear"
    expected = "voxkern::kernel::median<voxkern::f32,3,true,bool>"
    assert _jit.expression("median<f32,3,true,bool>") == expected


def test_headers_are_pasted_once(emulator):
    text = _jit.flatten(emulate.ROOT / "tests" / "emu" / "probe.cu")
    assert text.count("struct Size {") == 1
    assert "#pragma once" not in text
    assert '#line 1 "base.hpp"' in text


def test_cupy_takes_the_arguments_as_far_as_the_driver():
    cupy = pytest.importorskip("cupy", reason="pip install cupy-cuda13x")
    from cupy.cuda import function

    kernel = function.Function.__new__(function.Function)
    args = tuple(_jit.pack(a) for a in (None, 3, 2.5, (1, 2, 3), (1.0, 2.0, 3.0)))
    stream = types.SimpleNamespace(ptr=0)
    if _device_count(cupy):
        pytest.skip("there is a GPU: the tests on it say more")
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match=r"InsufficientDriver|NoDevice"):
        kernel((1, 1, 1), (32, 1, 1), args, stream=stream)
    with pytest.raises(TypeError, match="of size one"):
        kernel((1, 1, 1), (32, 1, 1), (np.zeros(3),), stream=stream)


def test_what_cupy_passes_by_value_are_the_bytes_of_the_argument():
    pytest.importorskip("cupy", reason="pip install cupy-cuda13x")
    import ctypes

    from cupy.cuda.function import CNumpyArray

    packed = _jit.pack((1, 2, 3))
    assert list((ctypes.c_int64 * 3).from_address(CNumpyArray(packed).ptr)) == [1, 2, 3]
    packed = _jit.pack((0.5, 2.0, 3.0))
    assert list((ctypes.c_double * 3).from_address(CNumpyArray(packed).ptr)) == [0.5, 2, 3]


def _device_count(cupy):
    try:
        return cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0
