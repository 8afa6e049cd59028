"""What the plan of a GPU op is handed: kernels by name, scratch memory, transfers.

A plan is written once and runs in three places: on kernels compiled ahead of time (``_cuda``), on
the same text compiled by CuPy at the first call (``_jit``), and in tests on kernels that the CPU
plays (``tests/emu``). It queues its work on the current stream of the library that owns the arrays
and takes scratch from that library; nothing waits but :meth:`Gpu.get`.
"""

from __future__ import annotations

import math
import sys
import types
from typing import Any, Protocol

import numpy as np

from . import _backends

NAMES = {
    "bool": "bool",
    "int8": "i8",
    "uint8": "u8",
    "int16": "i16",
    "uint16": "u16",
    "int32": "i32",
    "uint32": "u32",
    "int64": "i64",
    "uint64": "u64",
    "float32": "f32",
    "float64": "f64",
}


class Arrays(Protocol):
    """A library of device arrays: where scratch comes from and where work is queued."""

    device: int

    @property
    def stream(self) -> int: ...
    def empty(self, shape: Any, dtype: Any) -> Any: ...
    def zeros(self, shape: Any, dtype: Any) -> Any: ...
    def put(self, array: np.ndarray[Any, Any]) -> Any: ...
    def get(self, array: Any) -> np.ndarray[Any, Any]: ...
    def chosen(self, array: Any, mask: Any) -> Any: ...
    def sort(self, array: Any) -> Any: ...
    def filter_spectrum(self, array: Any, table: np.ndarray[Any, Any]) -> Any: ...


class Gpu:
    """One device, one array library, one way to run kernels.

    Parameters
    ----------
    arrays : Arrays
        The library that owns the arrays of this call.
    run : callable
        ``run(name, grid, block, stream, device, args)``, with grid and block as CUDA has them:
        (x, y, z).
    """

    def __init__(self, arrays: Arrays, run: Any) -> None:
        self._arrays = arrays
        self._run = run

    def launch(self, name: str, grid: Any, block: Any, *args: Any) -> None:
        """Queue a kernel.

        Parameters
        ----------
        name : str
            An instance that a .cu file exports, such as ``"median<f32>"``.
        grid, block : int or tuple of int
            Blocks, and threads in a block, in the order of the array's axes: an int or the last
            of a tuple is CUDA's x. A grid of no block launches nothing.
        *args : array, None, int, float, tuple of three int, tuple of three float
            For parameters ``T*``, ``i64``, ``f64``, ``Size`` and ``Vec3``. A tuple that holds any
            float is a ``Vec3``.
        """
        grid, block = _three(grid), _three(block)
        if 0 not in grid:
            plain = tuple(map(_plain, args))
            self._run(name, grid, block, self._arrays.stream, self._arrays.device, plain)

    def empty(self, shape: Any, dtype: Any) -> Any:
        """Scratch of any content."""
        return self._arrays.empty(shape, np.dtype(dtype))

    def zeros(self, shape: Any, dtype: Any) -> Any:
        """Scratch of zeros."""
        return self._arrays.zeros(shape, np.dtype(dtype))

    def put(self, array: Any) -> Any:
        """A small NumPy array, such as a table of weights, on the device.

        What is there already comes back as it is.
        """
        if hasattr(array, "__cuda_array_interface__"):
            return array
        return self._arrays.put(np.ascontiguousarray(array))

    def get(self, array: Any) -> np.ndarray[Any, Any]:
        """A device array as a NumPy array. Waits for the work queued before."""
        return self._arrays.get(array)

    def sort(self, array: Any) -> Any:
        """The elements of a device array in rising order, as a list."""
        return self._arrays.sort(array)

    @staticmethod
    def name_of(dtype: Any) -> str:
        """The name that kernels have for a type: ``"f32"`` for float32."""
        return NAMES[np.dtype(dtype).name]

    @staticmethod
    def blocks(count: int, threads: int = 256, most: int = 1 << 20) -> int:
        """How many blocks give each of `count` items a thread, or many turns where `most` cuts."""
        return min(-(-count // threads), most)

    @staticmethod
    def tiles(shape: Any, tile: Any, most: int = 1 << 20) -> int:
        """How many tiles cover a volume: the grid for kernels that take tile after tile."""
        return min(math.prod(-(-n // t) for n, t in zip(shape, tile, strict=True)), most)


def _three(count: Any) -> tuple[int, ...]:
    axes = (count,) if isinstance(count, (int, np.integer)) else tuple(count)
    return (*(int(n) for n in reversed(axes)), 1, 1)[:3]


def _plain(arg: Any) -> Any:
    """Python's own numbers for NumPy's; arrays as they are."""
    if isinstance(arg, (int, np.integer, np.bool_)):
        return int(arg)
    if isinstance(arg, (float, np.floating)):
        return float(arg)
    if isinstance(arg, tuple):
        numbers = tuple(map(_plain, arg))
        return tuple(map(float, numbers)) if float in map(type, numbers) else numbers
    return arg


class CupyArrays:
    """CuPy's arrays on one device."""

    def __init__(self, device: int) -> None:
        import cupy

        self.cupy, self.device = cupy, device

    @property
    def stream(self) -> int:
        return self.cupy.cuda.get_current_stream(self.device).ptr

    def empty(self, shape: Any, dtype: Any) -> Any:
        with self.cupy.cuda.Device(self.device):
            return self.cupy.empty(shape, dtype)

    def zeros(self, shape: Any, dtype: Any) -> Any:
        with self.cupy.cuda.Device(self.device):
            return self.cupy.zeros(shape, dtype)

    def put(self, array: np.ndarray[Any, Any]) -> Any:
        with self.cupy.cuda.Device(self.device):
            return self.cupy.asarray(array)

    def get(self, array: Any) -> np.ndarray[Any, Any]:
        with self.cupy.cuda.Device(self.device):
            return self.cupy.asnumpy(array)

    def chosen(self, array: Any, mask: Any) -> Any:
        with self.cupy.cuda.Device(self.device):
            return array[mask]

    def sort(self, array: Any) -> Any:
        with self.cupy.cuda.Device(self.device):
            return self.cupy.sort(array.ravel())

    def filter_spectrum(self, array: Any, table: np.ndarray[Any, Any]) -> Any:
        with self.cupy.cuda.Device(self.device):
            spectrum = self.cupy.fft.rfftn(array)
            self.cupy.multiply(spectrum, self.cupy.asarray(table), out=spectrum)
            return self.cupy.fft.irfftn(spectrum, array.shape, (0, 1, 2))


class TorchArray:
    """A torch tensor with the attributes and methods that arrays have in NumPy's words."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor.detach()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(str(self.tensor.dtype).removeprefix("torch."))

    @property
    def size(self) -> int:
        return int(self.tensor.numel())

    @property
    def ndim(self) -> int:
        return int(self.tensor.ndim)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def flags(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(c_contiguous=self.tensor.is_contiguous())

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.tensor.data_ptr(), False),
            "strides": tuple(step * self.itemsize for step in self.tensor.stride()),
            "version": 3,
        }

    def __len__(self) -> int:
        return len(self.tensor)

    def __getitem__(self, at: Any) -> TorchArray:
        return TorchArray(self.tensor[at])

    def __setitem__(self, at: Any, value: Any) -> None:
        self.tensor[at] = value.tensor if isinstance(value, TorchArray) else value

    def reshape(self, *shape: Any) -> TorchArray:
        return TorchArray(self.tensor.reshape(*shape))

    def transpose(self, axes: Any) -> TorchArray:
        return TorchArray(self.tensor.permute(*axes))

    def ravel(self) -> TorchArray:
        return TorchArray(self.tensor.ravel())

    def view(self, dtype: Any) -> TorchArray:
        return TorchArray(self.tensor.view(_torch_type(dtype)))

    def astype(self, dtype: Any, copy: bool = True) -> TorchArray:
        return TorchArray(self.tensor.to(_torch_type(dtype), copy=copy))

    def copy(self, order: str = "C") -> TorchArray:
        """Return a copy in C order, whatever `order` is."""
        import torch

        return TorchArray(self.tensor.clone(memory_format=torch.contiguous_format))


class TorchArrays:
    """torch's tensors on one device. torch is imported already where there is a tensor."""

    def __init__(self, device: Any) -> None:
        self.torch, self.place = sys.modules["torch"], device
        self.device = device.index or 0

    @property
    def stream(self) -> int:
        return self.torch.cuda.current_stream(self.place).cuda_stream

    def empty(self, shape: Any, dtype: Any) -> TorchArray:
        return TorchArray(self.torch.empty(shape, dtype=_torch_type(dtype), device=self.place))

    def zeros(self, shape: Any, dtype: Any) -> TorchArray:
        return TorchArray(self.torch.zeros(shape, dtype=_torch_type(dtype), device=self.place))

    def put(self, array: np.ndarray[Any, Any]) -> TorchArray:
        return TorchArray(self.torch.from_numpy(array).to(self.place))

    def get(self, array: TorchArray) -> np.ndarray[Any, Any]:
        return array.tensor.cpu().numpy()

    def chosen(self, array: TorchArray, mask: TorchArray) -> TorchArray:
        return TorchArray(array.tensor[mask.tensor])

    def sort(self, array: TorchArray) -> TorchArray:
        return TorchArray(array.tensor.ravel().sort().values)

    def filter_spectrum(self, array: TorchArray, table: np.ndarray[Any, Any]) -> TorchArray:
        fft = sys.modules["torch"].fft
        spectrum = fft.rfftn(array.tensor)
        spectrum *= sys.modules["torch"].from_numpy(table).to(spectrum.device)
        return TorchArray(fft.irfftn(spectrum, array.shape))


def _torch_type(dtype: Any) -> Any:
    return getattr(sys.modules["torch"], np.dtype(dtype).name)


def adopt(array: Any) -> tuple[Any, Any]:
    """A caller's device array as plans take it, and what turns answers into its kind."""
    if isinstance(array, TorchArray):  # one of ours, in an op made of others
        return array, None
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        return TorchArray(array), lambda answer: answer.tensor
    import cupy

    if isinstance(array, cupy.ndarray):
        return array, None
    if hasattr(array, "__cuda_array_interface__"):
        return cupy.asarray(array), None
    return cupy.from_dlpack(array), None


def contiguous(array: Any) -> Any:
    """The array in C order: itself, or a copy on its device."""
    if isinstance(array, TorchArray):
        return TorchArray(array.tensor.contiguous())
    return array if array.flags.c_contiguous else array.copy(order="C")


def assign(target: Any, source: Any) -> None:
    """Copy `source` into `target`, element by element."""
    if isinstance(target, TorchArray):
        target.tensor.copy_(source.tensor)
    else:
        target[...] = source


def _library_of(array: Any) -> Arrays:
    if isinstance(array, TorchArray):
        return TorchArrays(array.tensor.device)
    return CupyArrays(int(array.device.id))


def to_host(array: Any) -> np.ndarray[Any, Any]:
    """A device array as a NumPy array."""
    return _library_of(array).get(array)


def chosen(array: Any, mask: Any) -> np.ndarray[Any, Any]:
    """The elements of a device array where a mask is True, as a NumPy array."""
    library = _library_of(array)
    return library.get(library.chosen(array, mask))


def empty_like(like: Any, shape: Any, dtype: Any) -> Any:
    """An uninitialised array of `like`'s library on its device."""
    return _library_of(like).empty(tuple(shape), np.dtype(dtype))


def compiled(array: Any) -> Gpu:
    """Kernels compiled ahead of time, where `array` lives."""
    return Gpu(_library_of(array), _compiled_module().launch)


def _compiled_module() -> Any:
    return _backends.module("_cuda")


def jit(array: Any) -> Gpu:
    """Kernels that CuPy compiles, where `array` lives."""
    from . import _jit

    return Gpu(_library_of(array), _jit.launch)


def filter_spectrum(array: Any, table: np.ndarray[Any, Any]) -> Any:
    """A volume whose spectrum is multiplied with a table of half of it."""
    return _library_of(array).filter_spectrum(array, table)
