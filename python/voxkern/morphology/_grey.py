"""Grey morphology."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, ListIn, Out, Scalar, kernel, prange
from ..filters import maximum_filter, minimum_filter
from ._ball import ball
from ._difference import subtract


@kernel(dtypes=_args.REAL)
def _grey_erosion(
    x: In, y: Out, offsets: ListIn, heights: ListIn, highest: Scalar, edge: Edge, fill: Scalar,
    low: Scalar, high: Scalar,
) -> None:  # fmt: skip
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                best = 0.0
                for n in range(heights.size):
                    kk = inside(k + offsets[3 * n], x.shape[0], edge)
                    jj = inside(j + offsets[3 * n + 1], x.shape[1], edge)
                    ii = inside(i + offsets[3 * n + 2], x.shape[2], edge)
                    outside = kk < 0 or jj < 0 or ii < 0
                    value = float(fill) if outside else float(x[kk, jj, ii])
                    if highest:
                        value += heights[n]
                        better = value > best or value != value
                    else:
                        value -= heights[n]
                        better = value < best or best != best
                    if n == 0 or better:
                        best = value
                if best < low:
                    best = float(low)
                if best > high:
                    best = float(high)
                y[k, j, i] = best


@_grey_erosion.on("cuda")
def _erosion_plan(
    gpu: Any, x: Any, y: Any, offsets: Any, heights: Any, highest: int, edge: int, fill: float,
    low: float, high: float,
) -> None:  # fmt: skip
    gpu.launch(
        f"grey_erosion<{gpu.name_of(x.dtype)}>", gpu.blocks(x.size), 256, x, y, gpu.put(offsets),
        gpu.put(heights), len(heights), x.shape, highest, edge, float(fill),
        float(low), float(high),
    )  # fmt: skip


@_grey_erosion.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (20 * rng.random(shape)).astype(dtype)
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.05] = np.nan
    offsets = np.argwhere(np.ones(rng.integers(1, 4, 3), bool)) - 1
    heights = rng.integers(0, 20, len(offsets)) / 2
    how = int(rng.integers(2)), int(rng.integers(5)), 7
    return x, np.empty_like(x), offsets.ravel(), heights, *how, *_range(dtype)


def _range(dtype: str) -> tuple[float, float]:
    """Return the least and the greatest number of a type."""
    if dtype.startswith("float"):
        return -math.inf, math.inf
    return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)


class Element(NamedTuple):
    """What a grey operation works with: its neighbourhood and what lies outside."""

    size: Any
    footprint: Any
    structure: Any
    mode: Any
    cval: float
    origin: Any
    axes: Any
    workers: int | None

    def erode(self, x: Any, out: Any = None) -> Any:
        """Return the least around each voxel."""
        if self.structure is not None:
            return _with_heights(x, self, out, highest=0)
        return minimum_filter(x, *self[:2], **self._flat(), out=out)

    def dilate(self, x: Any, out: Any = None) -> Any:
        """Return the greatest around each voxel, the neighbourhood mirrored."""
        along = _args.as_axes(self.axes, x.ndim)
        turned = self._replace(
            footprint=_mirrored(self.footprint), structure=_mirrored(self.structure)
        )
        shape = self._shape(len(along))
        moves = _args.per_axis(self.origin, len(along), "origin")
        moves = tuple(_args.as_int(o, "origin") for o in moves)
        turned = turned._replace(
            origin=tuple(-o - (s % 2 == 0) for o, s in zip(moves, shape, strict=True))
        )
        if self.structure is not None:
            return _with_heights(x, turned, out, highest=1)
        return maximum_filter(x, *turned[:2], **turned._flat(), out=out)

    def _shape(self, ndim: int) -> tuple[int, ...]:
        for given in (self.structure, self.footprint):
            if given is not None:
                if given.ndim != ndim:
                    raise ValueError(
                        f"footprint and structure must have {ndim} axes; got {given.ndim}"
                    )
                return tuple(given.shape)
        return _args.as_window(self.size, ndim)

    def _flat(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "cval": self.cval,
            "origin": self.origin,
            "axes": self.axes,
            "workers": self.workers,
        }


def _mirrored(box: Any) -> Any:
    return None if box is None else np.flip(box)


def as_element(
    image: Any, size: Any, footprint: Any, structure: Any, mode: Any, cval: Any, origin: Any,
    axes: Any, radius: Any, spacing: Any, workers: Any,
) -> tuple[Any, Any, Element]:  # fmt: skip
    """Return the adopted image, what gives answers back, and the element asked for."""
    x, give = _arrays.adopt(image)
    _args.as_dtype(x, ("bool", *_args.REAL))
    along = _args.as_axes(axes, _args.as_ndim(x))
    given = {"size": size, "footprint": footprint, "structure": structure, "radius": radius}
    _args.as_spacing(spacing, len(along))
    if structure is not None and size is None and radius is None:
        structure = _args.as_numbers(structure, "structure")
        if structure.size == 0:
            raise ValueError("structure must not be empty")
        if footprint is not None:
            footprint = _args.as_truths(footprint, "footprint")
            if footprint.shape != structure.shape:
                raise ValueError(
                    f"footprint must have the structure's shape {structure.shape}; "
                    f"got {footprint.shape}"
                )
            if not footprint.any():
                raise ValueError("footprint must have at least one voxel; got none")
    else:
        names = [name for name, value in given.items() if value is not None]
        if len(names) != 1:
            raise ValueError(
                "one of size, footprint, structure and radius must be given; got "
                + (", ".join(names) or "none")
            )
        if footprint is not None:
            footprint = _args.as_truths(footprint, "footprint")
        if radius is not None:
            footprint = ball(radius, spacing, tuple(x.shape[axis] for axis in along))
    return x, give, Element(size, footprint, structure, mode, cval, origin, axes, workers)


def _with_heights(x: Any, e: Element, out: Any, *, highest: int) -> Any:
    ndim, along = x.ndim, _args.as_axes(e.axes, x.ndim)
    dtype = _args.as_dtype(x, _args.REAL)
    if min(along) < ndim - 3:
        raise ValueError(f"axes must be among the last three for a structure; got {along}")
    shape = e._shape(len(along))
    origins = _args.per_axis(e.origin, len(along), "origin")
    moves = [_args.as_int(o, "origin") for o in origins]
    for size, move in zip(shape, moves, strict=True):
        if not -(size // 2) <= move <= (size - 1) // 2:
            raise ValueError(f"origin must keep the structure over its voxel; got {e.origin!r}")
    where = np.ones(shape, bool) if e.footprint is None else e.footprint
    offsets = np.zeros((int(where.sum()), 3), np.int64)
    steps = np.argwhere(where) - np.array(shape) // 2 - moves
    for axis, column in zip(along, steps.T, strict=True):
        offsets[:, axis - ndim] = column
    heights = np.ascontiguousarray(e.structure[where])
    edge, fill = _args.as_edge(e.mode), _args.as_fill(e.cval, dtype)
    workers, limits = _args.as_workers(e.workers), _range(dtype)

    def run(volume: Any, answer: Any) -> None:
        _grey_erosion(
            volume, answer, offsets.ravel(), heights, highest, edge, fill, *limits, workers=workers
        )

    return _arrays.run_volumes(run, x, out, dtype, None)


def grey_erosion(
    image: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    *,
    mode: Any = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by the least of what the element covers around it.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type bool, uint8, int16, uint16, int32, float32 or float64, on any
        device.
    size : int or tuple of int, optional
        Voxels along each of `axes` of a box. Even sizes reach one voxel further back
        than forward.
    footprint : array of bool, optional
        An element of any shape, with as many axes as are filtered.
    structure : array of float, optional
        An element with heights, which are subtracted before the least is taken; its
        voxels are all, or those of `footprint`.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis
        What lies outside the image. With a `structure` the same for all axes.
    cval : scalar
        The value outside when `mode` is 'constant'.
    origin : int or tuple of int
        Shifts the element back by so many voxels along each of `axes`.
    axes : tuple of int, optional
        The axes to filter along: all of up to three, the last three of more. Others are
        looped over.
    radius : float, optional
        A ball instead: voxels no further than this, in the unit of `spacing`.
    spacing : float or sequence of float, optional
        Distance between voxels along each of `axes`, for `radius`; sizes count voxels.
    out : array, optional
        Where to write; same shape and type as `image`, not overlapping it.
    workers : int, optional
        How many threads a CPU call may use. The answer does not depend on it.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If none or two of `size`, `footprint` and `radius` are given, or they, `origin` or
        `axes` do not fit the image.

    See Also
    --------
    grey_dilation, grey_opening, grey_closing, minimum_filter, binary_erosion

    Notes
    -----
    As `scipy.ndimage.grey_erosion`. NaN counts as larger than any number. With heights the
    sums are made in float64, and what an integer type cannot hold becomes its end; SciPy's
    wrap before the least is found.

    Examples
    --------
    >>> x = np.array([4, 9, 9, 9, 2, 3], dtype=np.uint8)
    >>> grey_erosion(x, 3)
    array([4, 4, 9, 2, 2, 2], dtype=uint8)
    """
    return _run(
        lambda x, e, out: e.erode(x, out), image, size, footprint, structure, mode, cval, origin,
        axes, radius, spacing, out, workers,
    )  # fmt: skip


def grey_dilation(
    image: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    *,
    mode: Any = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Replace each voxel by the greatest of what the mirrored element covers around it.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        As in `grey_erosion`.
    size, footprint, structure, mode, cval, origin, axes, radius, spacing, out, workers
        As in `grey_erosion`; heights are added.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As `grey_erosion`.

    Notes
    -----
    As `scipy.ndimage.grey_dilation`, which puts the element on each voxel and so reads a
    mirrored neighbourhood.

    NaN counts as larger than any number, and spreads as far as the element.

    Examples
    --------
    >>> x = np.array([4, 0, 0, 0, 2, 3], dtype=np.uint8)
    >>> grey_dilation(x, footprint=[1, 1, 0])
    array([4, 0, 0, 2, 3, 3], dtype=uint8)
    """
    return _run(
        lambda x, e, out: e.dilate(x, out), image, size, footprint, structure, mode, cval, origin,
        axes, radius, spacing, out, workers,
    )  # fmt: skip


def grey_opening(
    image: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    *,
    mode: Any = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Lower the peaks that the element does not fit into: an erosion, then a dilation.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        As in `grey_erosion`.
    size, footprint, structure, mode, cval, origin, axes, radius, spacing, out, workers
        As in `grey_erosion`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As `grey_erosion`.

    Examples
    --------
    >>> x = np.array([0, 5, 0, 3, 3, 4, 0], dtype=np.uint8)
    >>> grey_opening(x, 3)
    array([0, 0, 0, 3, 3, 3, 0], dtype=uint8)
    """
    return _run(
        lambda x, e, out: e.dilate(e.erode(x), out), image, size, footprint, structure, mode, cval,
        origin, axes, radius, spacing, out, workers,
    )  # fmt: skip


def grey_closing(
    image: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    *,
    mode: Any = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Fill the valleys that the element does not fit into: a dilation, then an erosion.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        As in `grey_erosion`.
    size, footprint, structure, mode, cval, origin, axes, radius, spacing, out, workers
        As in `grey_erosion`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As `grey_erosion`.

    Examples
    --------
    >>> x = np.array([5, 0, 5, 2, 2, 1, 5], dtype=np.uint8)
    >>> grey_closing(x, 3)
    array([5, 5, 5, 2, 2, 2, 5], dtype=uint8)
    """
    return _run(
        lambda x, e, out: e.erode(e.dilate(x), out), image, size, footprint, structure, mode, cval,
        origin, axes, radius, spacing, out, workers,
    )  # fmt: skip


def morphological_gradient(
    image: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    *,
    mode: Any = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return how far values spread within the element: a dilation minus an erosion.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        As in `grey_erosion`.
    size, footprint, structure, mode, cval, origin, axes, radius, spacing, out, workers
        As in `grey_erosion`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As `grey_erosion`.

    Notes
    -----
    As `scipy.ndimage.morphological_gradient`: signed integers wrap where the difference
    does not fit. Of a mask it is where the two differ.

    NaN spreads as far as the element.

    Examples
    --------
    >>> x = np.array([0, 0, 0, 7, 7, 7], dtype=np.uint8)
    >>> morphological_gradient(x, 3)
    array([0, 0, 7, 7, 0, 0], dtype=uint8)
    """
    return _run(
        lambda x, e, out: subtract(e.dilate(x), e.erode(x), out, workers), image, size, footprint,
        structure, mode, cval, origin, axes, radius, spacing, out, workers,
    )  # fmt: skip


def white_tophat(
    image: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    *,
    mode: Any = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the peaks that the element does not fit into: the image minus its opening.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        As in `grey_erosion`.
    size, footprint, structure, mode, cval, origin, axes, radius, spacing, out, workers
        As in `grey_erosion`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As `grey_erosion`.

    Examples
    --------
    >>> x = np.array([0, 5, 0, 3, 3, 4, 0], dtype=np.uint8)
    >>> white_tophat(x, 3)
    array([0, 5, 0, 0, 0, 1, 0], dtype=uint8)
    """
    return _run(
        lambda x, e, out: subtract(x, e.dilate(e.erode(x)), out, workers), image, size, footprint,
        structure, mode, cval, origin, axes, radius, spacing, out, workers,
    )  # fmt: skip


def black_tophat(
    image: Any,
    size: Any = None,
    footprint: Any = None,
    structure: Any = None,
    *,
    mode: Any = "reflect",
    cval: float = 0.0,
    origin: Any = 0,
    axes: Any = None,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the valleys that the element does not fit into: the closing minus the image.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        As in `grey_erosion`.
    size, footprint, structure, mode, cval, origin, axes, radius, spacing, out, workers
        As in `grey_erosion`.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError, ValueError
        As `grey_erosion`.

    Examples
    --------
    >>> x = np.array([5, 0, 5, 2, 2, 1, 5], dtype=np.uint8)
    >>> black_tophat(x, 3)
    array([0, 5, 0, 0, 0, 1, 0], dtype=uint8)
    """

    def valleys(x: Any, e: Element, out: Any) -> Any:
        closed = e.erode(e.dilate(x), out)
        return subtract(closed, _arrays.rows_contiguous(x), closed, workers)

    return _run(
        valleys, image, size, footprint, structure, mode, cval, origin, axes, radius, spacing, out,
        workers,
    )  # fmt: skip


def _run(
    step: Callable[[Any, Element, Any], Any], image: Any, size: Any, footprint: Any, structure: Any,
    mode: Any, cval: Any, origin: Any, axes: Any, radius: Any, spacing: Any, out: Any, workers: Any,
) -> Any:  # fmt: skip
    x, give, element = as_element(
        image, size, footprint, structure, mode, cval, origin, axes, radius, spacing, workers
    )
    if out is not None:
        _arrays.output(out, x.shape, x.dtype, (x,))
    answer = step(x, element, out)
    return answer if out is not None or give is None else give(answer)
