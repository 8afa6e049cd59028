"""Growing from seeds through an interval of intensities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel
from ._label import as_connectivity, join_regions, node_type


@kernel(dtypes=_args.REAL)
def _connected_threshold(
    x: In, y: Out, seeds: ListIn, lower: Scalar, upper: Scalar, connectivity: Scalar
) -> None:
    for k in range(y.shape[0]):
        y[k] = 0
    reached = [(seeds[n], seeds[n + 1], seeds[n + 2]) for n in range(0, seeds.size, 3)]
    for k, j, i in reached:
        y[k, j, i] = 1
    while len(reached) > 0:
        k, j, i = reached.pop()
        if not lower <= x[k, j, i] <= upper:
            y[k, j, i] = 0  # a seed outside: all others are looked at before they are added
            continue
        for step in range(27):
            dk, dj, di = step // 9 - 1, step // 3 % 3 - 1, step % 3 - 1
            kk, jj, ii = k + dk, j + dj, i + di
            if dk * dk + dj * dj + di * di > connectivity:
                continue
            if not (0 <= kk < x.shape[0] and 0 <= jj < x.shape[1] and 0 <= ii < x.shape[2]):
                continue
            if y[kk, jj, ii] == 0 and lower <= x[kk, jj, ii] <= upper:
                y[kk, jj, ii] = 1
                reached.append((kk, jj, ii))


@_connected_threshold.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, seeds: Any, lower: float, upper: float, connectivity: int
) -> None:
    size, node = x.size, node_type(x.size)
    parent = gpu.empty(size + 1, node)
    node, blocks = gpu.name_of(node), gpu.blocks(size)
    name = f"connected_inside<{gpu.name_of(x.dtype)}>"
    gpu.launch(name, blocks, 256, x, y, size, float(lower), float(upper))
    gpu.launch(f"label_begin<u8,{node}>", blocks, 256, y, parent, size, 0)
    join_regions(gpu, y, parent, x.shape, connectivity)
    count = len(seeds) // 3
    if count:
        table = gpu.put(seeds)
        name = f"connected_seeds<{node}>"
        gpu.launch(name, gpu.blocks(count), 256, table, parent, count, x.shape)
    gpu.launch(f"connected_write<{node}>", blocks, 256, parent, y, size)


@_connected_threshold.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (10 * rng.random(shape)).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    seeds = rng.integers(shape, size=(int(rng.integers(4)), 3)).ravel()
    bounds = (2, 7) if dtype.startswith(("int", "uint")) else (1.5, 7.5)
    return x, np.empty(shape, np.uint8), seeds, *bounds, int(rng.integers(1, 4))


def connected_threshold(
    image: Any,
    seeds: Any,
    lower: float,
    upper: float,
    *,
    connectivity: int = 1,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Find the voxels that an interval of intensities joins to the seeds.

    Parameters
    ----------
    image : array, shape ([planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    seeds : sequence of tuple of int
        Where to begin: indices of voxels, one number for each axis of `image`, in the
        order of its axes. One seed may stand alone.
    lower, upper : float
        The interval, bounds included.
    connectivity : int
        Voxels are neighbours if they differ by one along at most this many axes: in a
        volume 1, 2 and 3 are 6, 18 and 26 neighbours.
    out : array, optional
        Where to write; shape of `image`, bool or uint8, not overlapping it.
    workers : int, optional
        Most threads to use.

    Returns
    -------
    mask : array of bool
        True where a path of neighbours with intensities in [`lower`, `upper`] leads to a
        seed. A seed outside the interval adds nothing.

    Raises
    ------
    ValueError
        If a seed lies outside the image, a bound is NaN, or `lower` is above `upper`.

    Notes
    -----
    The answer is that of `SimpleITK.ConnectedThreshold`, whose seeds are (x, y, z) and
    whose bounds are first cut to the type of the image: here 1.5 stays 1.5 for integers.
    The bounds of a float32 image are rounded to float32, as NumPy does in ``x <= upper``.
    NaN is in no interval.

    Examples
    --------
    >>> x = np.array([[9, 5, 5], [0, 0, 5], [5, 0, 5]], np.uint8)
    >>> connected_threshold(x, (0, 1), 4, 6).astype(int)
    array([[0, 1, 1],
           [0, 0, 1],
           [0, 0, 1]])
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x, 1, 3)
    places = _as_seeds(seeds, x.shape)
    low, high = _as_interval(lower, upper, dtype)
    near = as_connectivity(connectivity, ndim, default=1)
    workers = _args.as_workers(workers)

    def run(volume: Any, answer: Any) -> None:
        _connected_threshold(
            volume, answer.view(np.uint8), places, low, high, near, workers=workers
        )

    return _arrays.run_volumes(run, x, out, mask_type(out), give)


def mask_type(out: Any, name: str = "out") -> str:
    """Return the type of a mask to write: bool, or uint8 if `out` is of that."""
    if out is None:
        return "bool"
    return _args.as_dtype(_arrays.adopt(out, name)[0], _args.MASK, name)


def _as_seeds(seeds: Any, shape: tuple[int, ...]) -> Any:
    """Return the seeds as a flat list of (z, y, x)."""
    ndim = len(shape)
    try:
        places = np.asarray(seeds)
    except ValueError:
        raise ValueError(f"seeds must be tuples of {ndim} indices; got {seeds!r}") from None
    if places.ndim == 1 and ndim > 1 and places.size == ndim:
        places = places[None]
    if ndim == 1 and places.ndim <= 1:
        places = places.reshape(-1, 1)
    if places.size == 0:
        return np.zeros(0, np.int64)
    if places.ndim != 2 or places.shape[1] != ndim:
        raise ValueError(f"seeds must be tuples of {ndim} indices; got shape {places.shape}")
    if places.dtype.kind not in "iu":
        raise TypeError(f"seeds must be integers; got {places.dtype}")
    lifted: list[int] = []
    for place in places.tolist():
        for at, n in zip(place, shape, strict=True):
            if not 0 <= at < n:
                raise ValueError(f"seeds must lie in an image of shape {shape}; got {tuple(place)}")
        lifted += [0] * (3 - ndim) + place
    return np.array(lifted, np.int64)


def _as_interval(lower: Any, upper: Any, dtype: str) -> tuple[float, float]:
    """Return the bounds as the type of the image has them; for an empty interval (1, 0)."""
    bounds = []
    for name, value in (("lower", lower), ("upper", upper)):
        try:
            number = value if isinstance(value, (int, np.integer)) else float(value)
            unknown = math.isnan(number)
        except (TypeError, ValueError):
            raise TypeError(f"{name} must be a number; got {value!r}") from None
        except OverflowError:
            raise ValueError(f"{name} must be a number that a float can hold") from None
        if unknown:
            raise ValueError(f"{name} must not be NaN")
        bounds.append(number)
    if bounds[0] > bounds[1]:
        raise ValueError(f"lower must not be more than upper; got {lower!r} and {upper!r}")
    if dtype == "float64":
        return float(bounds[0]), float(bounds[1])
    if dtype == "float32":
        with np.errstate(over="ignore"):
            return float(np.float32(bounds[0])), float(np.float32(bounds[1]))
    first, last = _args.limits(dtype)
    least = first if bounds[0] <= first else bounds[0]
    most = last if bounds[1] >= last else bounds[1]
    if least > last or most < first or math.ceil(least) > math.floor(most):
        return 1, 0
    return math.ceil(least), math.floor(most)
