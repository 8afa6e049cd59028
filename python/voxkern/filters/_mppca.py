"""Denoising by what many measurements of a voxel have in common."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .. import _args, _arrays


@_arrays.cpu_only
def denoise_mppca(
    image: Any,
    patch_radius: Any = 2,
    *,
    axis: int = 0,
    mask: Any = None,
    return_sigma: bool = False,
    progress: Callable[[int, int], object] | bool | None = None,
    workers: int | None = None,
) -> Any:
    """Take out of a series of volumes what looks like noise to random matrix theory.

    Parameters
    ----------
    image : array, shape (volumes, planes, rows, columns)
        A series, such as the directions of a diffusion scan, in the memory of the CPU.
    patch_radius : int or tuple of int
        Voxels from the centre to the border of the windows that are looked at together;
        an axis of one voxel has none. A window should hold more voxels than there are
        volumes.
    axis : int
        The axis of the volumes: 0, or 3 for arrays of (columns, rows, planes, volumes).
    mask : array of bool or uint8, optional
        Where it is not zero, windows are centred. The answer is 0 elsewhere.
    return_sigma : bool
        Return a map of the noise, too.
    progress : callable or bool, optional
        True draws a bar on stderr; else called as ``progress(done, rows)`` after each row
        of windows.
    workers : int, optional
        How many threads to use. The answer does not depend on it.

    Returns
    -------
    denoised : array
        Same shape as `image`: float64 for int32 and float64, else float32. Not negative.
    sigma : array
        With ``return_sigma=True``: the standard deviation of the noise of each voxel.

    Raises
    ------
    TypeError
        If `image` is on a GPU, or not of a real type.
    ValueError
        If `image` has not four axes, or a window does not fit into it.

    Notes
    -----
    The covariance of the volumes over a window has eigenvalues of which noise makes the
    smallest, spread as Marchenko and Pastur say. What lies below ``(1 + sqrt(volumes /
    voxels))**2`` times their mean is taken out [1]_. A voxel's answer is the mean over all
    windows that it lies in, weighted by ``1 / (1 + components kept)`` [2]_. This is DIPY's
    ``mppca``, in float64 throughout.

    Takes tens of MB of memory a thread, for the windows of a row of voxels.

    References
    ----------
    .. [1] J. Veraart et al., "Denoising of diffusion MRI using random matrix theory",
       NeuroImage 142:394-406, 2016. https://doi.org/10.1016/j.neuroimage.2016.08.016
    .. [2] J. V. Manjon et al., "Diffusion weighted image denoising using overcomplete local
       PCA", PLoS ONE 8:e73021, 2013. https://doi.org/10.1371/journal.pone.0073021

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clean = np.multiply.outer(np.linspace(1, 2, 20), 50 + 10 * rng.random((8, 8, 8)))
    >>> noisy = clean + rng.normal(0, 5, clean.shape)
    >>> print(round(np.std(denoise_mppca(noisy) - clean), 1))
    1.3
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _args.REAL)
    _arrays.need_cpu(image=x)
    _args.as_ndim(x, 4, 4)
    volumes = _args.as_axis(axis, 4)
    u = np.ascontiguousarray(np.moveaxis(x, volumes, -1), dtype=np.float64)
    shape, count = u.shape[:3], u.shape[3]
    if not count:
        raise ValueError("image must have a volume at least; got none")
    radii = tuple(
        0 if n == 1 else _args.as_int(r, "patch_radius", 0)
        for r, n in zip(_args.per_axis(patch_radius, 3, "patch_radius"), shape, strict=True)
    )
    size = tuple(2 * r + 1 for r in radii)
    if any(s > n for s, n in zip(size, shape, strict=True)) or max(size) == 1:
        raise ValueError(
            f"patch_radius must give windows of more than one voxel that fit into {shape}; "
            f"got {patch_radius!r}"
        )
    where = np.ones(shape, bool) if mask is None else _args.as_truths(mask, "mask")
    if where.shape != shape:
        raise ValueError(f"mask must have shape {shape}; got {where.shape}")
    threads = _args.as_workers(workers)
    told = _args.as_progress(progress, "denoise_mppca")
    if not np.isfinite(u).all():
        raise ValueError("image must be finite; it has NaN or infinity")
    windows = sliding_window_view(u, size, axis=(0, 1, 2))
    centres = where[tuple(slice(r, n - r) for r, n in zip(radii, shape, strict=True))]
    rows = [(k, j) for k in range(windows.shape[0]) for j in range(windows.shape[1])]
    total, weights, power = np.zeros(u.shape), np.zeros(shape), np.zeros(shape)

    def look(row: tuple[int, int]) -> Any:
        here = np.flatnonzero(centres[row])
        if not here.size:
            return here, None, None, None
        # Windows, the voxels of each, volumes.
        part = windows[row][here].reshape(here.size, count, -1).transpose(0, 2, 1)
        return here, *_estimate(part)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for done, (row, found) in enumerate(zip(rows, pool.map(look, rows), strict=True)):
            here, estimate, share, variance = found
            if here.size:
                estimate = estimate.reshape(here.size, *size, count)
                for o in np.ndindex(size):
                    at = (row[0] + o[0], row[1] + o[1], here + o[2])
                    total[at] += share[:, None] * estimate[:, o[0], o[1], o[2]]
                    weights[at] += share
                    power[at] += share * variance
            if told is not None:
                told(done + 1, len(rows))
    seen = where & (weights > 0)
    answer = np.where(where[..., None], u, 0)
    answer[seen] = total[seen] / weights[seen][:, None]
    np.maximum(answer, 0, out=answer)
    real = _args.float_dtype(dtype)
    denoised = np.ascontiguousarray(np.moveaxis(answer, -1, volumes), dtype=real)
    result = denoised if give is None else give(denoised)
    if not return_sigma:
        return result
    sigma = np.zeros(shape, real)
    sigma[seen] = np.sqrt(power[seen] / weights[seen])
    return result, (sigma if give is None else give(sigma))


def _estimate(part: Any) -> tuple[Any, Any, Any]:
    """Return windows without their noise, their weights, and the variance of the noise."""
    voxels, count = part.shape[1:]
    mean = part.mean(1, keepdims=True)
    centred = part - mean
    covariance = centred.transpose(0, 2, 1) @ centred / voxels
    values, vectors = np.linalg.eigh(covariance)
    # Those that are 0 for want of voxels say nothing.
    known = np.maximum(values[:, -min(count, voxels - 1) :], 0)
    number = np.arange(1, known.shape[1] + 1)
    means = np.cumsum(known, 1) / number
    noise = known - known[:, :1] - 4 * np.sqrt(number / voxels) * means <= 0
    last = known.shape[1] - 1 - np.argmax(noise[:, ::-1], 1)
    variance = means[np.arange(len(last)), last]
    limit = (1 + np.sqrt(count / voxels)) ** 2 * variance
    kept = values >= limit[:, None]
    vectors = vectors * kept[:, None, :]
    estimate = (centred @ vectors) @ vectors.transpose(0, 2, 1) + mean
    return estimate, 1 / (1 + kept.sum(1)), variance
