"""Ridges: how much of a ball, a line or a plate the Hessian of a smoothed image is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import Edge, In, ListIn, Out, Scalar, kernel, prange
from ..metrics import extremes
from ._gaussian import gaussian_weights
from ._jet import HESSIAN, as_float_image, derivatives, plan_derivatives, spectrum
from ._rescale import divide
from ._separable import as_whole_fill, key_of

OBJECT, SATO, MEIJERING = range(3)  # Ridge of ridge.hpp


@kernel(
    dtypes=_args.FLOAT,
    exact=False,
    atol=2e-5,
    why="ratios of eigenvalues that are summed in float32",
)
def _ridge(
    x: In, y: Out, norms: Out, wz: ListIn, wy: ListIn, wx: ListIn, kind: Scalar, bright: Scalar,
    dimension: Scalar, scaled: Scalar, alpha: Scalar, beta: Scalar, gamma: Scalar, more: Scalar,
    ez: Edge, ey: Edge, ex: Edge, fill: Scalar,
) -> None:  # fmt: skip
    found = derivatives(x, wz, wy, wx, 3, ez, ey, ex, fill)
    solid, weak = found.shape[0] == 6, norms.size > 0
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                p, q, r = float(found[0, k, j, i]), 0.0, float(found[2, k, j, i])
                if solid:
                    p, q, r = spectrum(
                        p, float(found[1, k, j, i]), r, float(found[3, k, j, i]),
                        float(found[4, k, j, i]), float(found[5, k, j, i]),
                    )  # fmt: skip
                else:
                    off = float(found[1, k, j, i])
                    side = math.sqrt(0.25 * (p - r) * (p - r) + off * off)
                    p, r = 0.5 * (p + r) - side, 0.5 * (p + r) + side
                v = _measure(
                    -bright * p, -bright * q, -bright * r, solid, kind, dimension, scaled, alpha,
                    beta, gamma, weak,
                )  # fmt: skip
                if weak:
                    square = p * p + q * q + r * r
                    norms[k, j, i] = math.sqrt(square) if square == square else 0.0
                there = float(y[k, j, i])
                y[k, j, i] = there if more != 0 and (there != there or there > v) else v


def _measure(
    p: float, q: float, r: float, solid: bool, kind: int, dimension: int, scaled: int,
    alpha: float, beta: float, gamma: float, weak: bool,
) -> float:  # fmt: skip
    """Return the measure of eigenvalues that are positive across a ridge; ridge.hpp has it too."""
    total = p + q + r
    top, bottom = max(p, r), min(p, r)
    if total != total:
        return total
    if kind == 2:
        high = (1 - alpha) * top + alpha * total
        low = (1 - alpha) * bottom + alpha * total
        return high if high >= abs(low) else 0.0
    if kind == 1:
        across = q if solid else top
        if not across > 0:
            return 0.0
        t = bottom / ((alpha if bottom >= 0 else beta) * across)
        return float(across * math.exp(-0.5 * t * t))
    if abs(p) > abs(q):
        p, q = q, p
    if abs(q) > abs(r):
        q, r = r, q
    if abs(p) > abs(q):
        p, q = q, p
    # In an image of two axes, p is now the 0 that is not there.
    last = 2 if solid else 1
    least = q if not solid else p
    if not r > 0 or (dimension < last and not q > 0) or (dimension == 0 and not least > 0):
        return 0.0
    square = (q / r) * (q / r)
    blob = abs(p / q * (p / q) * (q / r)) if q != 0 else 0.0
    value = 1.0
    if dimension < last:
        ratio = blob if solid and dimension == 0 else square
        value *= 1 - math.exp(-0.5 * ratio / (alpha * alpha))
    if dimension > 0:
        ratio = blob if solid and dimension == 1 else square
        value *= math.exp(-0.5 * ratio / (beta * beta))
    if not weak:
        value *= 1 - math.exp(-0.5 * (p * p + q * q + r * r) / (gamma * gamma))
    return float(value * r) if scaled != 0 else float(value)


@_ridge.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, norms: Any, wz: Any, wy: Any, wx: Any, kind: int, bright: float,
    dimension: int, scaled: int, alpha: float, beta: float, gamma: float, more: int, ez: int,
    ey: int, ex: int, fill: float,
) -> None:  # fmt: skip
    parts, count = plan_derivatives(gpu, x, None, wz, wy, wx, HESSIAN, ez, ey, ex, fill)
    gpu.launch(
        f"ridge<{gpu.name_of(x.dtype)}>", gpu.blocks(x.size), 256, parts, y,
        norms if norms.size else None, x.size, count, kind, float(bright), dimension, scaled,
        float(alpha), float(beta), float(gamma), more,
    )  # fmt: skip


@_ridge.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    used = int(rng.integers(2, 4))
    weights = [
        np.concatenate([gaussian_weights(s, o, int(3 * s + 0.5), 1.0) * s**o for o in range(3)])
        if axis >= 3 - used
        else np.empty(0)
        for axis, s in enumerate(rng.uniform(0.8, 2, 3).tolist())
    ]
    x = (100 * rng.standard_normal(shape)).astype(dtype)
    y = rng.uniform(0, 0.1, shape).astype(dtype)
    norms = np.zeros(shape if rng.integers(2) else (0, 0, 0), dtype)
    kind, dimension, scaled, more = (int(rng.integers(n)) for n in (3, used, 2, 2))
    bright = float(rng.choice([-1.0, 1.0]))
    edges = (int(e) for e in rng.integers(0, 5, 3))
    return x, y, norms, *weights, kind, bright, dimension, scaled, 0.5, 0.7, 30.0, more, *edges, 7.0


@kernel(dtypes=_args.FLOAT, exact=False, atol=1e-6, why="exponentials differ in their last bits")
def _strengthen(x: In, norms: In, y: Out, gamma: Scalar, more: Scalar) -> None:
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                share = float(norms[k, j, i]) / gamma
                v = float(x[k, j, i]) * (1 - math.exp(-0.5 * share * share))
                there = float(y[k, j, i])
                y[k, j, i] = there if more != 0 and (there != there or there > v) else v


@_strengthen.on("cuda")
def _plan_strengthen(gpu: Any, x: Any, norms: Any, y: Any, gamma: float, more: int) -> None:
    name = f"strengthen<{gpu.name_of(x.dtype)}>"
    gpu.launch(name, gpu.blocks(x.size), 256, x, norms, y, x.size, float(gamma), more)


@_strengthen.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x, norms, y = (rng.uniform(0, most, shape).astype(dtype) for most in (1, 10, 1))
    x[rng.random(shape) < 0.05] = np.nan
    y[rng.random(shape) < 0.05] = np.nan
    return x, norms, y, 5.0, int(rng.integers(2))


def _weights(voxels: float, unit: float, reach: float, scale: float) -> Any:
    """Return the weights of orders 0, 1 and 2, derivatives times the scale as often.

    Those of order 2 sum to 0, which they do not where they are cut off: else whatever is
    bright would be a ridge.
    """
    r = _args.as_reach(reach * voxels, "sigmas and truncate")
    bell, slope, bend = (
        gaussian_weights(voxels, o, r, unit, "sigmas") * scale**o for o in range(3)
    )
    return np.concatenate([bell, slope, bend - bend.sum() * bell])


@_args.remembered
def _settle(
    axes: int, dtype: str, sigmas: Any, mode: Any, cval: Any, truncate: Any, spacing: Any
) -> tuple[list[tuple[Any, ...]], tuple[int, ...], float]:
    """Return the weights of each scale along each axis, and what lies outside."""
    listed = np.atleast_1d(_args.as_numbers(sigmas, "sigmas"))
    if listed.ndim != 1 or not listed.size:
        raise ValueError(f"sigmas must be a number, or hold one at least; got {sigmas!r}")
    scales = [_args.as_float(s, "sigmas", above=0) for s in listed.tolist()]
    reach = _args.as_float(truncate, "truncate", 0)
    units = _args.as_spacing(spacing, axes)
    none = (np.empty(0),) * (3 - axes)
    weights = [(*none, *(_weights(s / unit, unit, reach, s) for unit in units)) for s in scales]
    edges = tuple(_args.as_edge(m) for m in _args.per_axis(mode, axes, "mode"))
    return weights, _args.lift(edges, 0), as_whole_fill(cval, dtype)


class _Ridges:
    """The checked arguments that all measures share."""

    def __init__(
        self, image: Any, sigmas: Any, black_ridges: Any, mode: Any, cval: Any, truncate: Any,
        spacing: Any, out: Any, workers: Any,
    ) -> None:  # fmt: skip
        self.image, self.give = _arrays.adopt(image)
        self.dtype = _args.as_dtype(self.image, _args.REAL)
        self.axes = min(_args.as_ndim(self.image, 2), 3)
        self.weights, self.edges, self.fill = _settle(
            self.axes, self.dtype, key_of(sigmas), key_of(mode), cval, truncate, key_of(spacing)
        )
        self.bright = -1.0 if black_ridges else 1.0
        self.workers, self.out = _args.as_workers(workers), out

    def run(
        self, kind: int, alpha: float, beta: float, gamma: float | None = 1.0, dimension: int = 1,
        scaled: bool = False, share: bool = False,
    ) -> Any:  # fmt: skip
        """Return the largest measure of all scales, or its share of the largest anywhere.

        `gamma` None is half the largest norm. What is no more than rounding is nothing.
        """
        x = as_float_image(self.image)

        def measure(volume: Any, answer: Any) -> None:
            nowhere = _arrays.empty((0, 0, 0), volume.dtype, volume)
            rounding = _rounding(volume, self.workers) if gamma is None or share else 0.0
            found, norms = answer, nowhere
            if gamma is None:
                norms = _arrays.empty(volume.shape, volume.dtype, volume)
            for n, weights in enumerate(self.weights):
                how = (kind, self.bright, dimension, int(scaled), alpha, beta)
                more, rest = int(n > 0), (*self.edges, self.fill)
                if gamma is not None:
                    _ridge(volume, answer, nowhere, *weights, *how, gamma, more, *rest,
                           workers=self.workers)  # fmt: skip
                    continue
                # What is known without the largest norm, and then its share of the strength.
                found = _arrays.empty(volume.shape, volume.dtype, volume) if n == 1 else found
                _ridge(volume, found, norms, *weights, *how, 1.0, 0, *rest, workers=self.workers)
                top = _largest(norms, self.workers)
                c = math.inf if top <= rounding else 0.5 * top
                _strengthen(found, norms, answer, c, more, workers=self.workers)
            if share:
                _, top, _, _ = extremes(answer, workers=self.workers)
                divide(answer, top if top > rounding else math.inf)

        return _arrays.run_volumes(measure, x, self.out, x.dtype, self.give)


def frangi(
    image: Any,
    sigmas: Any = (1.0, 2.0, 3.0),
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float | None = None,
    black_ridges: bool = False,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return Frangi's vesselness: how much of a bright tube there is around each voxel.

    Parameters
    ----------
    image : array, shape ([..., planes,] rows, columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
        Axes before the last three are looped over.
    sigmas : float or sequence of float
        Standard deviations of the Gaussians, in voxels, or in the unit of `spacing`:
        about the radii of the tubes divided by the root of 2.
    alpha : float
        How far from a plate a tube has to be. Images of two axes have no plates.
    beta : float
        How far from a blob a tube may be.
    gamma : float, optional
        How strong a tube has to be, in the unit of the image; by default half of the
        largest norm of the Hessians of each scale.
    black_ridges : bool
        Look for dark tubes.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'} or one an axis
        What lies outside the image.
    cval : float
        The value outside when `mode` is 'constant'. Integer images take whole numbers
        of their type.
    truncate : float
        Where the kernels end, in standard deviations.
    spacing : float or one an axis, optional
        Length of a voxel.
    out : array, optional
        Where to write; of the answer's shape and type, not overlapping `image`.
    workers : int, optional
        At most this many threads.

    Returns
    -------
    array
        The largest of all scales, between 0 and 1, of the shape of `image`. float64 for
        float64 and int32 images, else float32.

    Raises
    ------
    TypeError
        If `image` has another type, or arrays are on two devices.
    ValueError
        If a parameter is out of its range, or has another length than there are axes.

    See Also
    --------
    objectness : the same for blobs and plates, as in ITK.
    sato, meijering : other measures of lines.

    Notes
    -----
    With the eigenvalues of the Hessian ordered by magnitude, ``|a| <= |b| <= |c|``::

        (1 - exp(-b**2 / c**2 / (2 alpha**2))) exp(-a**2 / |b c| / (2 beta**2))
        (1 - exp(-(a**2 + b**2 + c**2) / (2 gamma**2)))

    where b and c are negative, else 0; for images of two axes
    ``exp(-a**2 / c**2 / (2 beta**2)) (1 - exp(-(a**2 + c**2) / (2 gamma**2)))``.

    Derivatives are those of `gaussian_filter`, but second ones see nothing in a constant
    image. They are multiplied by sigma for each order, as in the paper [1]_ and ITK, so
    that scales compare. scikit-image 0.26 does not, so that it prefers the finest scale,
    and takes `gamma` from the first scale for all. NaN reaches as far as the kernel does.

    Without `gamma`, all voxels of a scale wait for the largest norm: takes one more volume
    of memory for the norms, and with several scales another for the rest of the measure.

    References
    ----------
    .. [1] Frangi, Niessen, Vincken, Viergever, "Multiscale vessel enhancement filtering",
       MICCAI 1998. https://doi.org/10.1007/BFb0056195

    Examples
    --------
    >>> x = np.zeros((5, 7))
    >>> x[:, 3] = 9
    >>> frangi(x, 1)[2].round(2)
    array([0.  , 0.  , 0.  , 0.86, 0.  , 0.  , 0.  ])
    """
    ridges = _Ridges(image, sigmas, black_ridges, mode, cval, truncate, spacing, out, workers)
    return ridges.run(
        OBJECT,
        _args.as_float(alpha, "alpha", above=0),
        _args.as_float(beta, "beta", above=0),
        None if gamma is None else _args.as_float(gamma, "gamma", above=0),
    )


def objectness(
    image: Any,
    sigmas: Any = (1.0, 2.0, 3.0),
    *,
    object_dimension: int = 1,
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float | None = 5.0,
    scale_objectness: bool = True,
    black_ridges: bool = False,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return how much of a bright ball, tube or plate there is around each voxel.

    Parameters
    ----------
    image, sigmas, black_ridges, mode, cval, truncate, spacing, out, workers
        As in `frangi`.
    object_dimension : int
        0 for balls, 1 for tubes, 2 for plates; less than the image has axes.
    alpha : float
        How far from objects of more dimensions an object has to be.
    beta : float
        How far from objects of fewer dimensions it may be.
    gamma : float or None
        As in `frangi`.
    scale_objectness : bool
        Multiply by the eigenvalue of the largest magnitude.

    Returns
    -------
    array
        The largest of all scales, of the shape and type that `frangi` gives.

    Raises
    ------
    TypeError, ValueError
        As in `frangi`.

    Notes
    -----
    Antiga's generalisation of Frangi's measure [1]_, with the names and defaults of ITK's
    ``MultiScaleHessianBasedMeasureImageFilter``, which takes recursive Gaussians. For
    tubes, unscaled, it is `frangi`.

    A NaN reaches as far as the kernels do.

    References
    ----------
    .. [1] Antiga, "Generalizing vesselness with respect to dimensionality and shape",
       Insight Journal 2007. https://hdl.handle.net/1926/576

    Examples
    --------
    >>> x = np.zeros((7, 7))
    >>> x[3, 3] = 9
    >>> objectness(x, 1, object_dimension=0)[3].round(3)
    array([0.   , 0.   , 0.   , 0.098, 0.   , 0.   , 0.   ])
    """
    ridges = _Ridges(image, sigmas, black_ridges, mode, cval, truncate, spacing, out, workers)
    dimension = _args.as_int(object_dimension, "object_dimension", 0)
    if dimension >= ridges.axes:
        raise ValueError(f"object_dimension must be less than {ridges.axes}; got {dimension}")
    return ridges.run(
        OBJECT,
        _args.as_float(alpha, "alpha", above=0),
        _args.as_float(beta, "beta", above=0),
        None if gamma is None else _args.as_float(gamma, "gamma", above=0),
        dimension,
        bool(scale_objectness),
    )


def sato(
    image: Any,
    sigmas: Any = (1.0, 2.0, 3.0),
    *,
    alpha1: float = 0.5,
    alpha2: float = 2.0,
    black_ridges: bool = False,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return Sato's measure of lines: how sharply an image falls to all sides of one.

    Parameters
    ----------
    image, sigmas, black_ridges, mode, cval, truncate, spacing, out, workers
        As in `frangi`.
    alpha1 : float
        How much a line may be curved downwards along itself, as at the end of one.
    alpha2 : float
        How much a line may be curved upwards along itself.

    Returns
    -------
    array
        The largest of all scales, in the unit of the image, of the shape and type that
        `frangi` gives.

    Raises
    ------
    TypeError, ValueError
        As in `frangi`.

    Notes
    -----
    With eigenvalues ``a >= b >= c`` of a Hessian multiplied by ``sigma**2``, ``-b`` times
    ``exp(-a**2 / (2 (alpha b)**2))`` where b is negative, else 0; alpha is `alpha1` for
    negative a, else `alpha2`: the measure of the first paper [1]_, as in ITK. Images of
    two axes have a and c only, which takes the place of b. scikit-image gives the
    geometric mean of b and c instead, without a.

    A NaN reaches as far as the kernels do.

    References
    ----------
    .. [1] Sato, Nakajima, Atsumi, Koller, Gerig, Yoshida, Kikinis, "3D multi-scale line
       filter for segmentation and visualization of curvilinear structures in medical
       images", CVRMed 1997. https://doi.org/10.1007/BFb0029240

    Examples
    --------
    >>> x = np.zeros((5, 7))
    >>> x[:, 3] = 9
    >>> sato(x, 1)[2].round(2)
    array([0.  , 0.  , 0.  , 3.59, 0.  , 0.  , 0.  ])
    """
    ridges = _Ridges(image, sigmas, black_ridges, mode, cval, truncate, spacing, out, workers)
    return ridges.run(
        SATO,
        _args.as_float(alpha1, "alpha1", above=0),
        _args.as_float(alpha2, "alpha2", above=0),
    )


def meijering(
    image: Any,
    sigmas: Any = (1.0, 2.0, 3.0),
    *,
    alpha: float | None = None,
    black_ridges: bool = False,
    mode: str | Sequence[str] = "reflect",
    cval: float = 0.0,
    truncate: float = 4.0,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Return Meijering's neuriteness: ridges, as a share of the strongest.

    Parameters
    ----------
    image, sigmas, black_ridges, mode, cval, truncate, spacing, out, workers
        As in `frangi`.
    alpha : float, optional
        The share of the other eigenvalues that is added to each; by default -1 / (axes + 1),
        for which the filter is flattest along a ridge.

    Returns
    -------
    array
        The largest of all scales, between 0 and 1, of the shape and type that `frangi`
        gives.

    Raises
    ------
    TypeError, ValueError
        As in `frangi`.

    Notes
    -----
    The eigenvalue of the largest magnitude, each with `alpha` times the others, where it
    is negative, else 0; divided by the largest of the image (of each volume). The paper
    [1]_ has one scale; here Hessians are multiplied by ``sigma**2``, so that scales
    compare. scikit-image divides each scale by its own largest, and its default is
    +1 / (axes + 1).

    A NaN reaches as far as the kernels do.

    References
    ----------
    .. [1] Meijering, Jacob, Sarria, Steiner, Hirling, Unser, "Design and validation of a
       tool for neurite tracing and analysis in fluorescence microscopy images",
       Cytometry A 58:167-176, 2004. https://doi.org/10.1002/cyto.a.20022

    Examples
    --------
    >>> x = np.zeros((5, 7))
    >>> x[:, 3] = 9
    >>> meijering(x, 1)[2].round(2)
    array([0., 0., 0., 1., 0., 0., 0.])
    """
    ridges = _Ridges(image, sigmas, black_ridges, mode, cval, truncate, spacing, out, workers)
    weight = -1 / (ridges.axes + 1) if alpha is None else _args.as_float(alpha, "alpha")
    return ridges.run(MEIJERING, weight, 1.0, share=True)


def _largest(x: Any, workers: Any) -> float:
    _, top, nan, _ = extremes(x, workers=workers)
    return math.nan if nan else top


def _rounding(x: Any, workers: Any) -> float:
    """Return how large a second derivative of a constant may come out for its rounding."""
    low, high, _, _ = extremes(x, workers=workers)
    error = 4 * float(np.finfo(_args.dtype_name(x)).eps) * max(-low, high)
    return error if math.isfinite(error) else 0.0
