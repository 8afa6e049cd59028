"""Regions of a mask, kept or dropped by their size."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, Out, Scalar, kernel, prange
from ._connected_threshold import mask_type
from ._label import _label, as_connectivity, node_type, number


@kernel(dtypes=("uint8",))
def _keep_largest(x: In, y: Out, k: Scalar, least: Scalar, connectivity: Scalar) -> None:
    labels = np.empty(x.shape, np.int64)
    count = np.zeros(1, np.int64)
    number(x, labels, 0, connectivity, 0, count)
    sizes = np.zeros(count[0] + 1, np.int64)
    for at in range(x.shape[0]):
        for n in labels[at].ravel():
            sizes[n] += 1
    sizes[0] = 0
    kept = sizes >= least
    kept[0] = False
    if 0 < k < count[0]:
        order = np.argsort(-sizes, kind="mergesort")
        kept[order[k:]] = False
    for at in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                y[at, j, i] = kept[labels[at, j, i]]


@_keep_largest.on("cuda")
def _plan(gpu: Any, x: Any, y: Any, k: int, least: int, connectivity: int) -> None:
    labels = gpu.empty(x.shape, node_type(x.size))
    count = np.zeros(1, np.int64)
    _label.overrides["cuda"](gpu, x, labels, 0, connectivity, 0, count)
    kind, blocks = gpu.name_of(labels.dtype), gpu.blocks(x.size)
    device_sizes = gpu.zeros(int(count[0]) + 1, np.int64)
    gpu.launch(f"keep_sizes<{kind}>", blocks, 256, labels, device_sizes, x.size)
    sizes = gpu.get(device_sizes)
    kept = sizes >= least
    if 0 < k < count[0]:
        kept[np.argsort(-sizes, kind="stable")[k:]] = False
    kept[0] = False
    table = gpu.put(kept.astype(np.uint8))
    gpu.launch(f"keep_write<{kind}>", blocks, 256, labels, table, y, x.size)


@_keep_largest.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (rng.random(shape) < rng.choice([0.2, 0.5, 0.9])).astype(dtype)
    return (
        x,
        np.empty(shape, np.uint8),
        int(rng.integers(4)),
        int(rng.integers(5)),
        int(rng.integers(1, 4)),
    )


def keep_largest(
    mask: Any, k: int = 1, *, connectivity: int = 1, out: Any = None, workers: int | None = None
) -> Any:
    """Keep the largest connected regions of a mask.

    Parameters
    ----------
    mask : array of bool or uint8, shape ([..., planes,] [rows,] columns)
        What is not zero is inside.
    k : int
        How many regions to keep, at least 1.
    connectivity : int
        Voxels are neighbours if they differ by one along at most this many axes.
    out : array, optional
        Where to write; shape of `mask`, bool or uint8, not overlapping it.
    workers : int, optional
        Most threads to use.

    Returns
    -------
    array of bool
        True in the `k` largest regions, in all where there are fewer. Of regions with
        equally many voxels the one that begins first in raster order counts as larger.

    Raises
    ------
    ValueError
        If `k` is less than 1, or `connectivity` is not one of the axes' numbers.

    Notes
    -----
    As ``cc3d.largest_k(mask, k, connectivity=...) > 0`` where no two sizes are equal.

    Examples
    --------
    >>> keep_largest(np.array([1, 1, 0, 1, 0, 1, 1, 1], bool)).astype(int)
    array([0, 0, 0, 0, 0, 1, 1, 1])
    """
    return _choose(mask, _args.as_int(k, "k", 1), 0, connectivity, out, workers)


def remove_small_objects(
    mask: Any,
    min_size: int = 64,
    *,
    connectivity: int = 1,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Remove the connected regions of a mask that have fewer than `min_size` voxels.

    Parameters
    ----------
    mask : array of bool or uint8, shape ([..., planes,] [rows,] columns)
        What is not zero is inside.
    min_size : int
        Voxels that a region needs to stay.
    connectivity : int
        Voxels are neighbours if they differ by one along at most this many axes.
    out : array, optional
        Where to write; shape of `mask`, bool or uint8, not overlapping it.
    workers : int, optional
        Most threads to use.

    Returns
    -------
    array of bool

    Raises
    ------
    ValueError
        If `min_size` is negative, or `connectivity` is not one of the axes' numbers.

    Notes
    -----
    As `skimage.morphology.remove_small_objects` for masks, before its version 0.26, which takes
    away regions of `min_size` voxels too. There an array of integers
    holds labels, and sizes are counted by label; here it is a mask as well.

    Examples
    --------
    >>> remove_small_objects(np.array([1, 1, 0, 1, 0, 1, 1, 1], bool), 2).astype(int)
    array([1, 1, 0, 0, 0, 1, 1, 1])
    """
    return _choose(mask, 0, _args.as_int(min_size, "min_size", 0), connectivity, out, workers)


def _choose(mask: Any, k: int, least: int, connectivity: Any, out: Any, workers: Any) -> Any:
    x, give = _arrays.adopt(mask, "mask")
    _args.as_dtype(x, _args.MASK, "mask")
    near = as_connectivity(connectivity, min(_args.as_ndim(x, name="mask"), 3), default=1)
    threads = _args.as_workers(workers)

    def run(volume: Any, answer: Any) -> None:
        _keep_largest(volume.view(np.uint8), answer.view(np.uint8), k, least, near, workers=threads)

    return _arrays.run_volumes(run, x, out, mask_type(out), give)
