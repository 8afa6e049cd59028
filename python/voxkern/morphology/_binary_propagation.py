"""Masks grown through masks, holes filled, patterns found."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from ..regions import fill_holes
from ._binary_erosion import binary_dilation, binary_erosion, neighbours
from ._difference import NEITHER, WITHOUT, combine


def binary_propagation(
    image: Any,
    structure: Any = None,
    *,
    mask: Any = None,
    border_value: int = 0,
    origin: Any = 0,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Let a mask grow, step by step, as far as another mask lets it.

    Parameters
    ----------
    image : array of bool or uint8, shape ([..., planes,] [rows,] columns)
        Where to start: what is not zero.
    structure, border_value, origin
        As in `binary_dilation`.
    mask : array of bool or uint8, optional
        Where it may grow; everywhere by default.
    out, workers
        As in `binary_dilation`.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError, ValueError
        As `binary_dilation`.

    Notes
    -----
    As `scipy.ndimage.binary_propagation`: a dilation repeated until nothing changes.

    Examples
    --------
    >>> mask = np.array([1, 1, 1, 0, 1, 1], bool)
    >>> binary_propagation(np.array([0, 1, 0, 0, 0, 0], bool), mask=mask).astype(int)
    array([1, 1, 1, 0, 0, 0])
    """
    return binary_dilation(
        image, structure, iterations=0, mask=mask, border_value=border_value, origin=origin,
        out=out, workers=workers,
    )  # fmt: skip


def binary_fill_holes(
    image: Any,
    structure: Any = None,
    *,
    origin: Any = 0,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Fill the holes of a mask: background that steps of the structure do not reach from outside.

    Parameters
    ----------
    image : array of bool or uint8, shape ([..., planes,] [rows,] columns)
        What is not zero is inside.
    structure, origin
        As in `binary_dilation`.
    out, workers
        As in `binary_dilation`.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError, ValueError
        As `binary_dilation`.

    See Also
    --------
    fill_holes : with a connectivity, slice by slice, or small holes alone.

    Notes
    -----
    As `scipy.ndimage.binary_fill_holes`.

    Examples
    --------
    >>> binary_fill_holes(np.array([[0, 1, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]], bool)).astype(int)
    array([[0, 1, 1, 1],
           [0, 1, 1, 1],
           [0, 1, 1, 1]])
    """
    x, give = _arrays.adopt(image)
    _args.as_dtype(x, _args.MASK)
    ndim = min(_args.as_ndim(x), 3)
    connectivity = _connectivity(structure, ndim)
    moves = [_args.as_int(o, "origin") for o in _args.per_axis(origin, ndim, "origin")]
    if connectivity and not any(moves):
        return fill_holes(image, connectivity=connectivity, out=out, workers=workers)
    background = _new(x)
    combine(x, x, background, NEITHER, workers)
    nothing = _new(x)
    combine(x, x, nothing, WITHOUT, workers)
    reached = binary_dilation(
        nothing, structure, iterations=0, mask=background, border_value=1, origin=origin,
        workers=workers,
    )  # fmt: skip
    result = _new(x) if out is None else out
    if out is not None:
        target = _arrays.adopt(out, "out")[0]
        _args.as_dtype(target, _args.MASK, "out")
        _arrays.output(out, x.shape, target.dtype, (x,))
    combine(reached, reached, result, NEITHER, workers)
    return result if out is not None or give is None else give(result)


def binary_hit_or_miss(
    image: Any,
    structure1: Any = None,
    structure2: Any = None,
    *,
    origin1: Any = 0,
    origin2: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Find a pattern: voxels around which one structure is all inside and another all outside.

    Parameters
    ----------
    image : array of bool or uint8, shape ([..., planes,] [rows,] columns)
        What is not zero is inside.
    structure1 : array of bool, optional
        What must be inside. By default the voxel and those that share a face with it.
    structure2 : array of bool, optional
        What must be outside; by default all that `structure1` leaves out.
    origin1, origin2 : int or sequence of int
        Where the structures' centres move; `origin2` as `origin1` unless given.
    out, workers
        As in `binary_erosion`.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError, ValueError
        As `binary_erosion`.

    Notes
    -----
    As `scipy.ndimage.binary_hit_or_miss`. What lies outside the image is outside the mask.

    Examples
    --------
    >>> x = np.array([0, 1, 0, 0, 1, 1, 0, 1], bool)
    >>> binary_hit_or_miss(x, [0, 1, 0]).astype(int)
    array([0, 1, 0, 0, 0, 0, 0, 1])
    """
    x, give = _arrays.adopt(image)
    _args.as_dtype(x, _args.MASK)
    ndim = min(_args.as_ndim(x), 3)
    within = neighbours(ndim) if structure1 is None else _args.as_truths(structure1, "structure1")
    without = ~within if structure2 is None else _args.as_truths(structure2, "structure2")
    if within.ndim != ndim or without.ndim != ndim:
        raise ValueError(
            f"structure1 and structure2 must have {ndim} axes; got {within.ndim} and {without.ndim}"
        )
    for name, box in (("structure1", within), ("structure2", without)):
        if not box.size:
            raise ValueError(f"{name} must not be empty")
    moves = _moves(origin1, within.shape, "origin1")
    second = (origin1, "origin1") if origin2 is None else (origin2, "origin2")
    others = _moves(second[0], without.shape, second[1])
    hits = binary_erosion(x, within, origin=moves, out=out, workers=workers)
    # Where the second structure touches the mask: a dilation by its mirror image.
    mirrored = tuple(-o - (s % 2 == 0) for o, s in zip(others, without.shape, strict=True))
    touched = binary_dilation(x, np.flip(without), origin=mirrored, workers=workers)
    answer = combine(_arrays.adopt(hits)[0], touched, hits, WITHOUT, workers)
    return answer if out is not None or give is None else give(answer)


def _moves(origin: Any, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
    """Return how far a structure's centre moves along each axis, staying in it."""
    moves = tuple(_args.as_int(o, name) for o in _args.per_axis(origin, len(shape), name))
    if not all(0 <= n // 2 + move < n for n, move in zip(shape, moves, strict=True)):
        raise ValueError(f"{name} must keep the centre in the structure; got {origin!r}")
    return moves


def _new(x: Any) -> Any:
    return _arrays.empty(x.shape, np.bool_, x)


def _connectivity(structure: Any, ndim: int) -> int:
    """Return the connectivity whose neighbours the structure holds, or 0."""
    if structure is None:
        return 1
    box = _args.as_truths(structure, "structure")
    steps = np.abs(np.indices((3,) * ndim) - 1).sum(0)
    for connectivity in range(1, ndim + 1):
        if np.array_equal(box, steps <= connectivity):
            return connectivity
    return 0
