"""Reading at a list of points."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, ListOut, Scalar, kernel, prange
from ._read import read
from ._sample import example_coefficients, example_image, example_reading, keep, reader, sample


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=2e-6,
    why="float32 images are interpolated in float32, in another order than the rule adds",
)
def _map_coordinates(
    x: In,
    y: ListOut,
    zs: ListIn,
    ys: ListIn,
    xs: ListIn,
    order: Scalar,
    outside: Scalar,
    fill: Scalar,
    low: Scalar,
    high: Scalar,
) -> None:
    block = 4096
    for b in prange((y.shape[0] + block - 1) // block):
        at, w = np.empty((3, 6), np.int64), np.empty((3, 6))
        for i in range(b * block, min((b + 1) * block, y.shape[0])):
            value = sample(x, zs[i], ys[i], xs[i], order, outside, fill, at, w)
            y[i] = keep(value, low, high)


@_map_coordinates.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = example_image(rng, shape, dtype)
    count = int(rng.integers(1, 60))
    kind = rng.choice(["float32", "float64"])
    points = [rng.uniform(-0.3 * n, 1.3 * n - 1, count).astype(kind) for n in shape]
    how = example_reading(rng, dtype)
    return example_coefficients(x, how[0]), np.empty(count, x.dtype), *points, *how


@_map_coordinates.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, zs: Any, ys: Any, xs: Any, order: int, outside: int, fill: float,
    *_: float,
) -> None:  # fmt: skip
    lists = [gpu.put(p) if type(p) is np.ndarray else p for p in (zs, ys, xs)]
    kind = reader(gpu, "points", x, y, order)[:-1] + f",{gpu.name_of(zs.dtype)}>"
    gpu.launch(
        kind, gpu.blocks(y.size), 256,
        x, y, *lists, x.shape, y.size, order, outside, float(fill),
    )  # fmt: skip


def map_coordinates(
    image: Any,
    coordinates: Any,
    *,
    order: int = 3,
    mode: str = "constant",
    cval: complex = 0.0,
    prefilter: bool = True,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the image read at given points.

    Parameters
    ----------
    image : array, shape ([planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32, float64 or complex, or a mask of type
        bool (order 0 only), on any device.
    coordinates : array, shape (ndim, ...)
        For each axis of the image, in its order, the coordinates of the points, in voxels;
        float32, or anything that float64 holds.
    order, mode, cval, prefilter
        As in `affine_transform`.
    out : array, optional
        Where to write; of shape ``coordinates.shape[1:]`` and the image's type.
    workers : int, optional
        Threads to use; all that are allowed if left out.

    Returns
    -------
    array
        Of the shape of one coordinate and the image's type, on its device.

    Raises
    ------
    ValueError
        If `coordinates` has not one row for each axis, or the image more than three axes.

    Notes
    -----
    A NaN coordinate gives `cval`, in every mode. Precision and NaN voxels are those of
    `affine_transform`.

    Examples
    --------
    >>> x = np.arange(6, dtype=np.float32).reshape(2, 3)
    >>> map_coordinates(x, [[0.5, 1], [0.5, 2]], order=1)
    array([2., 5.], dtype=float32)
    """
    points, _ = _arrays.adopt(coordinates, "coordinates")
    x, _ = _arrays.adopt(image)
    ndim = _args.as_ndim(x, 1, 3)
    if points.ndim < 1 or points.shape[0] != ndim:
        raise ValueError(
            f"coordinates must have one row for each of {ndim} axes; got shape {points.shape}"
        )
    if _args.dtype_name(points) not in _args.FLOAT:
        if points.dtype.kind not in "biuf":
            raise TypeError(f"coordinates must be numbers; got {_args.dtype_name(points)}")
        points = points.astype(np.float64)
    _arrays.same_device(image=x, coordinates=points)
    shape = tuple(points.shape[1:])
    rows = list(_arrays.rows_contiguous(points.reshape(ndim, -1)))
    if not rows[0].size:
        return _arrays.output(out, shape, x.dtype, (x,))

    def fill_in(volume: Any, y: Any, pad: float, how: tuple[Any, ...], threads: Any) -> None:
        lists = [p.astype(np.float64) + pad if pad else p for p in rows]
        if ndim < 3:
            flat = _arrays.empty(lists[0].shape, lists[0].dtype, lists[0])
            flat[...] = 0
            lists = [flat] * (3 - ndim) + lists
        _map_coordinates(volume, y, *lists, *how, workers=threads)

    return read(
        image, shape, fill_in, order, mode, cval, prefilter, out, workers, "coordinates",
        listed=True,
    )  # fmt: skip
