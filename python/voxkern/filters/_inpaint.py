"""Holes filled from what is around them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from ._laplace import laplace

Array = TypeVar("Array")

_MOST = 500  # voxels of two planes of a hole up to which its equations are solved at once
_COARSEST = 300  # unknowns of the coarsest grid, about
_WEIGHT = 0.85  # of a step of Jacobi
_SMALL = 181  # voxels of a hole up to which they are one matrix, beside those of others


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
        Holes of more than 500 voxels in two of their planes are filled step by step, until
        the residual is so small a share of what it was.
    max_iter : int
        Steps at most for a hole.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, 100)`` after each step in a
        large hole, with the percentage of the digits that `tol` asks for.
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.

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
    ``L u = 0``. Holes less than two voxels apart are filled together, by elimination from slab to
    slab. Large ones take conjugate gradients guided by a multigrid cycle: a dozen steps for
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
    holes = holes != 0
    if x.size and holes.all():
        raise ValueError("mask must leave something of the image")
    result = _arrays.output(out, x.shape, _args.float_dtype(dtype), (x,))
    filled = x.astype(np.float64, order="C")
    known = filled[~holes]
    filled[holes] = 0
    bent, parts = method == "biharmonic", _apart(holes)
    _fill_small([at for at in parts if at.size <= _SMALL], filled, bent)
    for at in parts:
        if at.size > _SMALL:
            _fill(filled, at, bent, tol, most, told)
    if method == "biharmonic" and known.size:
        filled[holes] = np.clip(filled[holes], known.min(), known.max())
    result[...] = filled
    if out is not None:
        return out
    return result if give is None else give(result)


def _apart(holes: Any) -> list[Any]:
    """Return the places of the voxels of each hole that does not touch another's equations."""
    from ..morphology import binary_dilation
    from ..regions import label

    labels = label(binary_dilation(holes), connectivity=holes.ndim)
    flat = np.flatnonzero(holes)
    found = np.asarray(labels).ravel()[flat]
    order = np.argsort(found, kind="stable")
    bounds = [*np.flatnonzero(np.diff(found[order], prepend=-1)).tolist(), flat.size]
    flat = flat[order]
    return [flat[a:b] for a, b in itertools.pairwise(bounds)]


def _fill_small(parts: list[Any], u: Any, bent: bool) -> None:
    """Solve for holes of which many alike are solved in one call."""
    sizes = np.array([part.size for part in parts])
    classes = np.unique((2 ** (np.arange(2 * np.log2(_SMALL) + 1) / 2)).astype(int))
    kind = np.searchsorted(classes, sizes)
    number = np.empty(u.shape if parts else 0, np.int32)
    number.fill(-1)
    for k in np.unique(kind):
        alike = np.flatnonzero(kind == k)
        n = int(sizes[alike].max())
        at_once = max(1, 2**22 // n**2)
        for first in range(0, alike.size, at_once):
            some = [parts[i] for i in alike[first : first + at_once]]
            _fill_alike(u, some, n, number.ravel(), bent)


def _fill_alike(u: Any, parts: list[Any], n: int, number: Any, bent: bool) -> None:
    """Solve for holes of at most `n` voxels; `number` is -1 everywhere, and again in the end."""
    at = np.concatenate(parts)
    sizes = np.array([part.size for part in parts])
    hole = np.repeat(np.arange(sizes.size), sizes)
    own = np.arange(at.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    number[at] = own
    a, b, weight = _equations(u.shape, at, bent)
    other, unknown = number[b], number[b] >= 0
    row = hole * n + own
    aim = np.zeros((sizes.size, n, 1))
    known = a[~unknown]
    aim.ravel()[row] = -np.bincount(known, weight[~unknown] * u.ravel()[b[~unknown]], at.size)
    cell = row[a[unknown]] * n + other[unknown]
    matrix = np.bincount(cell, weight[unknown], sizes.size * n * n).reshape(-1, n, n)
    spare = np.arange(n) >= sizes[:, None]  # of smaller holes: unknowns that are 0
    matrix[:, np.arange(n), np.arange(n)] += spare
    u.ravel()[at] = np.linalg.solve(matrix, aim).ravel()[row]
    number[at] = -1


def _fill(u: Any, at: Any, bent: bool, tol: float, most: int, told: Any) -> None:
    """Solve for the voxels `at` of one hole."""
    where = np.array(np.unravel_index(at, u.shape))
    low = np.maximum(where.min(1) - 3, 0)
    high = np.minimum(where.max(1) + 4, u.shape)
    box = tuple(map(slice, low, high))
    part = u[box]
    mine = np.zeros(part.shape, bool)
    mine[tuple(where - low[:, None])] = True
    # Other holes in the box are too far to count; what they have does no harm.

    def apply(v: Any) -> Any:
        return _laplacian(_laplacian(v)) if bent else -_laplacian(v)

    aim = -apply(np.where(mine, 0.0, part))[mine]
    blocks = _blocks(mine, bent)
    if max(map(len, blocks)) <= _MOST:
        answer = _solve(mine, blocks, aim, bent)
    else:
        answer = _conjugate_gradients(apply, mine, aim, bent, tol, most, told)
    part[mine] = answer


def _laplacian(u: Any) -> Any:
    """Return the sum of differences from the neighbours; nothing lies beyond a border."""
    return laplace(u)


def _blocks(mine: Any, bent: bool) -> list[Any]:
    """Return the numbers of a hole's voxels in blocks that touch only the one before and behind.

    They are slabs across the hole's longest axis, of at least 32 voxels.
    """
    places = np.argwhere(mine)
    along = places[:, np.argmax(np.ptp(places, axis=0))]
    order = np.argsort(along, kind="stable")
    planes = along[order]
    deep, starts = 2 if bent else 1, [0]
    while starts[-1] < len(order):
        first = starts[-1]
        full = np.searchsorted(planes, planes[first] + deep)
        if full - first < 32 and first + 32 < len(order):
            full = np.searchsorted(planes, planes[first + 32], "right")
        starts.append(int(full))
    return [order[a:b] for a, b in itertools.pairwise(starts)]


def _equations(shape: Any, at: Any, bent: bool) -> tuple[Any, Any, Any]:
    """Return what voxels count in the equations of those `at`.

    As three lists: which of these, the other's place, its weight.
    """
    start, here, weight = np.arange(at.size), at, np.ones(at.size)
    for _ in range(2 if bent else 1):  # one Laplacian after the other
        place = np.unravel_index(here, shape)
        paths = []
        degree = np.zeros(here.size)
        for axis, n in enumerate(shape):
            step = int(np.prod(shape[axis + 1 :]))
            for inside, by in ((place[axis] > 0, -step), (place[axis] < n - 1, step)):
                degree += inside
                paths.append((start[inside], here[inside] + by, -weight[inside]))
        paths.append((start, here, weight * degree))
        start, here, weight = (np.concatenate(parts) for parts in zip(*paths, strict=True))
    return start, here, weight


def _solve(mine: Any, blocks: list[Any], aim: Any, bent: bool) -> Any:
    """Solve equations whose matrix is block tridiagonal, by elimination."""
    flat = np.flatnonzero(mine)
    number = np.full(mine.size, -1)
    number[flat] = np.arange(flat.size)
    rows, places, weights = _equations(mine.shape, flat, bent)
    columns = number[places]
    rows, columns, weights = (a[columns >= 0] for a in (rows, columns, weights))
    block, within = np.empty(aim.size, np.int64), np.empty(aim.size, np.int64)
    for k, part in enumerate(blocks):
        block[part], within[part] = k, np.arange(len(part))
    order = np.argsort(block[rows], kind="stable")
    rows, columns, weights = rows[order], columns[order], weights[order]
    starts = np.searchsorted(block[rows], np.arange(len(blocks) + 1))

    def matrix(k: int, other: int) -> Any:
        here = slice(starts[k], starts[k + 1])
        i, j, w = rows[here], columns[here], weights[here]
        i, j, w = (a[block[j] == other] for a in (i, j, w))
        shape = len(blocks[k]), len(blocks[other])
        at = within[i] * shape[1] + within[j]
        return np.bincount(at, w, shape[0] * shape[1]).reshape(shape)

    ahead: list[Any] = []
    parts: list[Any] = []
    for k, part in enumerate(blocks):
        own, side = matrix(k, k), aim[part]
        if k:
            back = matrix(k, k - 1)
            own = own - back @ ahead[-1]
            side = side - back @ parts[-1]
        last = k + 1 == len(blocks)
        known = side[:, None] if last else np.column_stack([matrix(k, k + 1), side])
        found = np.linalg.solve(own, known)
        ahead.append(found[:, :-1])
        parts.append(found[:, -1])
    answer = np.empty(aim.size)
    for k in range(len(blocks) - 1, -1, -1):
        if k + 1 < len(blocks):
            parts[k] = parts[k] - ahead[k] @ parts[k + 1]
        answer[blocks[k]] = parts[k]
    return answer


def _conjugate_gradients(
    apply: Any, mine: Any, aim: Any, bent: bool, tol: float, most: int, told: Any
) -> Any:  # fmt: skip
    grids = _Grids(mine)
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

    def __init__(self, mine: Any) -> None:
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
            number = np.full(inside.size, -1)
            number[at] = np.arange(at.size)
            rows, places, weights = _equations(inside.shape, at, False)
            columns = number[places]
            known = columns >= 0
            cells = rows[known] * at.size + columns[known]
            matrix = np.bincount(cells, weights[known], at.size**2).reshape(at.size, at.size)
            self.last = at, np.linalg.inv(matrix)

    def cycle(self, f: Any, level: int = 0) -> Any:
        if level + 1 == len(self.inside) and self.last is not None:
            at, inverse = self.last
            u = np.zeros(f.shape)
            u.ravel()[at] = inverse @ f.ravel()[at]
            return u
        rate = self.rate[level]
        u = rate * f
        u += rate * (f + laplace(u))
        if level + 1 < len(self.inside):
            rest = f + laplace(u)
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
        u += rate * (f + laplace(u))
        u += rate * (f + laplace(u))
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
