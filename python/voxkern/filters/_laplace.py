"""Laplace filter: the sum of second differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, Out, Scalar, Vec3, kernel, prange
from ._along import as_edges, copied, run_along, three
from ._separable import as_whole_fill


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=1e-6,
    why="float32 images are summed in float32 on the CPU",
)
def _laplace(x: In, y: Out, scale: Vec3, ez: Edge, ey: Edge, ex: Edge, fill: Scalar) -> None:
    half = np.empty(1, x.dtype)
    half[0] = 0.5
    whole = half[0] == 0
    planes, rows, columns = x.shape
    for k in prange(planes):
        for j in range(rows):
            for i in range(columns):
                here, total = float(x[k, j, i]), 0.0
                if scale[0] != 0:
                    a, b = inside(k - 1, planes, ez), inside(k + 1, planes, ez)
                    before = fill if a < 0 else float(x[a, j, i])
                    after = fill if b < 0 else float(x[b, j, i])
                    total += scale[0] * ((before - here) + (after - here))
                if scale[1] != 0:
                    a, b = inside(j - 1, rows, ey), inside(j + 1, rows, ey)
                    before = fill if a < 0 else float(x[k, a, i])
                    after = fill if b < 0 else float(x[k, b, i])
                    total += scale[1] * ((before - here) + (after - here))
                if scale[2] != 0:
                    a, b = inside(i - 1, columns, ex), inside(i + 1, columns, ex)
                    before = fill if a < 0 else float(x[k, j, a])
                    after = fill if b < 0 else float(x[k, j, b])
                    total += scale[2] * ((before - here) + (after - here))
                if whole:
                    y[k, j, i] = np.int64(total)
                else:
                    y[k, j, i] = total


@_laplace.on("cuda")
def _plan(gpu: Any, x: Any, y: Any, scale: Any, ez: int, ey: int, ex: int, fill: float) -> None:
    gpu.launch(
        f"laplace<{gpu.name_of(x.dtype)}>", gpu.blocks(x.size), 256,
        x, y, x.shape, tuple(map(float, scale)), ez, ey, ex, float(fill),
    )  # fmt: skip


@_laplace.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    scale = (1.0, 1.0, 1.0) if rng.random() < 0.5 else tuple(rng.choice([0, 0.25, 1.5], 3).tolist())
    return x, np.empty_like(x), scale, *(int(e) for e in rng.integers(0, 5, 3)), 7.0


def laplace(
    image: Any,
    *,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    axes: Any = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the sum of the second differences along the axes.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over, unless `axes` names them.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'. Integer images take whole numbers
        of their type.
    axes : int or sequence of int, optional
        The axes to work along, three at most; the last three by default. `mode` and
        `spacing` then have one value for each of these.
    spacing : float or one an axis, optional
        Length of a voxel: the answer is then per squared unit of it.
    out : array, optional
        Where to write; same shape and type as `image`, not overlapping it.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape, type and device as `image`.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    See Also
    --------
    gaussian_laplace : the same of a smoothed image.

    Notes
    -----
    Along an axis the second difference is ``x[i - 1] - 2 * x[i] + x[i + 1]``. Integer
    images wrap where their type ends, as in SciPy, and are cut towards zero where
    `spacing` makes fractions; convert them to float32 first if that matters. NaN reaches
    its neighbours.

    Examples
    --------
    >>> laplace(np.array([0, 0, 1, 0, 0], dtype=np.float32))
    array([ 0.,  1., -2.,  1.,  0.], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    along = _args.as_axes(axes, ndim)
    scales = tuple(1 / length**2 for length in _args.as_spacing(spacing, len(along)))
    edges = as_edges(mode, len(along))
    fill, workers = as_whole_fill(cval, dtype), _args.as_workers(workers)
    if not along:
        return copied(x, out, give)
    scale, codes = three(scales, along, ndim, 0.0), three(edges, along, ndim, 0)

    def run(volume: Any, answer: Any) -> None:
        _laplace(volume, answer, scale, *codes, fill, workers=workers)

    return run_along(run, x, along, out, dtype, give)
