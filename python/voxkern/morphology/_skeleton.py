"""Skeletons: masks thinned to lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, Out, kernel

# A neighbourhood has 27 bits in the order of the image; bit 13, the voxel itself, is 0.


def _cells() -> tuple[Any, Any]:
    """Return which neighbours touch each corner, edge and face of a cube; and its Euler sign."""
    touching, weights = [], []
    for z, y, x in np.ndindex(3, 3, 3):
        cell = (z - 1, y - 1, x - 1)
        if cell == (0, 0, 0):
            continue
        reached = {tuple(c if k >> n & 1 else 0 for n, c in enumerate(cell)) for k in range(8)} - {
            (0, 0, 0)
        }
        touching.append(sum(1 << ((c + 1) * 9 + (b + 1) * 3 + a + 1) for c, b, a in reached))
        weights.append(-1 if np.count_nonzero(cell) == 2 else 1)
    return np.array(touching, np.int64), np.array(weights, np.int64)


_TOUCHING, _WEIGHTS = _cells()


def _beside() -> Any:
    """Return the neighbours of each of the 27 within the neighbourhood."""
    places = np.array(list(np.ndindex(3, 3, 3)))
    near = np.abs(places[:, None] - places).max(2) <= 1
    near[:, 13] = False
    return (near * (1 << np.arange(27))).sum(1)


_BESIDE = _beside()
# Beside a voxel on each side, in the order in which sides are peeled.
_SIDES = np.array([(0, -1, 0), (0, 1, 0), (0, 0, 1), (0, 0, -1), (1, 0, 0), (-1, 0, 0)])


@kernel(dtypes=("uint8",))
def _skeleton(x: In, y: Out) -> None:
    planes, rows, columns = x.shape
    wide = np.zeros((planes + 2, rows + 2, columns + 2), np.uint8)
    for k in range(planes):
        wide[k + 1, 1:-1, 1:-1] = x[k] != 0
    going = np.empty((x.size, 3), np.int64)
    changed = True
    while changed:
        changed = False
        for side in range(4 if planes == 1 else 6):
            count = 0
            for k in range(1, planes + 1):
                for j in range(1, rows + 1):
                    for i in range(1, columns + 1):
                        dk, dj, di = _SIDES[side]
                        if wide[k, j, i] == 0 or wide[k + dk, j + dj, i + di] != 0:
                            continue
                        near = _near(wide, k, j, i)
                        if near & (near - 1) and _keeps_euler(near) and _is_simple(near):
                            going[count, 0], going[count, 1], going[count, 2] = k, j, i
                            count += 1
            for n in range(count):
                k, j, i = going[n]
                if _is_simple(_near(wide, k, j, i)):
                    wide[k, j, i] = 0
                    changed = True
    for k in range(planes):
        y[k] = wide[k + 1, 1:-1, 1:-1]


def _near(wide: Any, k: int, j: int, i: int) -> int:
    bits, place = 0, 1
    for c in range(k - 1, k + 2):
        for b in range(j - 1, j + 2):
            for a in range(i - 1, i + 2):
                if wide[c, b, a] != 0 and not (c == k and b == j and a == i):
                    bits |= place
                place <<= 1
    return bits


def _keeps_euler(near: int) -> bool:
    """Say whether the cells of the cube that no neighbour touches balance its inside."""
    total = 0
    for n in range(26):
        if near & _TOUCHING[n] == 0:
            total += _WEIGHTS[n]
    return bool(total == 1)


def _is_simple(near: int) -> bool:
    """Say whether the neighbours hang together without the voxel."""
    part, before = near & -near, 0
    while part != before:
        before = part
        for n in range(27):
            if part >> n & 1:
                part |= _BESIDE[n] & near
    return bool(part == near)


@_skeleton.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (rng.random(shape) < rng.choice([0.5, 0.8, 0.95])).astype(dtype)
    return x, np.empty_like(x)


@_arrays.cpu_only
def skeletonize(
    mask: Any, *, method: str = "lee", out: Any = None, workers: int | None = None
) -> Any:
    """Thin a mask to lines that keep its parts, holes and tunnels.

    Parameters
    ----------
    mask : array of bool or uint8, shape ([..., planes,] rows, columns)
        What is not zero is thinned; on the CPU. Axes before the last three are looped over.
    method : {'lee'}
        Lee, Kashyap and Chu's algorithm [1]_, in two and three dimensions.
    out : array of bool, optional
        Where to write; same shape as `mask`, not overlapping it.
    workers : int, optional
        Most threads to use.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError
        If `mask` is of another type, or on a GPU.
    ValueError
        If `mask` has one axis, or `method` is another.

    Notes
    -----
    The answer of `skimage.morphology.skeletonize` with ``method='lee'``, voxel by voxel. There
    the default for two axes is another algorithm. Lengths of voxels do not count. An image of
    three axes and a single plane is thinned as one of two. As there, voxels that were found on
    one side together are only asked again whether they are simple, so that a part may vanish
    whose last voxels are two along each axis.

    Takes about half a byte of memory a voxel.

    References
    ----------
    .. [1] T.-C. Lee, R. L. Kashyap, C.-N. Chu, "Building skeleton models via 3-D medial
       surface/axis thinning algorithms", CVGIP: Graphical Models and Image Processing
       56:462-478, 1994. https://doi.org/10.1006/cgip.1994.1042

    Examples
    --------
    >>> skeletonize(np.ones((5, 9), bool)).astype(int)
    array([[0, 0, 0, 0, 0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0, 0, 0, 0, 0],
           [0, 1, 1, 1, 1, 1, 1, 1, 0],
           [0, 0, 0, 0, 0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0, 0, 0, 0, 0]])
    """
    if method != "lee":
        raise ValueError(f"method must be 'lee'; got {method!r}")
    x, give = _arrays.adopt(mask, "mask")
    _args.as_dtype(x, _args.MASK, "mask")
    _args.as_ndim(x, 2, name="mask")
    workers = _args.as_workers(workers)

    def run(volume: Any, answer: Any) -> None:
        _skeleton(volume.view(np.uint8), answer.view(np.uint8), workers=workers)

    return _arrays.run_volumes(run, x, out, np.dtype(bool), give)
