"""Unsharp masking."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import REFLECT
from .._kernel import In, ListIn, Out, Scalar, kernel, prange
from ._gaussian import gaussian_weights
from ._jet import as_float_image
from ._separable import _correlate, plan_separable


@kernel(
    dtypes=_args.FLOAT,
    exact=False,
    atol=2e-6,
    why="float32 images are summed in float32, with fused multiply-add where the CPU has it",
)
def _unsharp(x: In, y: Out, wz: ListIn, wy: ListIn, wx: ListIn, amount: Scalar) -> None:
    a, b = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    _correlate(x, a, wz, wz.size // 2, 0, 0, 0.0)
    _correlate(a, b, wy, wy.size // 2, 1, 0, 0.0)
    _correlate(b, y, wx, wx.size // 2, 2, 0, 0.0)
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                voxel = float(x[k, j, i])
                y[k, j, i] = voxel + amount * (voxel - float(y[k, j, i]))


@_unsharp.on("cuda")
def _plan(gpu: Any, x: Any, y: Any, wz: Any, wy: Any, wx: Any, amount: float) -> None:
    before = (wz.size // 2, wy.size // 2, wx.size // 2)
    plan_separable(gpu, x, y, wz, wy, wx, before, REFLECT, REFLECT, REFLECT, 0.0)
    name = f"unsharp<{gpu.name_of(x.dtype)}>"
    gpu.launch(name, gpu.blocks(x.size), 256, x, y, x.size, float(amount))


@_unsharp.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    weights = [
        gaussian_weights(s, 0, int(4 * s + 0.5), 1.0) if rng.random() < 0.8 else np.empty(0)
        for s in rng.uniform(0.5, 2, 3).tolist()
    ]
    return x, np.empty_like(x), *weights, float(rng.uniform(-1, 3))


def unsharp_mask(
    image: Any,
    radius: Any = 1.0,
    amount: float = 1.0,
    *,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Make an image sharper: add what a Gaussian takes away from it.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over.
    radius : float or one an axis
        Standard deviation of the Gaussian, in voxels, or in the unit of `spacing`. 0 leaves
        an axis as it is.
    amount : float
        How much of the details is added; below 0 they are weakened.
    spacing : float or one an axis, optional
        Length of a voxel.
    out : array, optional
        Where to write; of the answer's shape and type, not overlapping `image`.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        Same shape and device as `image`. float64 for float64 and int32 images, else float32.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    Notes
    -----
    The answer is ``image + amount * (image - gaussian_filter(image, radius))`` in the image's
    own range, and may pass it: what scikit-image gives with ``preserve_range=True``. Without
    that scikit-image divides integers by the largest of their type and cuts the answer to
    [0, 1] or [-1, 1], floats too. It returns float64 for integers.

    A NaN reaches as far as the kernel does.

    Examples
    --------
    >>> x = np.array([1, 1, 1, 9, 9, 9], dtype=np.float32)
    >>> unsharp_mask(x, 1.0).round(1)
    array([ 1. ,  0.5, -1.4, 11.4,  9.5,  9. ], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    _args.as_dtype(x, _args.REAL)
    along = _args.as_axes(None, _args.as_ndim(x))
    n = len(along)
    sigmas = [_args.as_float(r, "radius", 0) for r in _args.per_axis(radius, n, "radius")]
    voxels = [s / unit for s, unit in zip(sigmas, _args.as_spacing(spacing, n), strict=True)]
    weights = tuple(
        gaussian_weights(s, 0, _args.as_reach(4 * s, "radius"), 1.0) if s > 1e-15 else np.empty(0)
        for s in voxels
    )
    lists = _args.lift(weights, np.empty(0))
    amount, workers = _args.as_float(amount, "amount"), _args.as_workers(workers)
    x = as_float_image(x)

    def run(volume: Any, answer: Any) -> None:
        _unsharp(volume, answer, *lists, amount, workers=workers)

    return _arrays.run_volumes(run, x, out, x.dtype, give)
