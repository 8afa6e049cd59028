"""Peaks and blobs."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench._agree import close, exact, to_numpy
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head, smooth_noise
from voxkern.bench._peers import load


@case("peak_local_max", distance=(1, 5))
def peaks(shape: Shape, dtype: str, distance: int) -> Work:
    """The peaks of smooth noise."""
    x = smooth_noise(shape).astype(dtype)
    work = Work((x,), lambda op, x: op(x, distance), agree=exact(), out=False)

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        feature = load("skimage.feature")
        return lambda: feature.peak_local_max(x, distance)

    return work


def _same_blobs(ours: Any, theirs: Any) -> str:
    a, b = (np.round(to_numpy(x).astype(np.float64), 3) for x in (ours, theirs))
    if a.shape != b.shape:
        return f"{len(a)} blobs, not {len(b)}"
    return close(1e-6)(a[np.lexsort(a.T)], b[np.lexsort(b.T)])


def _blobs(shape: Shape, dtype: str, name: str, largest: int, steps: float) -> Work:
    how = {"threshold": None, "threshold_rel": 0.3}
    work = Work(
        (head(shape, dtype),),
        lambda op, x: op(x, 1, largest, steps, **how),
        agree=_same_blobs,
        out=False,
    )

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        function = getattr(load("skimage.feature"), name)
        return lambda: function(x, 1, largest, steps, **how)

    return work


@case("blob_log", sigmas=(5,))
def blobs_by_laplacians(shape: Shape, dtype: str, sigmas: int) -> Work:
    """Blobs of a head, of five sizes."""
    return _blobs(shape, dtype, "blob_log", 5, sigmas)


@case("blob_dog", ratio=(1.6,))
def blobs_by_differences(shape: Shape, dtype: str, ratio: float) -> Work:
    """Blobs of a head, of five sizes."""
    return _blobs(shape, dtype, "blob_dog", 8, ratio)
