"""Gradient of an image, and its length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, Out, Scalar, Vec3, kernel, prange
from ._along import three
from ._gaussian import gaussian_filter
from ._jet import GRADIENT, MAGNITUDE, as_float_image, settings_of, several


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=1e-6,
    why="float32 differences are taken in float32 on the CPU",
)
def _gradient(x: In, y: Out, scale: Vec3, face: Scalar, magnitude: Scalar) -> None:
    planes, rows, columns = x.shape
    for k in prange(planes):
        for j in range(rows):
            for i in range(columns):
                total, count = 0.0, 0
                for axis in range(3):
                    if scale[axis] == 0:
                        continue
                    n, at = x.shape[axis], (np.int64(k), np.int64(j), np.int64(i))[axis]
                    a, b = max(at - 1, 0), min(at + 1, n - 1)
                    weight = scale[axis] * (0.5 if b - a == 2 else face)
                    if axis == 0:
                        d = (float(x[b, j, i]) - float(x[a, j, i])) * weight
                    elif axis == 1:
                        d = (float(x[k, b, i]) - float(x[k, a, i])) * weight
                    else:
                        d = (float(x[k, j, b]) - float(x[k, j, a])) * weight
                    total += d * d
                    if magnitude == 0:
                        y[count * planes + k, j, i] = d
                    count += 1
                if magnitude != 0:
                    y[k, j, i] = math.sqrt(total)


@_gradient.on("cuda")
def _plan_gradient(gpu: Any, x: Any, y: Any, scale: Any, face: float, magnitude: int) -> None:
    gpu.launch(
        f"gradient<{gpu.name_of(x.dtype)},{gpu.name_of(y.dtype)}>", gpu.blocks(x.size), 256,
        x, y, x.shape, tuple(map(float, scale)), float(face), magnitude,
    )  # fmt: skip


@_gradient.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    scale = [1.0, 0.5, 3.0]
    scale[int(rng.integers(3))] *= int(rng.integers(2))
    magnitude = int(rng.integers(2))
    count = 1 if magnitude else sum(s != 0 for s in scale)
    y = np.empty((count * shape[0], *shape[1:]), _args.float_dtype(dtype))
    return x, y, tuple(scale), float(rng.choice([0.5, 1])), magnitude


@kernel(dtypes=_args.FLOAT, exact=False, atol=1e-6, why="float32 squares are summed in float32")
def _length(x: In, y: Out) -> None:
    planes = y.shape[0]
    for k in prange(planes):
        for j in range(y.shape[1]):
            for i in range(y.shape[2]):
                total = 0.0
                for n in range(x.shape[0] // planes):
                    part = float(x[n * planes + k, j, i])
                    total += part * part
                y[k, j, i] = math.sqrt(total)


@_length.on("cuda")
def _plan_length(gpu: Any, x: Any, y: Any) -> None:
    name = f"length<{gpu.name_of(x.dtype)}>"
    gpu.launch(name, gpu.blocks(y.size), 256, x, y, y.size, x.shape[0] // y.shape[0])


@_length.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    count = int(rng.integers(1, 4))
    x = (100 * rng.standard_normal((count * shape[0], *shape[1:]))).astype(dtype)
    return x, np.empty(shape, dtype)


class _Differences:
    """The checked arguments of a filter on the differences of neighbours."""

    def __init__(
        self, x: Any, kind: int, face: float, mode: Any, axes: Any, spacing: Any, workers: Any
    ) -> None:
        self.dtype, self.ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
        self.along = _args.as_axes(axes, self.ndim)
        if mode is not None:
            raise ValueError(f"mode must be left out where there is no sigma; got {mode!r}")
        scales = tuple(1 / s for s in _args.as_spacing(spacing, len(self.along)))
        self.scale = three(scales, self.along, self.ndim, 0.0)
        self.face, self.magnitude = face, int(kind == MAGNITUDE)
        self.workers = _args.as_workers(workers)

    def run(self, volume: Any, answer: Any) -> None:
        _gradient(volume, answer, self.scale, self.face, self.magnitude, workers=self.workers)


class _Recursive:
    """The checked arguments of a filter on the recursive Gaussian's derivatives."""

    def __init__(
        self, x: Any, kind: int, sigma: Any, mode: Any, axes: Any, spacing: Any, workers: Any
    ) -> None:
        self.dtype, self.ndim = _args.as_dtype(x, _args.REAL), _args.as_ndim(x)
        self.along = _args.as_axes(axes, self.ndim)
        n = len(self.along)
        sigmas = [_args.as_float(s, "sigma", above=0) for s in _args.per_axis(sigma, n, "sigma")]
        self.kind, self.mode = kind, mode
        self.sigma = three(tuple(sigmas), self.along, self.ndim, 0.0)
        self.spacing = three(_args.as_spacing(spacing, n), self.along, self.ndim, 1.0)
        self.workers = _args.as_workers(workers)

    def run(self, volume: Any, answer: Any) -> None:
        planes, used = volume.shape[0], [axis for axis in range(3) if self.sigma[axis]]
        length = self.kind == MAGNITUDE
        shape = (len(used) * planes, *volume.shape[1:])
        parts = _arrays.empty(shape, answer.dtype, answer) if length else answer
        for n, axis in enumerate(used):
            gaussian_filter(
                volume, self.sigma, [int(a == axis) for a in range(3)], mode=self.mode,
                spacing=self.spacing, method="recursive",
                out=parts[n * planes : (n + 1) * planes], workers=self.workers,
            )  # fmt: skip
        if length:
            _length(parts, answer, workers=self.workers)


def _derive(
    image: Any, kind: int, face: float, sigma: Any, method: str, mode: Any, axes: Any,
    spacing: Any, out: Any, workers: Any,
) -> Any:  # fmt: skip
    x, give = _arrays.adopt(image)
    if method not in ("sampled", "recursive"):
        raise ValueError(f"method must be 'sampled' or 'recursive'; got {method!r}")
    settings: Any
    if sigma is None:
        settings = _Differences(x, kind, face, mode, axes, spacing, workers)
    elif method == "recursive":
        settings = _Recursive(x, kind, sigma, mode, axes, spacing, workers)
    else:
        edges = "reflect" if mode is None else mode
        settings = settings_of(x, kind, sigma, edges, 0.0, 4.0, None, axes, spacing, workers)
    along = settings.along
    if not along or min(along) < settings.ndim - 3:
        raise ValueError(f"axes must be among the last three; got {axes!r}")
    if sigma is not None:
        x = as_float_image(x)
    if kind == GRADIENT:
        return several(settings, x, give, out, len(along))
    return _arrays.run_volumes(settings.run, x, out, _args.float_dtype(settings.dtype), give)


def gradient(
    image: Any,
    *,
    spacing: Any = None,
    sigma: Any = None,
    method: str = "sampled",
    mode: str | Sequence[str] | None = None,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return the derivatives of an image along its axes.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over.
    spacing : float or one an axis, optional
        Length of a voxel: derivatives are then per unit of it.
    sigma : float or one an axis, optional
        Standard deviation of a Gaussian that smooths the image, in voxels, or in the
        unit of `spacing`. Without it the derivatives are differences of neighbours.
    method : {'sampled', 'recursive'}
        Which Gaussian; see `gaussian_filter`.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis, optional
        What lies outside the smoothed image: 'reflect' if left out, zeros where it is
        'constant'; only 'nearest' is known to the recursive method.
    axes : int or sequence of int, optional
        The axes to derive along, of the last three; all of these by default. `spacing`,
        `sigma` and `mode` then have one value for each.
    out : array, optional
        Where to write; of the answer's shape and type, not overlapping `image`.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array, shape ([...,] axes, planes, rows, columns)
        One component an axis, in the order of the image's axes. float64 for float64 and
        int32 images, else float32.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    See Also
    --------
    gradient_magnitude : the length of the gradient, without the gradient.

    Notes
    -----
    Without `sigma` a component is ``(x[i + 1] - x[i - 1]) / (2 * spacing)``, and at the faces
    the difference to the one neighbour, as in NumPy's gradient with ``edge_order=1``; 0 along
    an axis of one voxel, which NumPy refuses.

    A NaN reaches its neighbours and not itself, with `sigma` as far as the kernel does.

    Examples
    --------
    >>> gradient(np.array([[1.0, 2, 4, 8]] * 2), spacing=(1, 0.5))[1]
    array([[2., 3., 6., 8.],
           [2., 3., 6., 8.]])
    """
    return _derive(image, GRADIENT, 1.0, sigma, method, mode, axes, spacing, out, workers)


def gradient_magnitude(
    image: Any,
    sigma: Any = None,
    *,
    spacing: Any = None,
    method: str = "sampled",
    mode: str | Sequence[str] | None = None,
    axes: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return how steep an image is: the length of its gradient.

    Parameters
    ----------
    image, sigma, spacing, method, mode, axes, out, workers
        As in `gradient`.

    Returns
    -------
    array
        Same shape and device as `image`. float64 for float64 and int32 images, else float32.

    Raises
    ------
    TypeError, ValueError
        As in `gradient`.

    See Also
    --------
    gaussian_gradient_magnitude : the same in the image's own type, as in SciPy.

    Notes
    -----
    Without `sigma` the image is continued by its edge voxels, so that differences at the faces
    count half, as in ITK's GradientMagnitude. With `sigma` and ``method="recursive"`` it is
    ITK's GradientMagnitudeRecursiveGaussian. Beside the recursive method the gradient itself is
    never stored.

    NaN as in `gradient`.

    Examples
    --------
    >>> y, x = np.mgrid[:5, :5]
    >>> gradient_magnitude(3.0 * y + 4.0 * x)[2]
    array([3.60555128, 5.        , 5.        , 5.        , 3.60555128])
    """
    return _derive(image, MAGNITUDE, 0.5, sigma, method, mode, axes, spacing, out, workers)
