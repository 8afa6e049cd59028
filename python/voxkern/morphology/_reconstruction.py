"""Grey reconstruction, and the peaks and valleys that it finds."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel
from ._difference import MINUS, combine


def _greater(a: Any, b: Any) -> Any:
    """Whether a > b, NaN the greatest of all."""
    return a > b or (a != a and b == b)


@kernel(dtypes=_args.REAL)
def _reconstruction(seed: In, mask: In, y: Out, offsets: ListIn, lower: Scalar) -> None:
    planes, rows, columns = seed.shape
    y[:, :, :] = seed
    size = planes * rows * columns
    changed = True
    forward = True
    while changed:
        changed = False
        for n in range(size):
            p = n if forward else size - 1 - n
            k, j, i = p // (rows * columns), p // columns % rows, p % columns
            best = y[k, j, i]
            for o in range(0, offsets.size, 3):
                kk, jj, ii = k + offsets[o], j + offsets[o + 1], i + offsets[o + 2]
                if 0 <= kk < planes and 0 <= jj < rows and 0 <= ii < columns:
                    value = y[kk, jj, ii]
                    if (lower and _greater(best, value)) or (not lower and _greater(value, best)):
                        best = value
            limit = mask[k, j, i]
            if (lower and _greater(limit, best)) or (not lower and _greater(best, limit)):
                best = limit
            if _greater(best, y[k, j, i]) or _greater(y[k, j, i], best):
                y[k, j, i] = best
                changed = True
        forward = not forward


@_reconstruction.on("cuda")
def _plan(gpu: Any, seed: Any, mask: Any, y: Any, offsets: Any, lower: int) -> None:
    kind, table = gpu.name_of(seed.dtype), gpu.put(offsets)
    spare, source, target = gpu.empty(seed.shape, seed.dtype), seed, y
    while True:
        changed = gpu.zeros(1, np.int32)
        gpu.launch(
            f"reconstruction<{kind}>", gpu.blocks(seed.size), 256, source, mask, target, table,
            len(offsets) // 3, seed.shape, lower, changed,
        )  # fmt: skip
        if not gpu.get(changed)[0] and target is y:
            return
        source, target = target, spare if target is y else y


@_reconstruction.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    a = rng.integers(0, 30, shape).astype(dtype)
    b = (a + rng.integers(0, 20, shape).astype(dtype)).astype(dtype)
    lower = int(rng.integers(2))
    seed, mask = (b, a) if lower else (a, b)
    if dtype.startswith("float") and rng.random() < 0.5:
        a[rng.random(shape) < 0.05] = -np.inf
        b[rng.random(shape) < 0.05] = np.nan
    return seed, mask, np.empty_like(a), neighbours(int(rng.integers(1, 4)), 3), lower


@kernel(dtypes=_args.REAL)
def _local_extrema(x: In, y: Out, offsets: ListIn, lower: Scalar, borders: Scalar) -> None:
    planes, rows, columns = x.shape
    for k in range(planes):
        for j in range(rows):
            for i in range(columns):
                at_end = (planes > 1 and (k == 0 or k == planes - 1)) or (
                    rows > 1 and (j == 0 or j == rows - 1)
                )
                at_end = at_end or (columns > 1 and (i == 0 or i == columns - 1))
                y[k, j, i] = borders or not at_end
    changed = True
    whole = True
    while changed:
        changed = False
        for k in range(planes):
            for j in range(rows):
                for i in range(columns):
                    whole = whole and y[k, j, i] != 0
                    if y[k, j, i] == 0:
                        continue
                    here = x[k, j, i]
                    for o in range(0, offsets.size, 3):
                        kk, jj, ii = k + offsets[o], j + offsets[o + 1], i + offsets[o + 2]
                        if 0 <= kk < planes and 0 <= jj < rows and 0 <= ii < columns:
                            there = x[kk, jj, ii]
                            above, below = _greater(there, here), _greater(here, there)
                            beaten = below if lower else above
                            level = not (above or below)
                            if beaten or (level and y[kk, jj, ii] == 0):
                                y[k, j, i] = 0
                                changed = True
                                break
    if whole:
        y[:, :, :] = 0


@_local_extrema.on("cuda")
def _extrema_plan(gpu: Any, x: Any, y: Any, offsets: Any, lower: int, borders: int) -> None:
    kind, table = gpu.name_of(x.dtype), gpu.put(offsets)
    spare, source, target = gpu.empty(x.shape, np.uint8), None, y
    while True:
        changed = gpu.zeros(2, np.int32)
        gpu.launch(
            f"local_extrema<{kind}>", gpu.blocks(x.size), 256, x, source, target, table,
            len(offsets) // 3, x.shape, lower, borders, changed,
        )  # fmt: skip
        some, zeros = gpu.get(changed)
        if not zeros:
            gpu.launch("local_extrema_none", gpu.blocks(x.size), 256, y, x.size)
            return
        if not some and target is y:
            return
        source, target = target, spare if target is y else y


@_local_extrema.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = rng.integers(0, 4, shape).astype(dtype)
    level = rng.random() < 0.3
    if level:
        x[...] = 3
    if dtype.startswith("float") and not level:
        x[rng.random(shape) < 0.05] = np.nan
    near, borders = neighbours(int(rng.integers(1, 4)), 3), int(level or rng.integers(2))
    return x, np.empty(shape, np.uint8), near, int(rng.integers(2)), borders


@functools.cache
def neighbours(connectivity: int, ndim: int) -> Any:
    """Return the steps (z, y, x) to voxels that differ along at most so many axes, in a list."""
    steps = np.indices((3,) * ndim).reshape(ndim, -1).T - 1
    return _listed(steps[np.abs(steps).sum(1) <= connectivity])


def _listed(steps: Any) -> Any:
    lifted = np.zeros((len(steps), 3), np.int64)
    lifted[:, 3 - steps.shape[1] :] = steps
    offsets = lifted[np.any(lifted != 0, axis=1)].ravel()
    offsets.flags.writeable = False
    return offsets


def _near(footprint: Any, ndim: int) -> Any:
    """Return the steps of a footprint of 3 voxels an axis that is its own mirror image."""
    if footprint is None:
        return neighbours(ndim, ndim)
    box = _args.as_truths(footprint, "footprint")
    if box.shape != (3,) * ndim or not np.array_equal(box, np.flip(box)):
        raise ValueError(
            f"footprint must have 3 voxels along each of {ndim} axes and be its own mirror "
            f"image; got shape {box.shape}"
        )
    return _listed(np.argwhere(box) - 1)


def reconstruction(
    seed: Any,
    mask: Any,
    method: str = "dilation",
    footprint: Any = None,
    *,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Let a seed image grow under a mask image, as far as that lets it.

    Parameters
    ----------
    seed : array, shape ([..., planes,] [rows,] columns)
        Where to start. Nowhere above `mask`; with 'erosion' nowhere below.
    mask : array
        What the answer stays under; with 'erosion' over. Same shape and type as `seed`.
    method : {'dilation', 'erosion'}
        Whether the seed grows or shrinks.
    footprint : array of bool, optional
        Which neighbours count: 3 voxels along each axis, its own mirror image. By default
        all that share a corner.
    out : array, optional
        Where to write; same shape and type as `seed`, not overlapping it.
    workers : int, optional
        How many threads a CPU call may use. The answer does not depend on it.

    Returns
    -------
    array
        Same shape, type and device as `seed`.

    Raises
    ------
    TypeError
        If `seed` is not of a real type, or `mask` of another.
    ValueError
        If the shapes differ, the seed lies beyond the mask, or `method` or `footprint` do
        not fit.

    Notes
    -----
    As `skimage.morphology.reconstruction`, which returns float64. NaN counts as larger than
    any number.

    References
    ----------
    .. [1] L. Vincent, "Morphological grayscale reconstruction in image analysis", IEEE
       Transactions on Image Processing 2:176-201, 1993. https://doi.org/10.1109/83.217222

    Examples
    --------
    >>> mask = np.array([1, 5, 3, 1, 7, 2], dtype=np.uint8)
    >>> reconstruction(np.array([0, 4, 0, 0, 0, 0], dtype=np.uint8), mask)
    array([1, 4, 3, 1, 1, 1], dtype=uint8)
    """
    x, give = _arrays.adopt(seed, "seed")
    limit, _ = _arrays.adopt(mask, "mask")
    dtype = _args.as_dtype(x, _args.REAL, "seed")
    if _args.as_dtype(limit, _args.REAL, "mask") != dtype:
        raise TypeError(f"mask must be {dtype} as seed is; got {_args.dtype_name(limit)}")
    if limit.shape != x.shape:
        raise ValueError(f"mask must have shape {x.shape}; got {limit.shape}")
    _arrays.same_device(seed=x, mask=limit)
    if method not in ("dilation", "erosion"):
        raise ValueError(f"method must be 'dilation' or 'erosion'; got {method!r}")
    lower = method == "erosion"
    offsets = _near(footprint, min(_args.as_ndim(x, name="seed"), 3))
    workers = _args.as_workers(workers)
    if type(x) is np.ndarray and np.any(x < limit if lower else x > limit):
        raise ValueError(f"seed must be nowhere {'below' if lower else 'above'} mask")
    limits = (part for (part,) in _arrays.volumes(_arrays.rows_contiguous(limit)))

    def run(volume: Any, answer: Any) -> None:
        _reconstruction(volume, next(limits), answer, offsets, int(lower), workers=workers)

    return _arrays.run_volumes(run, x, out, dtype, give)


def h_maxima(image: Any, h: float, footprint: Any = None, *, workers: int | None = None) -> Any:
    """Mark the peaks that stand at least `h` above the passes to higher ground.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64.
    h : float
        Height of a peak, more than 0. A fraction makes an image of integers float64.
    footprint : array of bool, optional
        Which neighbours count, as in `reconstruction`.
    workers : int, optional
        Most threads to use.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError
        If `image` is of another type.
    ValueError
        If `h` is not positive, or `footprint` does not fit.

    Notes
    -----
    As `skimage.morphology.h_maxima`, which returns uint8; its allowance for rounding is
    made here too.

    Takes three volumes of memory: the seed, what grows from it, and the places still to visit.

    Examples
    --------
    >>> x = np.array([0, 3, 2, 9, 8, 9, 0], dtype=np.uint8)
    >>> h_maxima(x, 2).astype(int)
    array([0, 0, 0, 1, 0, 1, 0])
    """
    return _h_extrema(image, h, footprint, workers, lower=False)


def h_minima(image: Any, h: float, footprint: Any = None, *, workers: int | None = None) -> Any:
    """Mark the valleys that lie at least `h` below the passes to lower ground.

    Parameters
    ----------
    image, h, footprint, workers
        As in `h_maxima`.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError, ValueError
        As `h_maxima`.

    Notes
    -----
    Takes three volumes of memory, as `h_maxima`.

    Examples
    --------
    >>> x = np.array([9, 6, 7, 0, 1, 0, 9], dtype=np.uint8)
    >>> h_minima(x, 2).astype(int)
    array([0, 0, 0, 1, 0, 1, 0])
    """
    return _h_extrema(image, h, footprint, workers, lower=True)


@_arrays.silent
def _h_extrema(image: Any, h: Any, footprint: Any, workers: Any, *, lower: bool) -> Any:
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    _args.as_ndim(x)
    height = _args.as_float(h, "h", above=0)
    x = _arrays.rows_contiguous(x)
    if type(x) is not np.ndarray:
        answer = _h_on_gpu(x, height, footprint, lower)
        return answer if give is None else give(answer)
    if not x.size or height > float(x.max()) - float(x.min()):
        answer = np.zeros(x.shape, bool)
        return answer if give is None else give(answer)
    if height % 1 and not dtype.startswith("float"):
        x = x.astype(np.float64)
    if x.dtype.kind == "f":
        # No rounding may leave the seed less than h away.
        seed = np.abs(x)
        seed *= 2 * np.finfo(x.dtype).resolution
        seed += x.dtype.type(height)
        (np.add if lower else np.subtract)(x, seed, out=seed)
    else:
        # Ends are cut off first, so that nothing wraps that should not.
        ends, plain, step = np.iinfo(x.dtype), np.dtype(f"u{x.itemsize}"), int(height)
        seed = np.minimum(x, ends.max - step) if lower else np.maximum(x, ends.min + step)
        bits = seed.view(plain)
        (np.add if lower else np.subtract)(bits, plain.type(step), out=bits)
    grown = reconstruction(seed, x, "erosion" if lower else "dilation", footprint, workers=workers)
    less, more = (x, grown) if lower else (grown, x)
    if x.dtype.kind == "i":  # a difference of integers fits into as many bits without a sign
        plain = np.dtype(f"u{x.itemsize}")
        less, more = less.view(plain), more.view(plain)
    answer = np.subtract(more, less, out=seed.view(more.dtype)) >= more.dtype.type(height)
    return answer if give is None else give(answer)


def _h_on_gpu(x: Any, height: float, footprint: Any, lower: bool) -> Any:
    # The same in the words of other functions, as device arrays have no arithmetic of their own.
    from ..filters import MAGNITUDE, join, rescale
    from ..metrics import extremes

    whole = _args.dtype_name(x) not in _args.FLOAT
    x = x.astype(np.float64) if whole else x
    low, high, nan, _ = extremes(x.reshape(-1, *((1, *x.shape)[-2:])))
    if not x.size or (not nan and height > high - low):
        answer = _arrays.empty(x.shape, bool, x)
        answer[...] = False
        return answer
    kind = np.dtype(_args.dtype_name(x))
    seed = _arrays.empty(x.shape, kind, x)
    seed[...] = height
    if not whole:
        join(seed, x, "mean", None, what=MAGNITUDE, weight=2 * float(np.finfo(kind).resolution))
    if lower:
        join(seed, x, "mean", None)
    else:
        combine(x, seed, seed, MINUS, None)
    grown = reconstruction(seed, x, "erosion" if lower else "dilation", footprint)
    combine(*((x, grown) if not lower else (grown, x)), seed, MINUS, None)
    enough = kind.type(height)
    return rescale(seed, (np.nextafter(enough, -kind.type(np.inf)), enough), dtype="uint8").view(
        np.bool_
    )


def local_maxima(
    image: Any,
    footprint: Any = None,
    connectivity: int | None = None,
    *,
    allow_borders: bool = True,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Mark the plateaus that no neighbour overlooks.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    footprint : array of bool, optional
        Which neighbours count, as in `reconstruction`.
    connectivity : int, optional
        Instead of `footprint`: neighbours differ by one along at most this many axes; all
        axes by default.
    allow_borders : bool
        Whether a plateau at the border of the image may count; an axis of one voxel has none.
    out : array, optional
        Where to write; shape of `image`, bool or uint8.
    workers : int, optional
        Most threads to use.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError
        If `image` is of a type that is not listed.
    ValueError
        If `footprint` or `connectivity` do not fit the image, or both are given.

    Notes
    -----
    As `skimage.morphology.local_maxima`: a constant image has no maximum. NaN counts as
    larger than any number.

    Examples
    --------
    >>> local_maxima(np.array([1, 4, 4, 2, 3, 0], dtype=np.uint8)).astype(int)
    array([0, 1, 1, 0, 1, 0])
    """
    return _extrema(image, footprint, connectivity, allow_borders, out, workers, lower=False)


def local_minima(
    image: Any,
    footprint: Any = None,
    connectivity: int | None = None,
    *,
    allow_borders: bool = True,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Mark the plateaus that overlook no neighbour.

    Parameters
    ----------
    image, footprint, connectivity, allow_borders, out, workers
        As in `local_maxima`.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError, ValueError
        As `local_maxima`.

    Examples
    --------
    >>> local_minima(np.array([1, 4, 4, 2, 3, 0], dtype=np.uint8)).astype(int)
    array([1, 0, 0, 1, 0, 1])
    """
    return _extrema(image, footprint, connectivity, allow_borders, out, workers, lower=True)


def _extrema(
    image: Any, footprint: Any, connectivity: Any, allow_borders: bool, out: Any, workers: Any, *,
    lower: bool,
) -> Any:  # fmt: skip
    x, give = _arrays.adopt(image)
    _args.as_dtype(x, _args.REAL)
    ndim = min(_args.as_ndim(x), 3)
    if connectivity is None:
        offsets = _near(footprint, ndim)
    else:
        if footprint is not None:
            raise ValueError("footprint and connectivity must not both be given")
        number = _args.as_int(connectivity, "connectivity", 1)
        if number > ndim:
            raise ValueError(f"connectivity must be at most {ndim}; got {connectivity}")
        offsets = neighbours(number, ndim)
    kind = (
        "bool" if out is None else _args.as_dtype(_arrays.adopt(out, "out")[0], _args.MASK, "out")
    )
    workers = _args.as_workers(workers)

    def run(volume: Any, answer: Any) -> None:
        _local_extrema(
            volume, answer.view(np.uint8), offsets, int(lower), int(bool(allow_borders)),
            workers=workers,
        )  # fmt: skip

    return _arrays.run_volumes(run, x, out, kind, give)
