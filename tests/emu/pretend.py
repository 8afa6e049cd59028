"""A pretended CuPy, whose arrays live on the CPU that plays the GPU.

Its arrays can do what the package may ask of device arrays, and no more: what `_gpu.TorchArray`
offers. NumPy cannot read them, as it cannot read the memory of a device.
"""

import contextlib
import types

import numpy as np

from voxkern import _backends


class DeviceArray:
    """NumPy's memory, to be reached as on a device."""

    def __init__(self, host):
        self.host = np.asarray(host)

    device = types.SimpleNamespace(id=0)
    shape = property(lambda self: self.host.shape)
    dtype = property(lambda self: self.host.dtype)
    size = property(lambda self: self.host.size)
    ndim = property(lambda self: self.host.ndim)
    itemsize = property(lambda self: self.host.itemsize)
    nbytes = property(lambda self: self.host.nbytes)
    __cuda_array_interface__ = property(lambda self: self.host.__array_interface__)

    @property
    def flags(self):
        return types.SimpleNamespace(c_contiguous=self.host.flags.c_contiguous)

    def __array__(self, *args, **kwargs):
        raise TypeError("NumPy cannot read the memory of a device")

    def __len__(self):
        return len(self.host)

    def __getitem__(self, at):
        return DeviceArray(self.host[at.host if isinstance(at, DeviceArray) else at])

    def __setitem__(self, at, value):
        self.host[at] = value.host if isinstance(value, DeviceArray) else value

    def reshape(self, *shape):
        return DeviceArray(self.host.reshape(*shape))

    def transpose(self, axes):
        return DeviceArray(self.host.transpose(axes))

    def ravel(self):
        return DeviceArray(self.host.ravel())

    def view(self, dtype):
        return DeviceArray(self.host.view(dtype))

    def astype(self, dtype, copy=True):
        return DeviceArray(self.host.astype(dtype, copy=copy))

    def copy(self, order="C"):
        return DeviceArray(self.host.copy(order))


def _garbage(shape, dtype):
    array = np.empty(shape, dtype)
    array.view(np.uint8)[...] = 1 if array.dtype.kind == "b" else 0xCB
    return DeviceArray(array)


CUPY = types.SimpleNamespace(
    ndarray=DeviceArray,
    empty=_garbage,
    zeros=lambda shape, dtype: DeviceArray(np.zeros(shape, dtype)),
    asarray=lambda array: array if isinstance(array, DeviceArray) else DeviceArray(array.copy()),
    sort=lambda array: DeviceArray(np.sort(array.host)),
    multiply=lambda a, b, out: np.multiply(a.host, b.host, out=out.host),
    fft=types.SimpleNamespace(
        rfftn=lambda array: DeviceArray(np.fft.rfftn(array.host)),
        irfftn=lambda array, shape, axes: DeviceArray(np.fft.irfftn(array.host, shape, axes)),
    ),
    asnumpy=lambda array: array.host.copy(),
    cuda=types.SimpleNamespace(
        Device=lambda device: contextlib.nullcontext(),
        get_current_stream=lambda device: types.SimpleNamespace(ptr=0),
    ),
)


def compiled(emulator):
    """What stands for `_cuda`: the emulator, handed the memory that arrays stand for."""

    def launch(name, grid, block, stream, device, args):
        host = tuple(a.host if isinstance(a, DeviceArray) else a for a in args)
        emulator.launch(name, grid, block, stream, device, host)

    return types.SimpleNamespace(launch=launch, device_count=lambda: (1, ""))


def use(emulator, monkeypatch):
    """Let the package believe that there is a GPU, CuPy, and compiled CUDA."""
    found = _backends.module
    here = compiled(emulator)
    monkeypatch.setitem(__import__("sys").modules, "cupy", CUPY)
    monkeypatch.setattr(_backends, "module", lambda name: here if name == "_cuda" else found(name))
    monkeypatch.setattr(_backends.Cuda, "why_not", staticmethod(lambda: None))
