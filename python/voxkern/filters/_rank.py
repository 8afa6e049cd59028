"""Rank and percentile filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _args, _arrays
from ._extreme import maximum_filter, minimum_filter
from ._footprint import as_footprint
from ._median import ranked


def rank_filter(
    image: Any,
    rank: int,
    size: Any = None,
    footprint: Any = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by the element of a given rank among its sorted neighbours.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type bool, uint8, int16, uint16, int32, float32 or float64, on any
        device.
    rank : int
        0 is the least; -1 is the greatest, -2 the one before it.
    size, footprint, mode, cval, origin, axes, progress, out, workers
        As in `median_filter`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        As `median_filter`, or if the neighbourhood has no such `rank`.

    See Also
    --------
    percentile_filter, median_filter, minimum_filter, maximum_filter

    Notes
    -----
    As `scipy.ndimage.rank_filter`. NaN counts as larger than any number.

    Examples
    --------
    >>> x = np.array([4, 9, 2, 3, 8], dtype=np.uint8)
    >>> rank_filter(x, 1, 3)
    array([4, 4, 3, 3, 8], dtype=uint8)
    """
    asked = _args.as_int(rank, "rank")

    def rank_of(count: int) -> int:
        if not -count <= asked < count:
            raise ValueError(f"rank must be in [{-count}, {count}) of the neighbours; got {rank}")
        return asked % count

    told = _args.as_progress(progress, "rank_filter")
    return _filter(rank_of, image, size, footprint, mode, cval, origin, axes, told, out, workers)


def percentile_filter(
    image: Any,
    percentile: float,
    size: Any = None,
    footprint: Any = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by a percentile of its neighbourhood.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type bool, uint8, int16, uint16, int32, float32 or float64, on any
        device.
    percentile : float
        From -100 to 100; negative ones count from above, so that -20 is 80.
    size, footprint, mode, cval, origin, axes, progress, out, workers
        As in `median_filter`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        As `median_filter`, or if `percentile` is out of its range.

    See Also
    --------
    rank_filter, median_filter

    Notes
    -----
    As `scipy.ndimage.percentile_filter`: of `n` neighbours the one of rank
    ``int(n * percentile / 100)``, with no interpolation, and the greatest for 100. NaN
    counts as larger than any number.

    Examples
    --------
    >>> x = np.array([4, 9, 2, 3, 8], dtype=np.uint8)
    >>> percentile_filter(x, 75, 4)
    array([9, 9, 9, 9, 8], dtype=uint8)
    """
    share = _args.as_float(percentile, "percentile")
    if not -100 <= share <= 100:
        raise ValueError(f"percentile must be in [-100, 100]; got {percentile!r}")
    share += 100 * (share < 0)

    def rank_of(count: int) -> int:
        return count - 1 if share == 100 else int(float(count) * share / 100)

    told = _args.as_progress(progress, "percentile_filter")
    return _filter(rank_of, image, size, footprint, mode, cval, origin, axes, told, out, workers)


def _filter(
    rank_of: Any, image: Any, size: Any, footprint: Any, mode: Any, cval: Any, origin: Any,
    axes: Any, told: Any, out: Any, workers: Any,
) -> Any:  # fmt: skip
    x, _ = _arrays.adopt(image)
    number = len(_args.as_axes(axes, _args.as_ndim(x)))
    if number > 3:
        raise ValueError(f"axes must be three at most; got {axes}")
    count = as_footprint(size, footprint, origin, tuple(range(number)), number).voxels
    rank = rank_of(count)
    if rank not in (0, count - 1):
        return ranked(image, rank, size, footprint, mode, cval, origin, axes, told, out, workers)
    extreme = minimum_filter if rank == 0 else maximum_filter
    return extreme(
        image, size, footprint, mode=mode, cval=cval, origin=origin, axes=axes, out=out,
        workers=workers,
    )  # fmt: skip
