"""Turning what people write into what kernels take, and refusing the rest by name."""

from __future__ import annotations

import functools
import math
import operator
import reprlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from ._edge import CODES

REAL = ("uint8", "int16", "uint16", "int32", "float32", "float64")
FLOAT = ("float32", "float64")
MASK = ("bool", "uint8")

Settle = TypeVar("Settle", bound=Callable[..., Any])

_NAMES: dict[Any, str] = {}
_SINGLE = (int, float, str)
_WIDE = 1 << 63
_PLAIN = {bool, int, float, str, type(None)}


def remembered(settle: Settle) -> Settle:
    """Keep what a function makes of its last plain arguments: nothing that may change."""
    kept = functools.lru_cache(256, typed=True)(settle)

    def call(*given: Any) -> Any:
        return (kept if _are_plain(given) else settle)(*given)

    return call  # type: ignore[return-value]


def _are_plain(values: tuple[Any, ...]) -> bool:
    return all(type(v) in _PLAIN or (type(v) is tuple and _are_plain(v)) for v in values)


def dtype_name(x: Any) -> str:
    """Return the plain name of an array's element type."""
    name = _NAMES.get(x.dtype)
    if name is None:
        name = _NAMES[x.dtype] = np.dtype(x.dtype).name
    return name


def as_dtype(x: Any, allowed: Iterable[str], name: str = "image") -> str:
    """Return the name of the array's dtype, which must be one of `allowed`."""
    found = dtype_name(x)
    if found not in allowed:
        raise TypeError(f"{name} must be {', '.join(allowed)}; got {found}")
    return found


def float_name(dtype: str) -> str:
    """Return the float that an image of `dtype` is answered in: single, unless it needs more."""
    return "float64" if dtype in ("int32", "float64") else "float32"


@functools.cache
def float_dtype(dtype: str) -> np.dtype[Any]:
    """Return the same as a type of NumPy's."""
    return np.dtype(float_name(dtype))


def as_ndim(x: Any, least: int = 1, most: int = 32, name: str = "image") -> int:
    """Return how many axes the array has, which must be between `least` and `most`."""
    if not least <= x.ndim <= most:
        wanted = f"{least} to {most}" if most < 32 else f"at least {least}"
        wanted = f"{least}" if least == most else wanted
        raise ValueError(f"{name} must have {wanted} axes; got {x.ndim}")
    return int(x.ndim)


def as_edge(mode: str) -> int:
    """Return the code of a boundary mode."""
    try:
        return CODES[mode]
    except (KeyError, TypeError):
        raise ValueError(f"mode must be one of {', '.join(CODES)}; got {mode!r}") from None


def as_whole(value: Any, name: str) -> int:
    """Return an integer of any length, refusing fractions and booleans."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        return operator.index(value)
    except TypeError:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise TypeError(f"{name} must be an integer; got {reprlib.repr(value)}") from None


def as_int(value: Any, name: str, least: int | None = None, most: int | None = None) -> int:
    """Return an integer of 64 bits, refusing fractions and booleans."""
    number = value if type(value) is int else as_whole(value, name)
    if least is not None and number < least:
        raise ValueError(f"{name} must be at least {least}; got {number}")
    if not -_WIDE <= number < _WIDE:
        raise ValueError(f"{name} must be between -2**63 and 2**63; got {value!r}")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most}; got {number}")
    return number


def as_float(
    value: Any, name: str, least: float = -math.inf, *, above: float | None = None
) -> float:
    """Return a finite float, at least `least` and, if given, more than `above`."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number; got {reprlib.repr(value)}") from None
    except OverflowError:  # a whole number that no float can hold
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite; got {reprlib.repr(value)}")
    if number < least:
        raise ValueError(f"{name} must be at least {least:g}; got {value!r}")
    if above is not None and number <= above:
        raise ValueError(f"{name} must be more than {above:g}; got {value!r}")
    return number


def as_numbers(values: Any, name: str) -> np.ndarray[Any, Any]:
    """Return an array of float64 of its own from numbers in any nesting."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":  # NumPy would drop the imaginary part
            raise TypeError
        return np.array(array, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must be numbers; got {reprlib.repr(values)}") from None


def as_truths(values: Any, name: str) -> np.ndarray[Any, Any]:
    """Return an array of bool, True where the values are not 0."""
    try:
        found = np.asarray(values)
        return found if found.dtype == bool else found != 0
    except ValueError:
        raise ValueError(f"{name} must be an array; got {reprlib.repr(values)}") from None


def as_choice(value: Any, choices: Iterable[str], name: str) -> str:
    """Return one of a few words."""
    listed = tuple(choices)
    if not isinstance(value, str) or value not in listed:
        raise ValueError(f"{name} must be one of {', '.join(listed)}; got {value!r}")
    return value


def as_progress(progress: Any, title: str) -> Any:
    """Return what is told of progress, or None; for True a bar with a title."""
    if progress is True:
        from ._bar import Bar

        return Bar(title)
    if progress is None or progress is False:
        return None
    if not callable(progress):
        raise TypeError(f"progress must be True, False or callable; got {progress!r}")
    return progress


def per_axis(value: Any, ndim: int, name: str) -> tuple[Any, ...]:
    """Return one value an axis: a single one repeated, or as many as there are axes."""
    if type(value) in _SINGLE or not isinstance(value, (Sequence, np.ndarray)):
        return (value,) * ndim
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return (value[()],) * ndim
    if len(value) != ndim:
        raise ValueError(
            f"{name} must be one value or one for each of {ndim} axes; got {reprlib.repr(value)}"
        )
    return tuple(value)


def lift(values: tuple[Any, ...], neutral: Any) -> tuple[Any, ...]:
    """Return the values of the last three axes, with `neutral` for those that are not there."""
    return (neutral,) * (3 - len(values)) + values[-3:]


def as_lengths(numbers: Sequence[float], name: str, value: Any) -> tuple[int, ...]:
    """Return the voxels of an answer's axes, rounded, which `value` of the parameter led to."""
    if not (max(numbers, default=0) < 1 << 40 and math.prod(numbers) < 1 << 40):
        raise ValueError(f"{name} must lead to fewer than 2**40 voxels; got {value!r}")
    return tuple(map(round, numbers))


def as_reach(number: float, names: str) -> int:
    """Return how many voxels a filter looks to either side, rounded, which `names` led to."""
    if not number < 1 << 16:
        raise ValueError(f"{names} must reach fewer than 2**16 voxels; got {number:g}")
    return int(number + 0.5)


def as_radius(radius: Any, truncate: float, sigma: float) -> int:
    """Return the radius that was given, or that which a Gaussian of `sigma` voxels needs."""
    if radius is None:
        return as_reach(truncate * sigma, "sigma and truncate")
    return as_reach(as_int(radius, "radius", 0), "radius")


def as_size(size: Any, ndim: int, name: str = "size") -> tuple[int, ...]:
    """Return positive integers, one an axis."""
    if type(size) is int and 0 < size < _WIDE:
        return (size,) * ndim
    return tuple(as_int(s, name, 1) for s in per_axis(size, ndim, name))


def as_window(size: Any, ndim: int, name: str = "size", bits: int = 62) -> tuple[int, ...]:
    """Return the sides of a box around a voxel, of at most 2**bits voxels in all."""
    sizes = as_size(size, ndim, name)
    if math.prod(sizes) > 1 << bits:
        raise ValueError(f"{name} must be of at most 2**{bits} voxels in all; got {size!r}")
    if max(sizes, default=1) > 1 << 16:
        raise ValueError(f"{name} must be at most 2**16 voxels along an axis; got {size!r}")
    return sizes


def as_shape(shape: Any, ndim: int, name: str = "shape") -> tuple[int, ...]:
    """Return the shape of an answer, not beyond any memory."""
    sizes = as_size(shape, ndim, name)
    if math.prod(sizes) >= 1 << 40:
        raise ValueError(f"{name} must hold fewer than 2**40 voxels; got {shape!r}")
    return sizes


def as_spacing(spacing: Any, ndim: int, name: str = "spacing") -> tuple[float, ...]:
    """Return positive lengths, one an axis; ones where `spacing` is None."""
    if spacing is None:
        return (1.0,) * ndim
    lengths = tuple(as_float(s, name, above=0) for s in per_axis(spacing, ndim, name))
    if not all(1e-60 < s < 1e60 for s in lengths):  # beyond, powers of it are zero or infinite
        raise ValueError(f"{name} must be between 1e-60 and 1e60; got {spacing!r}")
    return lengths


def as_place(place: Any, ndim: int, name: str) -> tuple[float, ...]:
    """Return the numbers of a point or of a step, one an axis."""
    if type(place) is float and -1e60 < place < 1e60:
        return (place,) * ndim
    numbers = tuple(as_float(v, name) for v in per_axis(place, ndim, name))
    if not all(-1e60 < v < 1e60 for v in numbers):
        raise ValueError(f"{name} must be between -1e60 and 1e60; got {place!r}")
    return numbers


def as_direction(direction: Any, ndim: int, name: str) -> tuple[tuple[float, ...], ...]:
    """Return the rows of a matrix whose columns are axes' directions; None is the identity."""
    m = np.eye(ndim) if direction is None else as_numbers(direction, name)
    if m.shape != (ndim, ndim) or not _are_independent(m.tobytes(), ndim):
        raise ValueError(
            f"{name} must be a {ndim}x{ndim} matrix of independent columns; got {direction!r}"
        )
    return tuple(map(tuple, m.tolist()))


@functools.lru_cache(64)
def _are_independent(numbers: bytes, ndim: int) -> bool:
    m = np.frombuffer(numbers).reshape(ndim, ndim)
    return bool((np.abs(m) < 1e60).all() and abs(np.linalg.det(m)) >= 1e-6)


def as_axes(axes: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes to work along, counted from 0 and in order.

    None is every axis of an image of up to three, and the last three of a larger one.
    """
    if axes is None:
        return tuple(range(max(0, ndim - 3), ndim))
    several = isinstance(axes, Iterable) and getattr(axes, "ndim", 1) > 0
    found = [as_axis(axis, ndim, "axes") for axis in (axes if several else (axes,))]
    if len(set(found)) != len(found):
        raise ValueError(f"axes must be unique; got {axes!r}")
    return tuple(found)


def as_axis(axis: Any, ndim: int, name: str = "axis") -> int:
    """Return an axis, counted from 0."""
    number = as_int(axis, name)
    if not -ndim <= number < ndim:
        raise ValueError(f"{name} must be in [{-ndim}, {ndim}); got {axis}")
    return number % ndim


@functools.cache
def limits(dtype: str) -> tuple[int, int]:
    """Return the least and the greatest number of an integer type, or of bool."""
    if dtype == "bool":
        return 0, 1
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def as_fill(value: Any, dtype: str, name: str = "cval") -> int | float:
    """Return a fill value that the element type can hold."""
    number = value
    if dtype.startswith("float") or not isinstance(value, (int, np.integer)):
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{name} must be a number; got {value!r}") from None
        except OverflowError:
            raise ValueError(f"{name} must be a float's; got {reprlib.repr(value)}") from None
    if dtype.startswith("float"):
        return float(number)
    low, high = limits(dtype)
    if not (math.isfinite(number) and low <= number <= high):
        raise ValueError(f"{name} must be in [{low}, {high}] for {dtype}; got {value!r}")
    return int(number)


def as_workers(workers: Any) -> int | None:
    """Return a number of threads, or None for the default."""
    return None if workers is None else min(as_int(workers, "workers", 1), 1 << 16)
