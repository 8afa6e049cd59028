"""Arrays as they come and go: NumPy, CuPy, PyTorch, DLPack; volumes, outputs, devices."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from . import _backends

Function = TypeVar("Function", bound=Callable[..., Any])

_LARGE = 1 << 20  # bytes; below it NumPy's own allocator is as fast


def adopt(x: Any, name: str = "image") -> tuple[Any, Callable[[Any], Any] | None]:
    """Return `x` as an array that kernels take, and what turns answers into its kind.

    NumPy arrays and CuPy arrays come back as they are (no copy), PyTorch tensors as
    views of their memory. The second item is None where nothing has to be done.
    """
    if type(x) is np.ndarray:
        return x, None
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.Tensor):
        return _adopt_torch(x, name, torch)
    if hasattr(x, "__cuda_array_interface__"):
        return _gpu().adopt(x)
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            f"{name} must not be a masked array, whose mask would be lost; fill it first"
        )
    if hasattr(x, "spacing") or hasattr(x, "GetSpacing"):
        raise TypeError(
            f"{name} must be an array; got {type(x).__name__}, whose spacing would be lost: pass "
            "its array, with its spacing where lengths count; of a voxkern.Image that is .data "
            "with .spacing, and .map(function) or .resample gives an Image back"
        )
    if hasattr(x, "__array__") or isinstance(x, (list, tuple, int, float, bool)):
        try:
            return np.asarray(x), None
        except ValueError as error:
            raise ValueError(f"{name} must be an array; {error}") from None
    if hasattr(x, "__dlpack__"):
        return _adopt_dlpack(x)
    raise TypeError(
        f"{name} must be an array (NumPy, CuPy, PyTorch, or anything with __array__ or "
        f"__dlpack__); got {type(x).__module__}.{type(x).__name__}"
    )


def _adopt_torch(x: Any, name: str, torch: Any) -> tuple[Any, Callable[[Any], Any]]:
    if x.requires_grad:
        raise TypeError(f"{name} must not require a gradient, which would be lost; detach() it")
    if x.device.type == "cpu":
        return x.resolve_neg().resolve_conj().numpy(), torch.from_numpy
    if x.device.type == "cuda":
        return _gpu().adopt(x)
    raise TypeError(f"{name} must be on a CPU or CUDA device; got {x.device}")


def _adopt_dlpack(x: Any) -> tuple[Any, Callable[[Any], Any] | None]:
    on_cpu = int(x.__dlpack_device__()[0]) == 1
    return (np.from_dlpack(x), None) if on_cpu else _gpu().adopt(x)


def _gpu() -> Any:
    from . import _gpu

    return _gpu


def same_device(**arrays: Any) -> None:
    """Raise TypeError unless all of the named arrays live on one kind of device."""
    for array in arrays.values():
        if type(array) is not np.ndarray:
            break
    else:  # as mostly
        return
    places = {name: _backends.device_of(a) for name, a in arrays.items() if a is not None}
    if len(set(places.values())) > 1:
        text = ", ".join(f"{name} on {place}" for name, place in places.items())
        raise TypeError(f"all arrays must be on one device; got {text}")


CPU_ONLY: list[str] = []  # the public functions that refuse every image on a GPU


def cpu_only(function: Function) -> Function:
    """Mark a public function that runs on the CPU alone, for `info` to list."""
    CPU_ONLY.append(function.__name__)
    return function


def silent(function: Function) -> Function:
    """Have NumPy say as little of NaN, infinity and what no float holds as kernels do."""

    @functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            return function(*args, **named)

    return cast(Function, run)


def need_cpu(**arrays: Any) -> None:
    """Raise TypeError if one of the named arrays is not in the memory of the CPU."""
    for name, array in arrays.items():
        if array is not None and type(array) is not np.ndarray:
            raise TypeError(
                f"{name} must be in the memory of the CPU, as there is no CUDA kernel for this: "
                "take it there with cupy.asnumpy(x), or x.cpu() of a PyTorch tensor"
            )


def empty(shape: Sequence[int], dtype: Any, like: Any = None) -> Any:
    """Return an uninitialised array where `like` lives; large ones reuse warm memory."""
    if like is not None and type(like) is not np.ndarray:
        return _gpu().empty_like(like, shape, dtype)
    array = np.empty(shape, dtype)  # costs no memory before it is touched
    if array.nbytes < _LARGE:
        return array
    compiled = _backends.native()
    return array if compiled is None else compiled.empty(array.shape, array.dtype)


def output(
    out: Any,
    shape: tuple[int, ...],
    dtype: Any,
    inputs: Sequence[Any],
    name: str = "out",
    asked: str = "image",
) -> Any:
    """Return the array to write to: `out` once it is found fit, or a new one.

    Raises before anything is written: TypeError for another kind, device or dtype,
    ValueError for another shape, a read-only array, or one that overlaps an input,
    MemoryError for one beyond memory, with the name of the parameter that asked for it.
    """
    if not getattr(dtype, "isnative", True):  # answers are in native order
        dtype = dtype.newbyteorder("=")
    if out is None:
        try:
            return empty(shape, dtype, inputs[0])
        except MemoryError:
            raise MemoryError(
                f"{asked} must lead to an answer that memory holds; got one of shape {shape}, "
                f"{math.prod(shape) * np.dtype(dtype).itemsize} bytes"
            ) from None
    target = out if type(out) is np.ndarray else adopt(out, name)[0]
    if isinstance(out, (list, tuple)) or not hasattr(out, "dtype"):
        raise TypeError(f"{name} must be an array; got {type(out).__name__}")
    if type(target) is not np.ndarray or type(inputs[0]) is not np.ndarray:
        same_device(**{name: target, "image": inputs[0]})
    if target.shape != tuple(shape):
        raise ValueError(f"{name} must have shape {tuple(shape)}; got {target.shape}")
    if target.dtype != dtype:
        raise TypeError(f"{name} must be {np.dtype(dtype).name}; got {target.dtype}")
    if type(target) is np.ndarray:
        if not target.flags.writeable:
            raise ValueError(f"{name} must be writeable; got a read-only array")
        for x in inputs:
            if type(x) is np.ndarray and _overlap(target, x):
                raise ValueError(f"{name} must not overlap an input; pass another array")
    return target


def _overlap(a: np.ndarray, b: np.ndarray) -> bool:
    if a.base is None and b.base is None:  # two arrays that own their memory
        return a is b
    if not np.may_share_memory(a, b):
        return False
    return np.shares_memory(a, b) if a.ndim <= 4 and b.ndim <= 4 else True


def rows_contiguous(x: Any) -> Any:
    """Return `x` with elements side by side along its last axis, aligned and in native order.

    A view where it already is so; a copy else.
    """
    if type(x) is not np.ndarray:
        return _gpu().contiguous(x)
    flags = x.flags
    if flags.c_contiguous and flags.aligned and x.dtype.isnative:
        return x
    size = x.itemsize
    fit = (
        x.dtype.isnative
        and flags.aligned
        and (x.ndim == 0 or x.shape[-1] <= 1 or x.strides[-1] == size)
        and all(s % size == 0 for s in x.strides)
    )
    return x if fit else np.ascontiguousarray(x, dtype=x.dtype.newbyteorder("="))


def in_one_piece(x: Any) -> bool:
    """Whether all elements lie side by side, as kernels take them."""
    return bool(x.flags.c_contiguous) and rows_contiguous(x) is x


def to_host(x: Any) -> np.ndarray[Any, Any]:
    """Return an adopted array as NumPy's."""
    return x if type(x) is np.ndarray else _gpu().to_host(x)


def chosen(x: Any, mask: Any) -> np.ndarray[Any, Any]:
    """Return the elements of an adopted array where a mask of bool is True, as NumPy's."""
    return x[mask] if type(x) is np.ndarray else _gpu().chosen(x, mask)


def filter_spectrum(x: Any, table: np.ndarray[Any, Any]) -> Any:
    """Return a volume on a GPU whose spectrum is multiplied with a table of half of it."""
    return _gpu().filter_spectrum(x, table)


def assign(target: Any, source: Any) -> None:
    """Copy `source` into `target` on their device."""
    if type(target) is np.ndarray:
        target[...] = source
    else:
        _gpu().assign(target, source)


def volumes(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the arrays volume by volume, each with the three axes (z, y, x).

    Arrays of one or two axes are volumes with leading axes of length one; leading
    axes beyond the last three are looped over. All arrays have the same leading axes.
    """
    ndim = arrays[0].ndim
    if ndim == 3:
        yield arrays
    elif ndim < 3:
        lift = (None,) * (3 - ndim)
        yield tuple(a[lift] for a in arrays)
    else:
        for parts in zip(*arrays, strict=True):
            yield from volumes(*parts)


def run_volumes(
    run: Callable[[Any, Any], None],
    image: Any,
    out: Any,
    dtype: Any,
    give: Callable[[Any], Any] | None,
) -> Any:
    """Write ``run(volume, result)`` for every volume of `image`, and give the answer back.

    `image` is an adopted array, `out` what the caller was given, `dtype` the answer's.
    """
    result = output(out, image.shape, dtype, (image,))
    source = rows_contiguous(image)
    target = result
    if out is not None and rows_contiguous(result) is not result:
        target = empty(result.shape, result.dtype, result)
    if image.size:
        for volume, answer in volumes(source, target):
            run(volume, answer)
    if target is not result:
        assign(result, target)
    if out is not None:
        return out
    return result if give is None else give(result)
