"""Non-local means."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._edge import MIRROR, inside
from .._kernel import In, ListIn, Out, Scalar, Size, kernel, prange
from ._noise import estimate_sigma
from ._surround import surround

Array = TypeVar("Array")

_FAR = 1e150  # widths that have a square
_MOST = 255  # voxels of a patch, or of a search, along an axis

# How a distance becomes a weight: as voxkern/filters/nl_means.hpp has it.
CUT, STEPPED, PLAIN = 0, 1, 2


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=1e-5,
    why="float32 images are summed in float32, and Schraudolph's exponential has steps",
)
def _nl_means(
    x: In, y: Out, wz: ListIn, wy: ListIn, wx: ListIn, reach: Size, likeness: Scalar, noise: Scalar
) -> None:
    radii = [w.size // 2 for w in (wz, wy, wx)]
    halo = [r + s for r, s in zip(radii, reach, strict=True)]
    u = surround(x, halo, MIRROR)
    own = _weight(np.zeros(1), likeness)[0]
    value = x.astype(np.float64) ** (2 if likeness == PLAIN else 1)
    total, count = own * value, np.full(x.shape, own)
    for shift in np.ndindex(*(2 * r + 1 for r in reach)):
        t = [s - r for s, r in zip(shift, reach, strict=True)]
        if t == [0, 0, 0]:
            continue
        square = (
            _moved(u, x.shape, halo, radii, [0, 0, 0]) - _moved(u, x.shape, halo, radii, t)
        ) ** 2
        square -= noise * (likeness != PLAIN)
        distance, far = np.zeros(x.shape), np.zeros(x.shape, bool)
        for a in range(wz.size):
            far |= (distance > 5) & (likeness == STEPPED)
            for b, c in np.ndindex(wy.size, wx.size):
                part = square[a : a + x.shape[0], b : b + x.shape[1], c : c + x.shape[2]]
                weight = wz[a] * wy[b] * wx[c]
                distance = distance + (weight * part if weight else 0)
        if likeness == STEPPED:
            for axis, (n, s) in enumerate(zip(x.shape, t, strict=True)):
                place = np.arange(n).reshape([-1 if i == axis else 1 for i in range(3)]) + s
                far |= (place < 0) | (place >= n)
        near = (distance <= (5 if likeness == CUT else 80)) & ~far
        weight = np.where(near, _weight(np.where(near, distance, 0), likeness), 0)
        v = _moved(u, x.shape, halo, [0, 0, 0], t) ** (2 if likeness == PLAIN else 1)
        total += np.where(weight > 0, weight * v, 0)
        count += weight
    mean = total / count
    y[...] = np.sqrt(np.where(mean < noise, 0, mean - noise)) if likeness == PLAIN else mean


def _moved(u: Any, shape: Any, halo: Any, radii: Any, t: Any) -> Any:
    """Return the voxels of an image with a halo, and `radii` more, as seen from `t` away."""
    return u[
        tuple(
            slice(h - r + s, h + r + s + n)
            for n, h, r, s in zip(shape, halo, radii, t, strict=True)
        )
    ]


def _weight(distance: Any, likeness: int) -> Any:
    """Return the exponential of minus the distance, or Schraudolph's idea of it."""
    if likeness == PLAIN:
        return np.exp(-np.maximum(distance, 0))
    steps = (-1512775.3951951856938 * np.maximum(distance, 0)).astype(np.int32)
    return ((steps + 127 * 2**20 - 60801) * 8).astype(np.int32).view(np.float32).astype(np.float64)


@_nl_means.on("numba")
def _by_voxels(
    x: Any, y: Any, wz: Any, wy: Any, wx: Any, reach: Any, likeness: int, noise: float
) -> None:
    planes, rows, columns = x.shape
    oz, oy, ox = wz.size // 2, wy.size // 2, wx.size // 2
    hz, hy, hx = oz + reach[0], oy + reach[1], ox + reach[2]
    u = np.empty((planes + 2 * hz, rows + 2 * hy, columns + 2 * hx), y.dtype)
    for k in prange(u.shape[0]):
        for j in range(u.shape[1]):
            for i in range(u.shape[2]):
                kk, jj = inside(k - hz, planes, MIRROR), inside(j - hy, rows, MIRROR)
                u[k, j, i] = x[kk, jj, inside(i - hx, columns, MIRROR)]
    for line in prange(planes * rows):
        k, j = line // rows, line % rows
        total, count, distance = np.empty(columns), np.empty(columns), np.empty(columns)
        far = np.empty(columns, np.bool_)
        for i in range(columns):
            v = float(u[k + hz, j + hy, i + hx])
            count[i] = 1.0 if likeness == PLAIN else 0.9710078239440918
            total[i] = count[i] * (v * v if likeness == PLAIN else v)
        for a in range(-reach[0], reach[0] + 1):
            for b in range(-reach[1], reach[1] + 1):
                if likeness == STEPPED and not (0 <= k + a < planes and 0 <= j + b < rows):
                    continue
                for c in range(-reach[2], reach[2] + 1):
                    if a == 0 and b == 0 and c == 0:
                        continue
                    for i in range(columns):
                        distance[i] = 0.0
                        far[i] = likeness == STEPPED and not 0 <= i + c < columns
                    for p in range(wz.size):
                        for i in range(columns):
                            far[i] |= likeness == STEPPED and distance[i] > 5.0
                        for q in range(wy.size):
                            one = u[k + reach[0] + p, j + reach[1] + q]
                            two = u[k + reach[0] + p + a, j + reach[1] + q + b]
                            for r in range(wx.size):
                                weight = wz[p] * wy[q] * wx[r]
                                if weight == 0.0:
                                    continue
                                less = noise if likeness != PLAIN else 0.0
                                for i in range(columns):
                                    d = one[i + reach[2] + r] - two[i + reach[2] + r + c]
                                    distance[i] += weight * (d * d - less)
                    moved = u[k + hz + a, j + hy + b]
                    for i in range(columns):
                        d = distance[i]
                        if far[i] or not d <= (5.0 if likeness == CUT else 80.0):
                            continue
                        if d < 0.0:
                            d = 0.0
                        v = float(moved[i + hx + c])
                        if likeness == PLAIN:
                            weight = math.exp(-d)
                            v = v * v
                        else:
                            # The bits of a float, read as a number: 2^e (1 + m).
                            bits = int(-1512775.3951951856938 * d) + 127 * 2**20 - 60801
                            part = (bits & (2**20 - 1)) / 2.0**20
                            weight = 2.0 ** (bits // 2**20 - 127) * (1.0 + part)
                        total[i] += weight * v
                        count[i] += weight
        for i in range(columns):
            mean = total[i] / count[i]
            if likeness == PLAIN:
                mean = 0.0 if mean < noise else math.sqrt(mean - noise)
            y[k, j, i] = mean


@_nl_means.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, wz: Any, wy: Any, wx: Any, reach: Any, likeness: int, noise: float
) -> None:
    name = f"nl_means<{gpu.name_of(x.dtype)},{gpu.name_of(y.dtype)}>"
    radii = tuple(w.size // 2 for w in (wz, wy, wx))
    tables = [gpu.put(w) for w in (wz, wy, wx)]
    gpu.launch(
        name, gpu.blocks(x.size, 128), 128, x, y, *tables, x.shape, radii, reach, likeness,
        float(noise),
    )  # fmt: skip


@_nl_means.example
def _example(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (100 + 20 * rng.standard_normal(shape)).astype(dtype)
    answer = np.zeros(shape, _args.float_dtype(dtype))
    if dtype.startswith("float"):
        x[rng.random(shape) < 0.02] = np.nan
    likeness = int(rng.integers(3))
    sizes = ((3, 3, 3), (1, 3, 5), (3, 5, 1))[int(rng.integers(3))]
    weights = _patch(sizes, 25.0, likeness)
    return x, answer, *weights, (1, 2, 1), likeness, 2.0 * 15**2


def _patch(sizes: tuple[int, ...], h: float, likeness: int) -> list[np.ndarray]:
    """Return the weights of a patch along each axis, whose product is divided by h squared."""
    weights, h = [], min(max(h, 1 / _FAR), _FAR)  # else its square is no number
    for size in sizes:
        place = np.arange(-(size // 2), size // 2 + 1)
        if likeness == CUT and size > 1:
            w = np.where(place > -(size // 2), 1.0, 0.0) / size
        elif likeness == STEPPED and size > 1:
            w = np.exp(-(place**2) / (2 * ((size - 1) / 4) ** 2))
            w /= w.sum()
        else:
            w = np.full(size, 1.0 / size)
        weights.append(w)
    weights[0] = weights[0] / (h * h)
    return weights


def denoise_nl_means(
    image: Array,
    patch_size: Any = 5,
    patch_distance: Any = 6,
    h: float | None = None,
    sigma: Any = 0.0,
    *,
    rician: bool = False,
    fast: bool = True,
    spacing: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Average the voxels whose surroundings look alike.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    patch_size : int or tuple of int
        Voxels along each axis of the patches that are compared; even numbers are
        raised by one.
    patch_distance : int or tuple of int
        How far, in voxels along each axis, the patches are looked for.
    h : float, optional
        How different patches may be, in the unit of the image: weights fall to ``1 / e``
        where the root mean square difference is `h`. By default 0.8 times the noise, 0.6
        times where `fast` is false, and 1.19 times where `rician` is true.
    sigma : float or array
        Standard deviation of the noise, one for the image or one for each volume of it.
        What it adds to the distances is taken off. If 0 nothing is, and a default `h`
        goes by `estimate_sigma`.
    rician : bool
        Take the noise for Rician, as that of magnitude images of MRI is: average squares
        and take off ``2 sigma**2``, the bias of the noise.
    fast : bool
        Whether all voxels of a patch count alike, or those near its centre for more.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis. A single `patch_size` or `patch_distance` then
        counts the shortest voxels, and reaches as far along the other axes, to the nearest
        voxel.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, planes)`` after each
        slab of every volume, of 32 planes and more (rows, of a single plane).
    out : array, optional
        Where to write: of the answer's type, not overlapping `image`.
    workers : int, optional
        How many threads a CPU call may use. The answer does not depend on it.

    Returns
    -------
    array
        Same shape and device as `image`: float64 for int32 and float64, else float32.

    Raises
    ------
    TypeError
        If `image` or `out` is of a type that is not listed.
    ValueError
        If `patch_size`, `patch_distance`, `h`, `sigma` or `spacing` do not fit, or Rician
        noise is asked for with ``fast=False``.

    See Also
    --------
    estimate_sigma : the noise of an image.
    denoise_bilateral : compare voxels, not patches.

    Notes
    -----
    The weight of another voxel is ``exp(-d)``, where `d` is the mean of the squared
    differences between the two patches, less ``2 sigma**2`` each, over ``h**2``. The
    three definitions are those of well-known implementations:

    - ``fast=True`` is scikit-image's ``fast_mode``: boxes that lack their first plane, row
      and column though still divided by their full size, nothing where ``d > 5``, and
      Schraudolph's [3]_ exponential, up to 6 % off.
    - ``fast=False`` is its other mode: a patch is weighted by a Gaussian with standard
      deviation ``(patch_size - 1) / 4``, and voxels outside the image are not looked for.
      Distances beyond 80 weigh nothing here, while scikit-image's exponential goes astray
      beyond 709.
    - ``rician=True`` is DIPY's ``classic`` with ``patch_radius=patch_size // 2``,
      ``block_radius=patch_distance + patch_size // 2`` and
      ``h = 2**0.25 * sigma``: whole boxes, the exponential, no `sigma` in `d`.

    Outside the image lies its mirror about the outermost voxels. Pairs of patches are
    compared once, by sums over boxes along each axis [2]_. A patch that holds NaN is like
    no other: its voxel stays as it is.

    References
    ----------
    .. [1] A. Buades, B. Coll, J.-M. Morel, "A non-local algorithm for image denoising",
       CVPR 2:60-65, 2005. https://doi.org/10.1109/CVPR.2005.38
    .. [2] J. Darbon et al., "Fast nonlocal filtering applied to electron cryomicroscopy",
       ISBI 1331-1334, 2008. https://doi.org/10.1109/ISBI.2008.4541250
    .. [3] N. N. Schraudolph, "A fast, compact approximation of the exponential function",
       Neural Computation 11:853-862, 1999. https://doi.org/10.1162/089976699300016467
    .. [4] P. Coupe et al., "An optimized blockwise nonlocal means denoising filter for 3-D
       magnetic resonance images", IEEE Transactions on Medical Imaging 27:425-441, 2008.
       https://doi.org/10.1109/TMI.2007.906087

    Examples
    --------
    >>> x = np.array([[0, 9, 1, 10], [1, 10, 0, 9], [0, 9, 1, 10], [1, 10, 0, 9]])
    >>> denoise_nl_means(x.astype(np.uint8), 3, 2, h=1).round(1)[1]
    array([0.5, 9.6, 0.4, 9.5], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    last = min(ndim, 3)
    sizes = tuple(s + 1 - s % 2 for s in _args.as_size(patch_size, last, "patch_size"))
    reach = tuple(
        _args.as_int(r, "patch_distance", 0)
        for r in _args.per_axis(patch_distance, last, "patch_distance")
    )
    if spacing is not None:
        steps = _args.as_spacing(spacing, last)
        if np.ndim(patch_size) == 0:
            sizes = tuple(2 * r + 1 for r in _as_far(sizes[0] // 2, steps))
        if np.ndim(patch_distance) == 0:
            reach = _as_far(reach[0], steps)
    for name, most in (("patch_size", max(sizes)), ("patch_distance", max(reach))):
        if most > _MOST:
            raise ValueError(f"{name} must be at most {_MOST}; got {most}")
    if h is not None:
        h = _args.as_float(h, "h", above=0)
    if rician and not fast:
        raise ValueError("rician must be False with fast=False; got True")
    noises = _as_sigma(sigma, x.shape[:-3])
    workers = _args.as_workers(workers)
    told = _args.as_progress(progress, "denoise_nl_means")
    likeness = PLAIN if rician else CUT if fast else STEPPED
    share = {CUT: 0.8, STEPPED: 0.6, PLAIN: 2**0.25}[likeness]
    # The first axis of a plane is the one whose steps count: it becomes that of a volume.
    at = (0, 2) if last == 2 else tuple(range(3 - last, 3))
    box, far = [1, 1, 1], [0, 0, 0]
    for axis, size, r in zip(at, sizes, reach, strict=True):
        box[axis], far[axis] = size, r
    turn = iter(noises)

    def run(volume: Any, answer: Any) -> None:
        noise = next(turn)
        width = h
        if width is None:
            width = share * (noise or float(estimate_sigma(volume, workers=workers)))
            if not width:  # nothing varies
                _arrays.assign(answer, volume)
                return
        weights = _patch(tuple(box), width, likeness)
        if last == 2:
            volume, answer = _upright(volume), _upright(answer)
        rest = (*weights, tuple(far), likeness, 2 * noise**2)
        if told is None:
            _nl_means(volume, answer, *rest, workers=workers)
        else:
            _by_slabs(volume, answer, rest, told, workers)

    return _arrays.run_volumes(run, x, out, _args.float_dtype(dtype), give)


def _as_far(voxels: int, steps: tuple[float, ...]) -> tuple[int, ...]:
    """Return how many voxels along each axis are as long as some of the shortest."""
    return tuple(round(voxels * min(steps) / step) for step in steps)


def _by_slabs(volume: Any, answer: Any, rest: Any, progress: Any, workers: Any) -> None:
    """Do slab after slab, each with what its voxels look at on both sides."""
    planes = volume.shape[0]
    halo = rest[0].size // 2 + rest[3][0]
    deep = max(32, 4 * halo)
    for first in range(0, planes, deep):
        last, low = min(first + deep, planes), max(first - halo, 0)
        part = volume[low : min(last + halo, planes)]
        found = _arrays.empty(part.shape, answer.dtype, answer)
        _nl_means(part, found, *rest, workers=workers)
        _arrays.assign(answer[first:last], found[first - low : last - low])
        progress(last, planes)


def _upright(volume: Any) -> Any:
    """Return a volume of one plane as one of many planes of a row."""
    _, rows, columns = volume.shape
    return volume.reshape(rows, 1, columns)


def _as_sigma(sigma: Any, leading: tuple[int, ...]) -> list[float]:
    """Return the noise of each volume."""
    try:
        given = np.broadcast_to(_args.as_numbers(sigma, "sigma"), leading)
    except ValueError:
        raise ValueError(
            f"sigma must be one number or one for each volume, {leading}; got {np.shape(sigma)}"
        ) from None
    found = [_args.as_float(s, "sigma", 0) for s in given.ravel()] or [0.0]
    if max(found) > _FAR:
        raise ValueError(f"sigma must be at most {_FAR:g}; got {max(found)}")
    return found
