"""Exact Euclidean distance transform."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, Out, Scalar, kernel, prange

# Voxels are compared with zero alone, so a type stands for every integer of its width.
_AS = {1: "uint8", 2: "uint16", 4: "int32", 8: "int64"}
_MASK = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def spread(before: Any, after: Any, near: Any, cost: Any) -> None:
    """Write the least of cost[|i - j|] + before[j] for each i, and its first j."""
    for i in range(before.size):
        after[i], near[i] = np.inf, -1
        for j in range(before.size):
            squared = cost[abs(i - j)] + before[j]
            if squared < after[i]:
                after[i], near[i] = squared, j


@kernel(dtypes=("uint8", "uint16", "int32", "int64"))
def _edt(
    x: In, y: Out, at: Out, costs: ListIn, scale: Scalar, signed: Scalar, squared: Scalar
) -> None:
    nz, ny, nx = x.shape
    cost_z, cost_y, cost_x = costs[:nz], costs[nz : nz + ny], costs[nz + ny :]
    f = np.empty(x.shape, np.float32)
    near_z = np.empty(x.shape, np.int32)
    near_y = np.empty(x.shape, np.int32)
    before = np.empty(max(nz, ny, nx), np.float32)
    for side in range(2 if signed else 1):
        for j in range(ny):
            for i in range(nx):
                for k in range(nz):
                    before[k] = np.inf if (x[k, j, i] != 0) == (side == 0) else 0
                spread(before[:nz], f[:, j, i], near_z[:, j, i], cost_z)
        for k in range(nz):
            for i in range(nx):
                before[:ny] = f[k, :, i]
                spread(before[:ny], f[k, :, i], near_y[k, :, i], cost_y)
        near = np.empty(nx, np.int32)
        for k in range(nz):
            for j in range(ny):
                before[:nx] = f[k, j, :]
                spread(before[:nx], f[k, j, :], near, cost_x)
                for i in range(nx):
                    if side == 1 and f[k, j, i] == 0:
                        continue
                    length = f[k, j, i] if squared else np.sqrt(f[k, j, i])
                    y[k, j, i] = np.float32(scale) * (-length if side == 1 else length)
                    if at.size:
                        found = near[i] >= 0
                        at[2 * nz + k, j, i] = near[i]
                        at[nz + k, j, i] = near_y[k, j, near[i]] if found else -1
                        at[k, j, i] = near_z[k, at[nz + k, j, i], near[i]] if found else -1


def bounded(before: Any, after: Any, near: Any, cost: Any) -> None:
    """Do as `spread`, from each place outwards until the cost alone is too much."""
    n = before.size
    for i in range(n):
        best, where = before[i], i
        for k in range(1, max(i, n - 1 - i) + 1):
            if cost[k] > best:
                break
            if i >= k and cost[k] + before[i - k] <= best:
                best, where = cost[k] + before[i - k], i - k
            if i + k < n and cost[k] + before[i + k] < best:
                best, where = cost[k] + before[i + k], i + k
        after[i], near[i] = best, -1 if best == np.inf else where


@_edt.on("numba")
def _bounded(
    x: In, y: Out, at: Out, costs: ListIn, scale: Scalar, signed: Scalar, squared: Scalar
) -> None:
    nz, ny, nx = x.shape
    cost_z, cost_y, cost_x = costs[:nz], costs[nz : nz + ny], costs[nz + ny :]
    f = np.empty(x.shape, np.float32)
    near_z = np.empty((nz if at.size else 0, ny, nx), np.int32)
    near_y = np.empty((nz if at.size else 0, ny, nx), np.int32)
    for side in range(2 if signed else 1):
        for j in prange(ny):
            last = np.full(nx, -1, np.int32)  # the nearest site before
            for k in range(nz):
                for i in range(nx):
                    if (x[k, j, i] != 0) != (side == 0):
                        last[i] = k
                    f[k, j, i] = np.inf if last[i] < 0 else cost_z[k - last[i]]
                    if at.size:
                        near_z[k, j, i] = last[i]
            last[:] = -1
            for k in range(nz - 1, -1, -1):
                for i in range(nx):
                    if (x[k, j, i] != 0) != (side == 0):
                        last[i] = k
                    if last[i] >= 0 and cost_z[last[i] - k] < f[k, j, i]:
                        f[k, j, i] = cost_z[last[i] - k]
                        if at.size:
                            near_z[k, j, i] = last[i]
        for line in prange(nz * nx):
            k, i = line // nx, line % nx
            near = np.empty(ny, np.int32)
            bounded(f[k, :, i].copy(), f[k, :, i], near, cost_y)
            if at.size:
                near_y[k, :, i] = near
        for line in prange(nz * ny):
            k, j = line // ny, line % ny
            near = np.empty(nx, np.int32)
            best = np.empty(nx, np.float32)
            bounded(f[k, j, :], best, near, cost_x)
            for i in range(nx):
                if side == 1 and best[i] == 0:
                    continue
                length = best[i] if squared else np.sqrt(best[i])
                y[k, j, i] = np.float32(scale) * (-length if side == 1 else length)
                if at.size:
                    found = near[i] >= 0
                    at[2 * nz + k, j, i] = near[i]
                    at[nz + k, j, i] = near_y[k, j, near[i]] if found else -1
                    at[k, j, i] = near_z[k, at[nz + k, j, i], near[i]] if found else -1


@_edt.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, at: Any, costs: Any, scale: float, signed: int, squared: int
) -> None:
    kind, size = gpu.name_of(x.dtype), x.shape
    cost, f, g = gpu.put(costs), gpu.empty(size, np.float32), gpu.empty(size, np.float32)
    near_z = near_y = wanted = None
    if at.size:
        near_z, near_y, wanted = gpu.empty(size, np.int32), gpu.empty(size, np.int32), at
    each = gpu.blocks(x.size)
    for side in range(2 if signed else 1):
        gpu.launch(
            f"edt_z<{kind}>", gpu.blocks(size[1] * size[2]), 256, x, f, near_z, cost, size, side
        )
        gpu.launch("edt_y", each, 256, f, g, near_y, cost, size)
        gpu.launch(
            "edt_x", each, 256, g, y, near_z, near_y, wanted, cost, size, float(scale), squared,
            side,
        )  # fmt: skip


@_edt.example
def _example(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (rng.random(shape) < rng.choice([0.5, 0.9, 0.99, 1])) * rng.integers(1, 100, shape)
    nz, ny, nx = shape
    at = np.zeros((3 * nz, ny, nx) if rng.random() < 0.6 else (0, 0, 0), np.int32)
    costs, _ = _costs(shape, ((1, 1, 1), (2.5, 0.7, 1.3))[int(rng.integers(2))])
    flags = int(rng.integers(2)), int(rng.integers(2))
    return x.astype(dtype), np.empty(shape, np.float32), at, costs, 0.7, *flags


@functools.lru_cache(maxsize=16)
def _costs(shape: tuple[int, ...], spacing: tuple[float, ...]) -> tuple[Any, float]:
    """Return the squares of 0, 1, 2, ... steps along each axis, end to end, and their unit."""
    least, most = min(spacing), max(spacing)
    # Beyond this, squares would leave float32.
    if least < 1e-15 or most > 1e15 or most > 1e9 * least:
        raise ValueError(
            "spacing must be in [1e-15, 1e15] and differ by a factor of 1e9 at most; "
            f"got {spacing!r}"
        )
    steps = [s / least for s in _args.lift(spacing, least)]
    lines = [
        (s * s) * np.arange(n, dtype=np.float64) ** 2
        for n, s in zip(_args.lift(shape, 1), steps, strict=True)
    ]
    costs = np.concatenate(lines).astype(np.float32)
    costs.flags.writeable = False  # another call may get them too
    return costs, least


def distance_transform_edt(
    mask: Any,
    *,
    spacing: Any = None,
    signed: bool = False,
    return_indices: bool = False,
    squared: bool = False,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    r"""Return the Euclidean distance of each voxel of a mask to the nearest voxel outside.

    Parameters
    ----------
    mask : array, shape ([..., planes,] [rows,] columns)
        bool or any integer type, on any device; what is not zero is inside. Leading axes
        beyond three are looped over.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis, or along each of the last three.
    signed : bool
        Give voxels outside minus their distance to the nearest voxel inside, and not 0.
    return_indices : bool
        Return as well where the nearest voxel is.
    squared : bool
        Return squared distances (with their sign, if `signed`).
    out : array, optional
        Where to write the distances; shape of `mask`, float32, not overlapping it.
    workers : int, optional
        How many threads a CPU call may use. The answer does not depend on it.

    Returns
    -------
    distances : array of float32
        Shape and device of `mask`, in the unit of `spacing`.
    indices : array of int32, shape (axes, \*mask.shape)
        The index of the nearest voxel along each axis (of the last three), if
        `return_indices`.

    Raises
    ------
    TypeError
        If `mask` is neither of bool nor of integers, or `out` not of float32.
    ValueError
        If `spacing` or `out` does not fit.

    See Also
    --------
    hausdorff_distance : the distance of two masks from each other.

    Notes
    -----
    The distance of a voxel at :math:`p` is :math:`\min_q \|s (p - q)\|` over the centres
    :math:`q` of the voxels of the other kind. It is exact but for rounding, 3e-7 of it at
    most; squared distances in voxels are whole numbers below 2**24. They are summed along
    the last axis but two, then the last but one, then the last [1]_.

    Where a mask has no voxel outside, distances are infinite and indices -1;
    `scipy.ndimage.distance_transform_edt` measures to a voxel beyond the corner then. SciPy returns
    float64, eight times a mask. Of voxels equally near the one with the lowest last index counts,
    of those the lowest last but one, and so on; SciPy does not say which it takes.

    SimpleITK's ``SignedMaurerDistanceMap`` measures to the outermost voxels of the mask itself, so
    it is zero there, is negative inside, and is squared unless told otherwise. `signed`
    is nowhere zero: two neighbours on both sides of the surface have plus and minus one.

    References
    ----------
    .. [1] T. Saito, J. Toriwaki, "New algorithms for Euclidean distance transformation of an
       n-dimensional digitized picture", Pattern Recognition 27:11, 1994.
       https://doi.org/10.1016/0031-3203(94)90133-3

    Examples
    --------
    >>> mask = np.array([0, 1, 1, 1, 1, 0, 0], bool)
    >>> distance_transform_edt(mask, spacing=2)
    array([0., 2., 4., 4., 2., 0., 0.], dtype=float32)
    >>> distance_transform_edt(mask, signed=True)
    array([-1.,  1.,  2.,  2.,  1., -1., -2.], dtype=float32)
    """
    x, give = _arrays.adopt(mask, "mask")
    _args.as_dtype(x, _MASK, "mask")
    ndim = min(_args.as_ndim(x, name="mask"), 3)
    costs, least = _costs(x.shape[-ndim:], _args.as_spacing(spacing, ndim))
    flags = int(bool(signed)), int(bool(squared))
    workers = _args.as_workers(workers)
    nearest: list[Any] = []

    def run(volume: Any, answer: Any) -> None:
        planes, rows, columns = volume.shape
        wanted = (3 * planes, rows, columns) if return_indices else (0, 0, 0)
        at = _arrays.empty(wanted, np.int32, volume)
        plain = volume.view(_AS[volume.dtype.itemsize])
        _edt(plain, answer, at, costs, least * least if squared else least, *flags, workers=workers)
        if return_indices:
            nearest.append(at.reshape(3, planes, rows, columns))

    distances = _arrays.run_volumes(run, x, out, "float32", give)
    if not return_indices:
        return distances
    indices = _joined(nearest, x, ndim)
    return distances, indices if give is None else give(indices)


def _joined(nearest: list[Any], x: Any, ndim: int) -> Any:
    """Return the indices of all volumes as one array, its first axis theirs."""
    if len(nearest) == 1 and x.ndim == ndim:
        return nearest[0][3 - ndim :].reshape(ndim, *x.shape)
    indices = _arrays.empty((ndim, *x.shape), np.int32, x)
    for index, found in zip(np.ndindex(*x.shape[:-3]), nearest, strict=False):
        _arrays.assign(indices[(slice(None), *index)], found)
    return indices
