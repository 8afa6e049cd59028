"""Structure tensor: which way an image changes around each voxel, and how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import Edge, In, ListIn, Out, Scalar, Size, kernel, prange
from ._along import as_edges
from ._correlate1d import sobel
from ._gaussian import gaussian_weights, settle
from ._jet import GRADIENT, _jet, several, spectrum
from ._pool import ADD, PRODUCT
from ._rescale import divide
from ._separable import along_axes, as_whole_fill, key_of, plan_separable


@kernel(dtypes=_args.FLOAT, exact=False, atol=2e-6, why="float32 matrices are solved in float32")
def _tensor_eigenvalues(x: In, y: Out) -> None:
    solid = x.shape[0] == 2 * y.shape[0]
    planes = y.shape[0] // 3 if solid else y.shape[0] // 2
    for k in prange(planes):
        for j in range(y.shape[1]):
            for i in range(y.shape[2]):
                p, q, r = (float(x[k, j, i]), float(x[planes + k, j, i]),
                           float(x[2 * planes + k, j, i]))  # fmt: skip
                if solid:
                    low, middle, high = spectrum(
                        p, q, r, float(x[3 * planes + k, j, i]), float(x[4 * planes + k, j, i]),
                        float(x[5 * planes + k, j, i]),
                    )  # fmt: skip
                    y[k, j, i] = high
                    y[planes + k, j, i] = middle
                    y[2 * planes + k, j, i] = low
                else:
                    side = math.sqrt(0.25 * (p - r) * (p - r) + q * q)
                    y[k, j, i] = 0.5 * (p + r) + side
                    y[planes + k, j, i] = 0.5 * (p + r) - side


@_tensor_eigenvalues.on("cuda")
def _plan(gpu: Any, x: Any, y: Any) -> None:
    count, found = (6, 3) if x.shape[0] == 2 * y.shape[0] else (3, 2)
    ascending = gpu.empty(y.shape, y.dtype)
    gpu.launch(
        f"jet_eigenvalues<{gpu.name_of(x.dtype)}>", gpu.blocks(y.size // found), 256, x, ascending,
        y.size // found, count,
    )  # fmt: skip
    planes = y.shape[0] // found
    for n in range(found):
        y[n * planes : (n + 1) * planes] = ascending[(found - 1 - n) * planes :][:planes]


@_tensor_eigenvalues.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    count, found = ((3, 2), (6, 3))[int(rng.integers(2))]
    x = (100 * rng.standard_normal((count * shape[0], *shape[1:]))).astype(dtype)
    return x, np.empty((found * shape[0], *shape[1:]), dtype)


@kernel(
    dtypes=_args.FLOAT,
    exact=False,
    atol=2e-6,
    why="float32 images are summed in float32, with fused multiply-add where the CPU has it",
)
def _smooth_products(
    x: In, y: Out, wz: ListIn, wy: ListIn, wx: ListIn, before: Size, ez: Edge, ey: Edge, ex: Edge,
    fill: Scalar,
) -> None:  # fmt: skip
    images = 2 * y.shape[0] // x.shape[0] - 1
    planes = x.shape[0] // images
    shape = (planes, x.shape[1], x.shape[2])
    product, done = np.empty(shape, x.dtype), 0
    for p in range(images):
        for q in range(p, images):
            for k in prange(planes):
                product[k] = x[p * planes + k] * x[q * planes + k]
            part = y[done : done + planes]
            along_axes(product, part, wz, wy, wx, before, ez, ey, ex, fill)
            done += planes


@_smooth_products.on("cuda")
def _plan_smooth_products(
    gpu: Any, x: Any, y: Any, wz: Any, wy: Any, wx: Any, before: Any, ez: int, ey: int, ex: int,
    fill: float,
) -> None:  # fmt: skip
    images = 2 * y.shape[0] // x.shape[0] - 1
    planes, done = x.shape[0] // images, 0
    for p in range(images):
        for q in range(p, images):
            a, b = x[p * planes : (p + 1) * planes], x[q * planes : (q + 1) * planes]
            product = gpu.zeros(a.shape, x.dtype)
            gpu.launch(
                f"pool<{gpu.name_of(x.dtype)}>", gpu.blocks(a.size), 256, a, b, product, a.size,
                PRODUCT, ADD, 1.0,
            )  # fmt: skip
            part = y[done : done + planes]
            plan_separable(gpu, product, part, wz, wy, wx, before, ez, ey, ex, fill)
            done += planes


@_smooth_products.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    images = int(rng.integers(1, 4))
    x = (10 * rng.standard_normal((images * shape[0], *shape[1:]))).astype(dtype)
    y = np.empty((images * (images + 1) // 2 * shape[0], *shape[1:]), dtype)
    radii = [int(r) for r in rng.integers(0, 4, 3)]
    weights = [gaussian_weights(1.2, 0, r, 1.0) if r else np.empty(0) for r in radii]
    edges = (int(e) for e in rng.integers(0, 5, 3))
    return x, y, *weights, tuple(radii), *edges, 7.0


class _Tensor:
    """The checked arguments of a structure tensor."""

    def __init__(
        self, ndim: int, dtype: str, sigma: Any, gradient_sigma: Any, mode: Any, cval: Any,
        truncate: Any, spacing: Any, workers: Any,
    ) -> None:  # fmt: skip
        self.ndim = ndim
        units = _args.as_spacing(spacing, self.ndim)
        reach = _args.as_float(truncate, "truncate", 0)
        sigmas = [_args.as_float(s, "sigma", 0) for s in _args.per_axis(sigma, self.ndim, "sigma")]
        widths = _args.per_axis(gradient_sigma, self.ndim, "gradient_sigma")
        lines = []
        for width, unit in zip(widths, units, strict=True):
            if width is None:
                lines.append(np.array([1, 2, 1, -1 / unit, 0, 1 / unit]))
                continue
            voxels = _args.as_float(width, "gradient_sigma", above=0) / unit
            r = _args.as_reach(reach * voxels, "gradient_sigma and truncate")
            parts = [gaussian_weights(voxels, o, r, unit, "gradient_sigma") for o in (0, 1)]
            lines.append(np.concatenate(parts))
        edges = as_edges(mode, self.ndim)
        fill = as_whole_fill(cval, dtype)
        self.workers = _args.as_workers(workers)
        self.gradient = (*_args.lift(tuple(lines), np.empty(0)), GRADIENT,
                         *_args.lift(edges, 0), fill)  # fmt: skip
        # Where what lies outside is neither 0 nor like the image, SciPy's order of the axes counts.
        plain = all(width is None for width in widths)
        beyond = fill != 0 and as_edges("constant", 1)[0] in edges
        self.apart = units if plain and beyond else None
        self.outside = {"mode": mode, "cval": fill, "workers": self.workers}
        how = (tuple(sigmas), 0, key_of(mode), fill, reach, None, None, tuple(units))
        self.smooth: Any = settle(self.ndim, dtype, *how)[2]

    def run(self, volume: Any, answer: Any) -> None:
        """Write the components of the tensor of one volume."""
        n, image = self.ndim, volume.shape[-self.ndim :]
        slopes = _arrays.empty((n * volume.shape[0], *volume.shape[1:]), volume.dtype, volume)
        if self.apart is None:
            _jet(volume, slopes, *self.gradient, workers=self.workers)
        parts = slopes.reshape(n, *image)
        for axis, unit in enumerate(self.apart or ()):
            sobel(volume.reshape(image), axis, **self.outside, out=parts[axis])
            divide(parts[axis], unit)
        _smooth_products(slopes, answer, *self.smooth, workers=self.workers)


_tensor = _args.remembered(_Tensor)


def structure_tensor(
    image: Any,
    sigma: Any = 1.0,
    *,
    gradient_sigma: Any = None,
    mode: str | Sequence[str] = "constant",
    cval: float = 0.0,
    truncate: float = 4.0,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the products of an image's derivatives, averaged around each voxel.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over.
    sigma : float or one an axis
        Standard deviation of the Gaussian that averages, in voxels, or in the unit of
        `spacing`.
    gradient_sigma : float or one an axis, optional
        Take derivatives of Gaussians of this standard deviation, in the same unit, instead
        of Sobel's differences.
    mode, cval, truncate, workers
        As in `gaussian_filter`, for derivatives and averages.
    spacing : float or one an axis, optional
        Length of a voxel: derivatives are then per unit of it.
    out : array, optional
        Where to write; of the answer's shape and type, not overlapping `image`.

    Returns
    -------
    array, shape ([...,] 6, planes, rows, columns)
        The products zz, zy, zx, yy, yx, xx of a volume; yy, yx, xx of an image of two axes;
        xx of one. float64 for float64 and int32 images, else float32.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    See Also
    --------
    structure_tensor_eigenvalues : how much an image changes along its main directions.

    Notes
    -----
    scikit-image's tensor: Sobel's differences are not divided by the sum of their weights,
    8 in two axes and 32 in three. Whole numbers are not brought to [0, 1] first.

    A NaN reaches as far as the kernels do.

    Examples
    --------
    >>> y, x = np.mgrid[:12, :12]
    >>> structure_tensor(3.0 * x + y, 1, mode="nearest")[:, 6, 6].round()
    array([ 64., 192., 576.])
    """
    x, give = _arrays.adopt(image)
    ndim, dtype = min(_args.as_ndim(x), 3), _args.as_dtype(x, _args.REAL)
    tensor = _tensor(ndim, dtype, sigma, gradient_sigma, mode, cval, truncate, spacing, workers)
    return several(tensor, x, give, out, tensor.ndim * (tensor.ndim + 1) // 2)


def structure_tensor_eigenvalues(
    tensor: Any, *, out: Any = None, workers: int | None = None
) -> Any:
    """Return the eigenvalues of a structure tensor, or of any symmetric matrices.

    Parameters
    ----------
    tensor : array, shape (6, planes, rows, columns) or (3, rows, columns)
        What `structure_tensor` gives, of type float32 or float64, on any device.
    out : array, optional
        Where to write; of the answer's shape and type, not overlapping `tensor`.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array, shape (3, planes, rows, columns) or (2, rows, columns)
        The largest first, as in scikit-image.

    Raises
    ------
    TypeError
        If `tensor` has another type.
    ValueError
        If `tensor` has another shape.

    Notes
    -----
    In closed form, to a few units in the last place of the largest, also where two are
    equal.

    Where a part is NaN, so are all eigenvalues.

    Examples
    --------
    >>> y, x = np.mgrid[:12, :12]
    >>> tensor = structure_tensor(3.0 * x + y, 1, mode="nearest")
    >>> structure_tensor_eigenvalues(tensor)[:, 6, 6].round()
    array([640.,   0.])
    """
    x, give = _arrays.adopt(tensor, "tensor")
    dtype = _args.as_dtype(x, _args.FLOAT, "tensor")
    wanted = {4: 6, 3: 3}
    if x.ndim not in wanted or x.shape[0] != wanted[x.ndim]:
        raise ValueError(
            "tensor must have shape (6, planes, rows, columns) or (3, rows, columns); "
            f"got {tuple(x.shape)}"
        )
    workers = _args.as_workers(workers)
    shape = (x.ndim - 1, *x.shape[1:])
    result = _arrays.output(out, shape, dtype, (x,))
    target = result
    if out is not None and not _arrays.in_one_piece(result):
        target = _arrays.empty(shape, dtype, x)
    if x.size:
        # Volumes lie one behind the other; planes of two axes are single planes of three.
        parts = _arrays.rows_contiguous(x.reshape(-1, *x.shape[-2:]))
        _tensor_eigenvalues(parts, target.reshape(-1, *shape[-2:]), workers=workers)
    if target is not result:
        _arrays.assign(result, target)
    if out is not None:
        return out
    return result if give is None else give(result)
