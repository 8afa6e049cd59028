"""Holes filled from what is around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, ListOut, Scalar, kernel
from ..metrics import as_mask, as_volume, extremes
from ._laplace import laplace

Array = TypeVar("Array")

_MOST = 2 * 10**8  # products up to which a hole's equations are solved at once
_COARSEST = 300  # unknowns of the coarsest grid, about
_WEIGHT = 0.85  # of a step of Jacobi


def _equation(size: Any, place: Any, bent: Any, near: Any, weights: Any) -> int:
    """Write what voxels count in the equation of one, and how much; return how many they are."""
    planes, rows, columns = size
    near[0], weights[0], count = place, 1.0, 1
    for _ in range(2 if bent else 1):  # one Laplacian after the other
        for n in range(count):
            p, w, degree = near[n], weights[n], 0
            for step in range(6):
                by = 2 * (step % 2) - 1
                k = p // (rows * columns) + (by if step // 2 == 0 else 0)
                j = p // columns % rows + (by if step // 2 == 1 else 0)
                i = p % columns + (by if step // 2 == 2 else 0)
                if 0 <= k < planes and 0 <= j < rows and 0 <= i < columns:
                    near[count], weights[count] = (k * rows + j) * columns + i, -w
                    count += 1
                    degree += 1
            weights[n] = w * degree
    return count


@kernel(
    dtypes=_args.REAL,
    exact=False,
    rtol=1e-9,
    why="sums of products in another order, which the equations of a hole magnify",
)
def _mend(
    x: In, number: ListIn, places: ListIn, starts: ListIn, bent: Scalar, most: Scalar,
    filled: ListOut, done: ListOut,
) -> None:  # fmt: skip
    """Solve the equations of each hole by Cholesky's decomposition, within its envelope."""
    rows, columns = x.shape[1:]
    near, weights = np.zeros(49, np.int64), np.zeros(49)
    for hole in range(starts.size - 1):
        at, u = places[starts[hole] : starts[hole + 1]], filled[starts[hole] : starts[hole + 1]]
        first = np.arange(at.size)
        for i in range(at.size):
            for c in range(_equation(x.shape, at[i], bent, near, weights)):
                if number[near[c]] >= 0:
                    first[i] = min(first[i], number[near[c]])
        length = np.arange(1, at.size + 1) - first
        done[hole] = np.sum(length * length) <= most
        if not done[hole]:
            continue
        matrix = np.zeros(np.sum(length))
        row = np.cumsum(length) - length - first  # of each row: where its first column would be
        for i in range(at.size):
            u[i] = 0
            for c in range(_equation(x.shape, at[i], bent, near, weights)):
                p, j = near[c], number[near[c]]
                if j < 0:
                    u[i] -= weights[c] * x[p // (rows * columns), p // columns % rows, p % columns]
                elif j <= i:
                    matrix[row[i] + j] += weights[c]
        for i in range(at.size):
            for j in range(first[i], i + 1):
                total = matrix[row[i] + j]
                for k in range(max(first[i], first[j]), j):
                    total -= matrix[row[i] + k] * matrix[row[j] + k]
                # Of the diagonal the inverse is kept.
                matrix[row[i] + j] = total * matrix[row[j] + j] if j < i else 1 / np.sqrt(total)
            for j in range(first[i], i):
                u[i] -= matrix[row[i] + j] * u[j]
            u[i] *= matrix[row[i] + i]
        for i in range(at.size - 1, -1, -1):
            u[i] *= matrix[row[i] + i]
            for j in range(first[i], i):
                u[j] -= matrix[row[i] + j] * u[i]


@_mend.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (9 * rng.random(shape)).astype(dtype)
    holes = rng.random(shape) < 0.1
    holes[: shape[0] // 2, : shape[1] // 2, : shape[2] // 2] = True
    holes.ravel()[:1] = False
    places, starts, number = _apart(holes)
    filled, done = np.zeros(places.size), np.zeros(starts.size - 1, np.int64)
    return x, number, places, starts, int(rng.integers(2)), 10**6, filled, done


@_arrays.cpu_only
def inpaint(
    image: Array,
    mask: Any,
    method: str = "biharmonic",
    *,
    tol: float = 1e-8,
    max_iter: int = 20000,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Fill the voxels of a mask smoothly from those around it.

    Parameters
    ----------
    image : array, shape ([planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, in the memory of the
        CPU.
    mask : array of bool or uint8
        Where to fill: the voxels that are not zero. What `image` has there does not count.
    method : {'biharmonic', 'harmonic'}
        As a bent plate, which goes on with the slopes at the border of a hole, or as a
        stretched skin, which stays between the values there.
    tol : float
        Large holes are filled step by step, until
        the residual is so small a share of what it was.
    max_iter : int
        Steps at most for a hole.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, 100)`` after each step in a
        large hole, with the percentage of the digits that `tol` asks for.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        Threads to use.

    Returns
    -------
    array
        Same shape as `image`: float64 for int32 and float64, else float32. Voxels outside
        the mask are the image's.

    Raises
    ------
    TypeError
        If `image` is on a GPU, or `image` or `mask` is of a type that is not listed.
    ValueError
        If `mask` has another shape or leaves nothing of the image, or `method` is not listed.
    RuntimeError
        If a hole is not filled after `max_iter` steps.

    See Also
    --------
    remove_spikes : finds what to fill, too.

    Notes
    -----
    With the Laplacian `L` of neighbours that share a face, the image reflected beyond its
    borders, 'biharmonic' solves ``L L u = 0`` in the mask and is cut off at the smallest and
    the largest known value, as scikit-image's ``inpaint_biharmonic`` [1]_; 'harmonic' solves
    ``L u = 0``. Holes less than two voxels apart are filled together, by Cholesky's decomposition.
    Large ones take conjugate gradients guided by a multigrid cycle: a dozen steps for
    'harmonic' whatever a hole's width, and tens to hundreds for 'biharmonic'. NaN beside a hole
    spreads into it.

    Takes up to a thousand bytes of memory for each voxel of the holes.

    References
    ----------
    .. [1] S. B. Damelin, N. S. Hoang, "On surface completion and image inpainting by
       biharmonic functions: numerical aspects", International Journal of Mathematics and
       Mathematical Sciences 2018:3950312. https://doi.org/10.1155/2018/3950312

    Examples
    --------
    >>> x = np.array([1, 2, 3, 0, 0, 6, 7, 8], dtype=np.float32)
    >>> inpaint(x, x == 0).round(3)
    array([1., 2., 3., 4., 5., 6., 7., 8.], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    _args.as_ndim(x, 1, 3)
    holes = _arrays.adopt(mask, "mask")[0]
    _arrays.need_cpu(image=x, mask=holes)
    _args.as_dtype(holes, _args.MASK, "mask")
    if holes.shape != x.shape:
        raise ValueError(f"mask must have the image's shape {x.shape}; got {holes.shape}")
    if method not in ("biharmonic", "harmonic"):
        raise ValueError(f"method must be 'biharmonic' or 'harmonic'; got {method!r}")
    tol = _args.as_float(tol, "tol", above=0)
    most = _args.as_int(max_iter, "max_iter", 1)
    told = _args.as_progress(progress, "inpaint")
    threads = _args.as_workers(workers)
    holes = holes != 0
    bent, (places, starts, number) = method == "biharmonic", _apart(holes)
    if places.size == x.size > 0:
        raise ValueError("mask must leave something of the image")
    result = _arrays.output(out, x.shape, _args.float_dtype(dtype), (x,))
    result[...] = x
    if places.size:
        volume = as_volume(x)
        values, done = np.zeros(places.size), np.zeros(starts.size - 1, np.int64)
        _mend(volume, number, places, starts, int(bent), _MOST, values, done, workers=threads)
        for hole in np.flatnonzero(done == 0):
            its = slice(starts[hole], starts[hole + 1])
            values[its] = _fill(x, places[its], bent, tol, most, told, threads)
        if bent:
            low, high, *_ = extremes(volume, as_mask(~holes, x.shape, x), threads)
            values = np.clip(values, low, high)
        result.flat[places] = values
    if out is not None:
        return out
    return result if give is None else give(result)


def _apart(holes: Any) -> tuple[Any, Any, Any]:
    """Part the voxels of a mask into holes that do not touch another's equations.

    Returns the places of all voxels, hole by hole and each hole's along its longest axis; where
    each hole begins among them; and for each voxel of the image its number in its hole, or -1.
    """
    from ..morphology import binary_dilation
    from ..regions import label

    labels = label(binary_dilation(holes), connectivity=holes.ndim)
    flat = np.flatnonzero(holes)
    number = labels.ravel()
    found = number[flat]
    order = np.argsort(found, kind="stable")
    starts = np.append(np.flatnonzero(np.diff(found[order], prepend=-1)), flat.size)
    where = np.array(np.unravel_index(flat[order], holes.shape))
    if flat.size:
        first, last = (f.reduceat(where, starts[:-1], axis=1) for f in (np.minimum, np.maximum))
        hole = np.repeat(np.arange(starts.size - 1), np.diff(starts))
        along = np.take_along_axis(where, np.argmax(last - first, axis=0)[hole][None], 0)[0]
        order = order[np.lexsort((along, hole))]
    number[:] = -1
    number[flat[order]] = np.arange(flat.size) - np.repeat(starts[:-1], np.diff(starts))
    return flat[order], starts, number


def _fill(
    x: Any, at: Any, bent: bool, tol: float, most: int, told: Any, threads: Any
) -> Any:  # fmt: skip
    """Solve for the voxels `at` of one large hole."""
    where = np.array(np.unravel_index(at, x.shape))
    low = np.maximum(where.min(1) - 3, 0)
    high = np.minimum(where.max(1) + 4, x.shape)
    part = x[tuple(map(slice, low, high))].astype(np.float64)
    mine = np.zeros(part.shape, bool)
    inside = tuple(where - low[:, None])
    mine[inside] = True
    part[inside] = 0
    # Other holes in the box are too far to count; what they have does no harm.

    def apply(v: Any) -> Any:
        once = laplace(v, workers=threads)
        return laplace(once, workers=threads) if bent else -once

    grids = _Grids(mine, threads)
    filled = np.zeros(part.shape)
    filled[mine] = _conjugate_gradients(
        apply, grids, mine, -apply(part)[mine], bent, tol, most, told
    )
    return filled[inside]


def _conjugate_gradients(
    apply: Any, grids: Any, mine: Any, aim: Any, bent: bool, tol: float, most: int, told: Any
) -> Any:  # fmt: skip
    whole = np.zeros(mine.shape)

    def times(v: Any) -> Any:
        whole[mine] = v
        return apply(whole)[mine]

    def nearly_solved(v: Any) -> Any:
        whole[mine] = v
        near = grids.cycle(whole)
        return (grids.cycle(near) if bent else near)[mine]

    answer = np.zeros_like(aim)
    residual = aim.copy()
    near = nearly_solved(residual)
    step = near.copy()
    enough = tol * tol * float(residual @ residual)
    power, whence = float(residual @ near), float(residual @ residual)
    for _ in range(most):
        left = float(residual @ residual)
        if told is not None and left > 0:
            gone = np.log(whence / left) / -np.log(tol * tol) if tol < 1 else 1.0
            told(int(100 * min(max(gone, 0.0), 1.0)), 100)
        if left <= enough:
            return answer
        moved = times(step)
        length = power / float(step @ moved)
        answer += length * step
        residual -= length * moved
        near = nearly_solved(residual)
        before, power = power, float(residual @ near)
        step = near + power / before * step
    if float(residual @ residual) <= enough:
        return answer
    raise RuntimeError(f"a hole of {aim.size} voxels is not filled after max_iter={most} steps")


class _Grids:
    """A hole in voxels and in ever coarser ones, to solve ``-L u = f`` roughly: a V-cycle.

    Each cycle is the same symmetric matrix, as conjugate gradients ask of what guides them.
    """

    def __init__(self, mine: Any, threads: Any) -> None:
        self.threads = threads
        inside = mine.astype(np.float64)
        self.inside = [inside]
        while np.count_nonzero(inside) > _COARSEST and max(inside.shape) > 2:
            share = inside
            for axis, n in enumerate(inside.shape):
                share = 0.5 * _pairs(_even(share, axis, "edge"), axis) if n > 1 else share
            coarser = (share == 1).astype(np.float64)  # known where it is in part
            if not coarser.any():
                break
            inside = coarser
            self.inside.append(inside)
        self.rate = [_WEIGHT / (2 * mine.ndim) * m for m in self.inside]
        at = np.flatnonzero(inside)
        self.last = None
        if at.size <= 2 * _COARSEST:
            where = np.argwhere(inside)
            degree = (where > 0).sum(1) + (where < np.array(inside.shape) - 1).sum(1)
            touch = np.abs(where[:, None] - where).sum(2) == 1
            matrix = np.diag(degree.astype(float)) - touch
            self.last = at, np.linalg.inv(matrix)

    def cycle(self, f: Any, level: int = 0) -> Any:
        if level + 1 == len(self.inside) and self.last is not None:
            at, inverse = self.last
            u = np.zeros(f.shape)
            u.ravel()[at] = inverse @ f.ravel()[at]
            return u
        rate = self.rate[level]
        u = rate * f
        u += rate * (f + laplace(u, workers=self.threads))
        if level + 1 < len(self.inside):
            rest = f + laplace(u, workers=self.threads)
            rest *= self.inside[level]
            axes = [axis for axis, n in enumerate(f.shape) if n > 1]
            coarse = rest
            for axis in axes:
                coarse = _restrict(coarse, axis)
            coarse *= 4 / 2 ** len(axes)
            coarse *= self.inside[level + 1]
            coarse = self.cycle(coarse, level + 1)
            for axis in axes:
                coarse = _refine(coarse, axis, f.shape[axis])
            coarse *= self.inside[level]
            u += coarse
        u += rate * (f + laplace(u, workers=self.threads))
        u += rate * (f + laplace(u, workers=self.threads))
        return u


def _even(x: Any, axis: int, mode: Any = "constant") -> Any:
    """Return `x` with an even number of voxels along an axis: one more where needed."""
    if x.shape[axis] % 2 == 0:
        return x
    return np.pad(x, [(0, int(a == axis)) for a in range(x.ndim)], mode=mode)


def _pairs(x: Any, axis: int) -> Any:
    """Return the sums of two neighbours each."""
    x = np.moveaxis(x, axis, 0)
    return np.moveaxis(x[::2] + x[1::2], 0, axis)


def _refine(coarse: Any, axis: int, n: int) -> Any:
    """Return a line of voxels half as long, by linear interpolation between their centres."""
    c = np.moveaxis(coarse, axis, 0)
    fine = np.empty((2 * len(c), *c.shape[1:]))
    near = 0.75 * c
    fine[::2], fine[1::2] = near, near
    fine[2::2] += 0.25 * c[:-1]
    fine[1:-1:2] += 0.25 * c[1:]
    fine[0] += 0.25 * c[0]
    fine[-1] += 0.25 * c[-1]
    return np.moveaxis(fine[:n], 0, axis)


def _restrict(fine: Any, axis: int) -> Any:
    """Return the transpose of `_refine`."""
    f = np.moveaxis(_even(fine, axis), axis, 0)
    c = 0.75 * (f[::2] + f[1::2])
    c[:-1] += 0.25 * f[2::2]
    c[1:] += 0.25 * f[1:-1:2]
    c[0] += 0.25 * f[0]
    c[-1] += 0.25 * f[-1]
    return np.moveaxis(c, 0, axis)
