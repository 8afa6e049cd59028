"""Erosion and dilation of masks."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel, prange
from ._ball import ball_offsets

_SMALL = 1 << 10  # voxels of a structure whose steps are remembered


@kernel(dtypes=("uint8",))
def _binary_erosion(
    x: In,
    y: Out,
    mask: In,
    offsets: ListIn,
    iterations: Scalar,
    border: Scalar,
    any_of: Scalar,
    then: Scalar,
) -> None:
    planes, rows, columns = x.shape
    before = np.empty((planes, rows, columns), np.uint8)
    for k in range(planes):
        y[k] = x[k] != 0
    for stage in range(1 if then < 0 else 2):
        sign = 1 - 2 * stage
        wanted = any_of if stage == 0 else 1 - any_of
        outside = border if stage == 0 else then
        turn = 0
        changes = 1
        while changes > 0 and (iterations < 1 or turn < iterations):
            before[:, :, :] = y
            changes = 0
            turn += 1
            for k in prange(planes):
                for j in range(rows):
                    for i in range(columns):
                        if mask is not None and mask[k, j, i] == 0:
                            continue
                        found = 1 - wanted
                        for n in range(0, offsets.size, 3):
                            kk = k + sign * offsets[n]
                            jj = j + sign * offsets[n + 1]
                            ii = i + sign * offsets[n + 2]
                            value = outside
                            if 0 <= kk < planes and 0 <= jj < rows and 0 <= ii < columns:
                                value = before[kk, jj, ii]
                            if value == wanted:
                                found = wanted
                                break
                        y[k, j, i] = found
                        changes += found != before[k, j, i]


@_binary_erosion.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, mask: Any, offsets: Any, iterations: int, border: int, any_of: int,
    then: int,
) -> None:  # fmt: skip
    if then < 0:
        _stage(gpu, x, y, mask, offsets, iterations, border, any_of)
        return
    between = gpu.empty(x.shape, np.uint8)
    _stage(gpu, x, between, mask, offsets, iterations, border, any_of)
    _stage(gpu, between, y, mask, -offsets, iterations, then, 1 - any_of)


def _stage(
    gpu: Any, x: Any, y: Any, mask: Any, offsets: Any, iterations: int, border: int, any_of: int
) -> None:
    table = gpu.put(offsets)
    spare = None if iterations == 1 else gpu.empty(x.shape, np.uint8)
    source, turn = x, 0
    while iterations < 1 or turn < iterations:
        # The last of a known number of turns ends in y; an unknown number ends where it ends.
        target = y if iterations > 0 and (iterations - turn) % 2 else spare
        target = (y if source is spare else spare) if iterations < 1 else target
        changed = gpu.zeros(1, np.int32)
        gpu.launch(
            "binary_erosion", gpu.blocks(x.size), 256, source, target, mask, table,
            len(offsets) // 3, x.shape, border, any_of, changed,
        )  # fmt: skip
        source, turn = target, turn + 1
        if iterations < 1 and not gpu.get(changed)[0]:
            break
    if source is not y:  # the last turn changed nothing, so one more is a copy
        gpu.launch(
            "binary_erosion", gpu.blocks(x.size), 256, source, y, mask, table,
            len(offsets) // 3, x.shape, border, any_of, changed,
        )  # fmt: skip


@_binary_erosion.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (rng.random(shape) < rng.choice([0.3, 0.7, 0.95])).astype(dtype)
    box = np.ones(rng.integers(1, 5, 3), bool)
    box &= rng.random(box.shape) < 0.8
    offsets = np.argwhere(box) - rng.integers(0, 3, 3)
    mask = (rng.random(shape) < 0.7).astype(np.uint8) if rng.random() < 0.5 else None
    flags = (int(rng.integers(0, 4)), *map(int, rng.integers(0, 2, 2)), int(rng.integers(-1, 2)))
    return x, np.empty(shape, np.uint8), mask, offsets.ravel(), *flags


def binary_erosion(
    image: Any,
    structure: Any = None,
    *,
    iterations: int = 1,
    mask: Any = None,
    border_value: int = 0,
    origin: Any = 0,
    brute_force: bool = False,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Take a layer off a mask: keep the voxels around which the whole structure is inside.

    Parameters
    ----------
    image : array of bool or uint8, shape ([..., planes,] [rows,] columns)
        What is not zero is inside.
    structure : array of bool, optional
        The neighbourhood, with as many axes as `image`, three at most. By default the
        voxel and those that share a face with it.
    iterations : int
        How many times; below 1, until nothing changes.
    mask : array of bool or uint8, optional
        Only voxels where it is not zero may change; shape of `image`.
    border_value : {0, 1}
        What lies outside the image. It has no part in it when `radius` is given.
    origin : int or sequence of int
        Where the structure's centre moves, along each axis.
    brute_force : bool
        Of no effect: here for calls written for SciPy.
    radius : float, optional
        Erode by a ball instead, in the unit of `spacing`: voxels further than this from
        all that is outside the mask stay.
    spacing : float or sequence of float, optional
        Distance between voxels, along each axis, for `radius`; a structure and `iterations`
        count voxels.
    out : array, optional
        Where to write; shape of `image`, bool or uint8, not overlapping it.
    workers : int, optional
        Most threads to use.

    Returns
    -------
    array of bool

    Raises
    ------
    ValueError
        If `structure` is empty, has another number of axes, or lacks its centre while
        `iterations` is less than 1; if both it and `radius` are given, or `radius` is negative.

    Notes
    -----
    As `scipy.ndimage.binary_erosion`, and with `radius` as
    `skimage.morphology.isotropic_erosion`; a mask without any outside stays whole.
    Where SciPy's ``brute_force`` changes its answer, as for some structures without a
    symmetry and several iterations, this is the answer with it. Images of more than three axes
    are eroded volume by volume.

    Examples
    --------
    >>> binary_erosion(np.ones((3, 4), bool)).astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    return erode(image, structure, iterations, mask, border_value, origin, radius, spacing, out,
                 workers, any_of=False)  # fmt: skip


def binary_dilation(
    image: Any,
    structure: Any = None,
    *,
    iterations: int = 1,
    mask: Any = None,
    border_value: int = 0,
    origin: Any = 0,
    brute_force: bool = False,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Add a layer to a mask: all voxels that the structure covers when put on each inside.

    Parameters
    ----------
    image, structure, iterations, mask, border_value, origin, brute_force, spacing, out, workers
        As in `binary_erosion`.
    radius : float, optional
        Dilate by a ball instead, in the unit of `spacing`: voxels at most this far from
        the mask join it.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError, ValueError
        As `binary_erosion`.

    Notes
    -----
    As `scipy.ndimage.binary_dilation`, and with `radius` as
    `skimage.morphology.isotropic_dilation`; a mask with nothing inside stays empty.

    Examples
    --------
    >>> binary_dilation(np.array([0, 0, 1, 0, 0], bool)).astype(int)
    array([0, 1, 1, 1, 0])
    """
    return erode(image, structure, iterations, mask, border_value, origin, radius, spacing, out,
                 workers, any_of=True)  # fmt: skip


def erode(
    image: Any, structure: Any, iterations: Any, mask: Any, border_value: Any, origin: Any,
    radius: Any, spacing: Any, out: Any, workers: Any, *, any_of: bool, then: bool = False,
) -> Any:  # fmt: skip
    """Return the erosion of a mask, or the dilation, and with `then` the other after it."""
    x, give = _arrays.adopt(image)
    _args.as_dtype(x, _args.MASK)
    ndim = min(_args.as_ndim(x), 3)
    turns = max(0, _args.as_int(iterations, "iterations"))
    border = after = as_border(border_value)
    threads = _args.as_workers(workers)
    steps = _args.as_spacing(spacing, ndim)
    if radius is None:
        offsets = _offsets(structure, origin, ndim, any_of)
        if not turns and not (offsets.reshape(-1, 3) == 0).all(1).any():
            raise ValueError(
                "structure must hold its centre to be applied until nothing changes, which "
                "may never come without"
            )
    else:
        if structure is not None:
            raise ValueError("structure and radius must not both be given")
        length, size = _args.as_float(radius, "radius", 0), _args.lift(x.shape[-ndim:], 1)
        offsets = ball_offsets(length, _args.lift(steps, math.inf), size)
        border, after = int(not any_of), int(any_of)
    allowed = None if mask is None else _as_mask(mask, x)
    kind = (
        "bool" if out is None else _args.as_dtype(_arrays.adopt(out, "out")[0], _args.MASK, "out")
    )
    parts = None if allowed is None else iter([m for (m,) in _arrays.volumes(allowed)])

    def run(volume: Any, answer: Any) -> None:
        part = None if parts is None else next(parts).view(np.uint8)
        _binary_erosion(
            volume.view(np.uint8), answer.view(np.uint8), part, offsets, turns, border,
            int(any_of), after if then else -1, workers=threads,
        )  # fmt: skip

    return _arrays.run_volumes(run, x, out, kind, give)


def _as_mask(mask: Any, x: Any) -> Any:
    found, _ = _arrays.adopt(mask, "mask")
    _args.as_dtype(found, _args.MASK, "mask")
    if found.shape != x.shape:
        raise ValueError(f"mask must have shape {x.shape}; got {found.shape}")
    _arrays.same_device(image=x, mask=found)
    return _arrays.rows_contiguous(found)


def as_border(value: Any) -> int:
    """Return what lies outside a mask: 0 or 1."""
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if _args.as_int(value, "border_value") not in (0, 1):
        raise ValueError(f"border_value must be 0 or 1; got {value!r}")
    return int(value)


def _offsets(structure: Any, origin: Any, ndim: int, any_of: bool) -> Any:
    """Return the steps (z, y, x) to the voxels that decide about one, as a flat list."""
    footprint = neighbours(ndim) if structure is None else _args.as_truths(structure, "structure")
    if footprint.ndim != ndim:
        raise ValueError(f"structure must have {ndim} axes; got {footprint.ndim}")
    if footprint.size == 0:
        raise ValueError("structure must not be empty")
    moves = tuple(_args.as_int(o, "origin") for o in _args.per_axis(origin, ndim, "origin"))
    for size, move in zip(footprint.shape, moves, strict=True):
        if not 0 <= size // 2 + move < size:
            raise ValueError(f"origin must keep the centre in the structure; got {origin!r}")
    steps = _steps if footprint.size <= _SMALL else _steps.__wrapped__
    return steps(footprint.tobytes(), footprint.shape, moves, any_of)


@functools.lru_cache(64)
def _steps(truths: bytes, shape: tuple[int, ...], moves: tuple[int, ...], any_of: bool) -> Any:
    """Return the offsets of a structure from its bytes, which are 0 or 1."""
    centre = np.array(shape) // 2 + moves
    steps = np.argwhere(np.frombuffer(truths, bool).reshape(shape)) - centre
    lifted = np.zeros((len(steps), 3), np.int64)
    lifted[:, 3 - len(shape) :] = -steps if any_of else steps
    lifted.flags.writeable = False
    return lifted.ravel()


@functools.cache
def neighbours(ndim: int, connectivity: int = 1) -> Any:
    """Return the structure of a voxel and its neighbours, which share a face with it by 1."""
    truths = np.abs(np.indices((3,) * ndim) - 1).sum(0) <= connectivity
    truths.flags.writeable = False
    return truths
