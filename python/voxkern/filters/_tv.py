"""Total variation denoising."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListOut, Out, Scalar, Vec3, kernel, prange

Array = TypeVar("Array")

_WHY = "float32 images are worked on in float32, and lanes add up in an order of their own"


@kernel(dtypes=_args.REAL, exact=False, rtol=1e-5, atol=2e-6, why=_WHY)
def _tv_project(
    x: In, pz: Out, py: Out, px: Out, u: Out, energy: ListOut, scale: Vec3, weight: Scalar,
    step: Scalar,
) -> None:  # fmt: skip
    # `scale` is one over the squares of the lengths of a voxel; the field is divided by them.
    for i in range(0, energy.size, 2):  # a step
        moved = _inflow(pz, py, px)
        u[...] = x + moved
        slopes = _slopes(x + moved)
        length = np.sqrt(sum(s * g**2 for s, g in zip(scale, slopes, strict=True)))
        energy[i], energy[i + 1] = (moved**2).sum(), length.sum()
        for p, s, slope in zip((pz, py, px), scale, slopes, strict=True):
            p[...] = (p - step * s * slope) / (1 + step / weight * length)


def _inflow(pz: Any, py: Any, px: Any) -> Any:
    """Return minus the divergence of a field."""
    total = np.zeros(pz.shape)
    for axis, p in enumerate((pz, py, px)):
        total -= np.diff(p.astype(np.float64), axis=axis, prepend=0)
    return total


def _slopes(u: Any) -> list[Any]:
    """Return forward differences along each axis, 0 at the end."""
    last = [np.take(u, [-1], a) for a in range(3)]
    return [np.diff(u.astype(np.float64), axis=a, append=last[a]) for a in range(3)]


@_tv_project.on("numba")
def _project_by_planes(
    x: Any, pz: Any, py: Any, px: Any, u: Any, energy: Any, scale: Any, weight: float, step: float
) -> None:
    planes, rows, columns = x.shape
    sz, sy, sx = scale
    for done in range(0, energy.size, 2):
        moved, long = np.zeros(planes), np.zeros(planes)
        for k in prange(planes):
            for j in range(rows):
                for i in range(columns):
                    d = _flown(pz, py, px, k, j, i)
                    u[k, j, i] = x[k, j, i] + d
                    moved[k] += d * d
        for k in prange(planes):
            for j in range(rows):
                for i in range(columns):
                    here = u[k, j, i]
                    a = u[min(k + 1, planes - 1), j, i] - here
                    b = u[k, min(j + 1, rows - 1), i] - here
                    c = u[k, j, min(i + 1, columns - 1)] - here
                    length = math.sqrt(sz * a * a + sy * b * b + sx * c * c)
                    long[k] += length
                    cut = 1 + step / weight * length
                    pz[k, j, i] = (pz[k, j, i] - step * sz * a) / cut
                    py[k, j, i] = (py[k, j, i] - step * sy * b) / cut
                    px[k, j, i] = (px[k, j, i] - step * sx * c) / cut
        energy[done], energy[done + 1] = np.sum(moved), np.sum(long)


def _flown(pz: Any, py: Any, px: Any, k: int, j: int, i: int) -> float:
    """Return minus the divergence of a field at a voxel."""
    d = -float(pz[k, j, i]) - py[k, j, i] - px[k, j, i]
    if k > 0:
        d += pz[k - 1, j, i]
    if j > 0:
        d += py[k, j - 1, i]
    if i > 0:
        d += px[k, j, i - 1]
    return d


@_tv_project.on("cuda")
def _plan_project(
    gpu: Any, x: Any, pz: Any, py: Any, px: Any, u: Any, energy: Any, scale: Any, weight: float,
    step: float,
) -> None:  # fmt: skip
    blocks = min(-(-x.size // 1024), 2048)
    parts, total = gpu.empty(2 * blocks, np.float64), gpu.empty(2, np.float64)
    kind, real = gpu.name_of(x.dtype), gpu.name_of(u.dtype)
    for i in range(0, energy.size, 2):
        gpu.launch(f"tv_image<{kind},{real}>", blocks, 256, x, pz, py, px, u, parts, x.shape)
        gpu.launch(
            f"tv_project<{real}>", blocks, 256, pz, py, px, u, parts, x.shape, scale,
            float(weight), float(step),
        )  # fmt: skip
        gpu.launch("add_parts", 2, 256, parts, total, blocks, 2)
        energy[i : i + 2] = gpu.get(total)


def _example_field(rng: np.random.Generator, shape: Any, real: Any) -> list[Any]:
    field = [rng.standard_normal(shape).astype(real) for _ in range(3)]
    field[0][-1], field[1][:, -1], field[2][:, :, -1] = 0, 0, 0
    return field


def _example_scale(rng: np.random.Generator) -> tuple[float, float, float]:
    return ((1.0, 1.0, 1.0), (0.25, 2.0, 1.0))[int(rng.integers(2))]


@_tv_project.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: Any) -> tuple[Any, ...]:
    x = (10 * rng.random(shape)).astype(dtype)
    real = _args.float_dtype(dtype)
    energy = np.zeros(2 * int(rng.integers(1, 4)))
    u = np.zeros(shape, real)
    return x, *_example_field(rng, shape, real), u, energy, _example_scale(rng), 2.5, 1 / 8


@kernel(dtypes=_args.FLOAT, exact=False, atol=2e-6, why=_WHY)
def _tv_dual(
    ahead: In, pz: Out, py: Out, px: Out, scale: Vec3, weight: Scalar, step: Scalar
) -> None:
    parts = zip((pz, py, px), scale, _slopes(ahead), strict=True)
    field = [p + step * s * g for p, s, g in parts]
    square = sum(p**2 / s for p, s in zip(field, scale, strict=True))
    cut = np.maximum(np.sqrt(square) / weight, 1)
    for p, moved in zip((pz, py, px), field, strict=True):
        p[...] = moved / cut


@_tv_dual.on("numba")
def _dual_by_planes(
    ahead: Any, pz: Any, py: Any, px: Any, scale: Any, weight: float, step: float
) -> None:
    planes, rows, columns = ahead.shape
    sz, sy, sx = scale
    for k in prange(planes):
        for j in range(rows):
            for i in range(columns):
                here = ahead[k, j, i]
                a = pz[k, j, i] + step * sz * (ahead[min(k + 1, planes - 1), j, i] - here)
                b = py[k, j, i] + step * sy * (ahead[k, min(j + 1, rows - 1), i] - here)
                c = px[k, j, i] + step * sx * (ahead[k, j, min(i + 1, columns - 1)] - here)
                cut = max(math.sqrt(a * a / sz + b * b / sy + c * c / sx) / weight, 1.0)
                pz[k, j, i] = a / cut
                py[k, j, i] = b / cut
                px[k, j, i] = c / cut


@_tv_dual.on("cuda")
def _plan_dual(
    gpu: Any, ahead: Any, pz: Any, py: Any, px: Any, scale: Any, weight: float, step: float
) -> None:
    name = f"tv_dual<{gpu.name_of(ahead.dtype)}>"
    shape = ahead.shape
    gpu.launch(
        name, gpu.blocks(ahead.size), 256, ahead, pz, py, px, shape, scale, float(weight),
        float(step),
    )  # fmt: skip


@_tv_dual.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    ahead = (10 * rng.random(shape)).astype(dtype)
    return ahead, *_example_field(rng, shape, dtype), _example_scale(rng), 2.5, 0.3


@kernel(dtypes=_args.REAL, exact=False, rtol=1e-5, atol=2e-6, of="image", why=_WHY)
def _tv_primal(
    x: In, pz: In, py: In, px: In, u: Out, ahead: Out, change: ListOut, step: Scalar,
    beyond: Scalar,
) -> None:  # fmt: skip
    was = u.astype(np.float64)
    now = (was + step * (x - _inflow(pz, py, px))) / (1 + step)
    u[...], ahead[...] = now, now + beyond * (now - was)
    change[0] = ((now - was) ** 2).sum()


@_tv_primal.on("numba")
def _primal_by_planes(
    x: Any, pz: Any, py: Any, px: Any, u: Any, ahead: Any, change: Any, step: float, beyond: float
) -> None:
    parts = np.zeros(x.shape[0])
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                was = float(u[k, j, i])
                aim = x[k, j, i] - _flown(pz, py, px, k, j, i)
                now = (was + step * aim) / (1 + step)
                u[k, j, i] = now
                ahead[k, j, i] = now + beyond * (now - was)
                parts[k] += (now - was) ** 2
    change[0] = np.sum(parts)


@_tv_primal.on("cuda")
def _plan_primal(
    gpu: Any, x: Any, pz: Any, py: Any, px: Any, u: Any, ahead: Any, change: Any, step: float,
    beyond: float,
) -> None:  # fmt: skip
    blocks = min(-(-x.size // 1024), 2048)
    parts, total = gpu.empty(blocks, np.float64), gpu.empty(1, np.float64)
    name = f"tv_primal<{gpu.name_of(x.dtype)},{gpu.name_of(u.dtype)}>"
    gpu.launch(
        name, blocks, 256, x, pz, py, px, u, ahead, parts, x.shape, float(step), float(beyond)
    )
    gpu.launch("add_parts", 1, 256, parts, total, blocks, 1)
    change[...] = gpu.get(total)


@_tv_primal.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (10 * rng.random(shape)).astype(dtype)
    real = _args.float_dtype(dtype)
    u = (10 * rng.random(shape)).astype(real)
    return x, *_example_field(rng, shape, real), u, np.zeros(shape, real), np.zeros(1), 0.4, 0.8


@_arrays.silent
def denoise_tv(
    image: Array,
    weight: float = 0.1,
    eps: float = 2e-4,
    max_iter: int = 200,
    method: str = "chambolle",
    *,
    spacing: Any = None,
    progress: Callable[[int, int], object] | bool | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Array:
    """Find the image that is near this one and has the shortest edges.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Image of type uint8, int16, uint16, int32, float32 or float64, on any device.
    weight : float
        How much edges cost, in the unit of the image times that of `spacing`: more of it
        smooths more.
    eps : float
        When to stop; see Notes.
    max_iter : int
        Steps to take at most.
    method : {'chambolle', 'chambolle-pock'}
        Chambolle's projection, or the accelerated primal-dual method, which comes nearer to
        the solution in fewer steps.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis; 1 by default.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, max_iter)`` after each
        step of each volume.
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
        If `weight`, `eps` or `spacing` is not positive, `max_iter` less than 1, or `method`
        not listed.

    Notes
    -----
    The answer `u` for an image `x` minimises ``sum((u - x)**2) / 2 + weight * sum(|grad
    u|)`` [1]_, with forward differences that end at the border. 'chambolle' [2]_ takes
    scikit-image's steps and stops where it does: when ``sum((u - x)**2) + weight *
    sum(|grad u|)`` changes by less than `eps` times what it was at first. scikit-image
    divides integers by their largest value before, so that its `weight` means something
    else for them. 'chambolle-pock' [3]_ stops when the root mean square change of `u` is
    less than `eps` times that of its first step. Of an image of four axes each volume is
    denoised for itself. NaN spreads.

    Three volumes in floats are kept besides the answer; four for 'chambolle-pock'.

    Takes a volume of memory for each axis, for the dual field.

    References
    ----------
    .. [1] L. I. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal
       algorithms", Physica D 60:259-268, 1992. https://doi.org/10.1016/0167-2789(92)90242-F
    .. [2] A. Chambolle, "An algorithm for total variation minimization and applications",
       Journal of Mathematical Imaging and Vision 20:89-97, 2004.
       https://doi.org/10.1023/B:JMIV.0000011325.36760.1e
    .. [3] A. Chambolle, T. Pock, "A first-order primal-dual algorithm for convex problems",
       Journal of Mathematical Imaging and Vision 40:120-145, 2011.
       https://doi.org/10.1007/s10851-010-0251-1

    Examples
    --------
    >>> x = np.array([0, 1, 0, 1, 9, 8, 9, 8], np.float32)
    >>> denoise_tv(x, 2, 1e-9, 2000).round(2)
    array([1., 1., 1., 1., 8., 8., 8., 8.], dtype=float32)
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    ndim = _args.as_ndim(x)
    last = min(ndim, 3)
    weight = _args.as_float(weight, "weight", above=0)
    eps = _args.as_float(eps, "eps", above=0)
    max_iter = _args.as_int(max_iter, "max_iter", 1)
    steep = [1 / s**2 for s in _args.as_spacing(spacing, last)]
    if method not in ("chambolle", "chambolle-pock"):
        raise ValueError(f"method must be 'chambolle' or 'chambolle-pock'; got {method!r}")
    workers = _args.as_workers(workers)
    told = _args.as_progress(progress, "denoise_tv")
    solve = _project if method == "chambolle" else _primal_dual
    scale = (steep[0], 1.0, steep[1]) if last == 2 else _args.lift(tuple(steep), 1.0)
    answer_type = _args.float_dtype(dtype)

    def run(volume: Any, answer: Any) -> None:
        if last == 2:  # planes are what the work is split by
            _, rows, columns = volume.shape
            volume, answer = volume.reshape(rows, 1, columns), answer.reshape(rows, 1, columns)
        field = [_arrays.empty(answer.shape, answer_type, answer) for _ in range(3)]
        for p in field:
            p[...] = 0
        for done in solve(volume, answer, field, scale, weight, eps, max_iter, sum(steep), workers):
            if told is not None:
                told(done, max_iter)

    return _arrays.run_volumes(run, x, out, answer_type, give)


def _project(
    x: Any, u: Any, field: Any, scale: Any, weight: float, eps: float, most: int, steep: float,
    workers: Any,
) -> Any:  # fmt: skip
    """Take Chambolle's steps until the energy is settled, and yield their number."""
    sums, first, before, change, done = np.zeros(4), 0.0, 0.0, math.inf, 0

    def take(steps: int) -> None:
        step = 1 / (2 * steep)
        _tv_project(x, *field, u, sums[: 2 * steps], scale, weight, step, workers=workers)

    while done < most:
        # Two at a time, unless the first of them may be the last.
        steps = 1 if done + 1 == most or change < 4 * eps * first else 2
        take(steps)
        for i in range(steps):
            energy = (sums[2 * i] + weight * sums[2 * i + 1]) / x.size
            done += 1
            yield done
            if done == 1:
                first = energy
            else:
                change = abs(before - energy)
            before = energy
            if change < eps * first:
                if i + 1 < steps:  # the first was the last after all
                    for p in field:
                        p[...] = 0
                    for n in range(0, done, 2):
                        take(min(2, done - n))
                return


def _primal_dual(
    x: Any, u: Any, field: Any, scale: Any, weight: float, eps: float, most: int, steep: float,
    workers: Any,
) -> Any:  # fmt: skip
    """Take the accelerated steps of Chambolle and Pock, and yield their number."""
    ahead = _arrays.empty(u.shape, u.dtype, u)
    u[...], ahead[...] = x, x
    # The square of the norm of the gradient is at most 4 an axis, over its spacing squared.
    primal = dual = 1 / math.sqrt(4 * steep)
    change, first = np.zeros(1), 0.0
    for done in range(1, most + 1):
        _tv_dual(ahead, *field, scale, weight, dual, workers=workers)
        beyond = 1 / math.sqrt(1 + 2 * primal)
        _tv_primal(x, *field, u, ahead, change, primal, beyond, workers=workers)
        primal, dual = primal * beyond, dual / beyond
        yield done
        now = math.sqrt(change[0])
        if done == 1:
            first = now
        if now <= eps * first:
            return
