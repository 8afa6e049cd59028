"""How much two segmentations overlap."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListIn, ListOut, kernel, prange
from ._pair import as_empty, as_pair

# Types that the kernel takes; others of their width are read as these.
_AS = {1: "uint8", 2: "uint16", 4: "int32", 8: "int64"}
_TAKEN = ("bool", *_AS.values())
_ALL = np.zeros(0, np.int64)  # no labels: all but 0


@kernel(dtypes=("uint8", "uint16", "int32", "int64"))
def _overlap(p: In, r: In, labels: ListIn, counts: ListOut) -> None:
    for n in range(counts.size // 3):
        both, in_p, in_r = 0, 0, 0
        for k in prange(p.shape[0]):
            for j in range(p.shape[1]):
                for i in range(p.shape[2]):
                    if labels.size:
                        a, b = p[k, j, i] == labels[n], r[k, j, i] == labels[n]
                    else:
                        a, b = p[k, j, i] != 0, r[k, j, i] != 0
                    both += a and b
                    in_p += a
                    in_r += b
        counts[3 * n], counts[3 * n + 1], counts[3 * n + 2] = both, in_p, in_r


@_overlap.on("cuda")
def _plan(gpu: Any, p: Any, r: Any, labels: Any, counts: Any) -> None:
    found, sets = gpu.zeros(counts.size, np.int64), counts.size // 3
    gpu.launch(
        f"overlap<{gpu.name_of(p.dtype)},{gpu.name_of(r.dtype)}>",
        (min(sets, 4096), gpu.blocks(p.size, 2048, 1024)), 256,
        p, r, gpu.put(labels) if labels.size else None, found, p.size, sets,
    )  # fmt: skip
    counts[...] = gpu.get(found)


@_overlap.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    other = rng.choice(list(_AS.values()))
    p, r = rng.integers(0, 5, shape).astype(dtype), rng.integers(0, 5, shape).astype(other)
    labels = np.flatnonzero(rng.random(int(rng.choice([0, 5, 90]))) < 0.8)
    return p, r, labels, np.empty(3 * max(1, labels.size), np.int64)


def dice(
    pred: Any,
    ref: Any,
    *,
    labels: Any = None,
    empty: float | str = "nan",
    workers: int | None = None,
) -> Any:
    r"""Return the Dice coefficient of two segmentations.

    Parameters
    ----------
    pred, ref : array of bool or integers, of one shape
        What was found, and the truth, on the CPU or on a GPU.
    labels : int or sequence of int, optional
        Compare the voxels of each of these values; without it, those that are not 0.
    empty : float or 'nan'
        The answer where both are empty.
    workers : int, optional
        How many threads to use.

    Returns
    -------
    float, or array of float64
        One value, or one for each of `labels` if that is a sequence.

    Raises
    ------
    TypeError
        If `pred` or `ref` is neither of bool nor of integers, or they are on two devices.
    ValueError
        If their shapes differ.

    See Also
    --------
    jaccard, volume_similarity, surface_dice

    Notes
    -----
    :math:`2 |P \cap R| / (|P| + |R|)`, and 0 if just one of the masks is empty. SimpleITK's
    ``LabelOverlapMeasures`` without a label adds up over all labels, so that swapped labels count
    as wrong; here they do so with `labels` alone.

    Examples
    --------
    >>> dice(np.array([1, 1, 0, 0]), np.array([0, 1, 1, 0]))
    0.5
    >>> dice(np.array([1, 1, 2, 0]), np.array([1, 2, 2, 0]), labels=(1, 2, 3))
    array([0.66666667, 0.66666667,        nan])
    """

    def of(both: float, p: float, r: float) -> float:
        return 2 * both / (p + r)

    return _measure(of, pred, ref, labels, empty, workers)


def jaccard(
    pred: Any,
    ref: Any,
    *,
    labels: Any = None,
    empty: float | str = "nan",
    workers: int | None = None,
) -> Any:
    r"""Return the Jaccard index of two segmentations: intersection over union.

    Parameters
    ----------
    pred, ref, labels, empty, workers
        As in `dice`.

    Returns
    -------
    float, or array of float64
        One value, or one for each of `labels` if that is a sequence.

    Raises
    ------
    TypeError, ValueError
        As in `dice`.

    See Also
    --------
    dice : D = 2 J / (1 + J) of it.

    Notes
    -----
    :math:`|P \cap R| / |P \cup R|`, and 0 if just one of the masks is empty.

    Examples
    --------
    >>> jaccard(np.array([1, 1, 1, 0]), np.array([0, 1, 1, 1]))
    0.5
    """

    def of(both: float, p: float, r: float) -> float:
        return both / (p + r - both)

    return _measure(of, pred, ref, labels, empty, workers)


def volume_similarity(
    pred: Any,
    ref: Any,
    *,
    labels: Any = None,
    empty: float | str = "nan",
    workers: int | None = None,
) -> Any:
    """Return by how much `pred` is larger than `ref`, relative to their mean volume.

    Parameters
    ----------
    pred, ref, labels, empty, workers
        As in `dice`.

    Returns
    -------
    float, or array of float64
        One value, or one for each of `labels` if that is a sequence.

    Raises
    ------
    TypeError, ValueError
        As in `dice`.

    See Also
    --------
    dice : which also asks where the volumes are.

    Notes
    -----
    :math:`2 (|P| - |R|) / (|P| + |R|)` as in ITK: from -2 to 2, and 0 is best. Others call
    :math:`1 - ||P| - |R|| / (|P| + |R|)` by this name, of which 1 is best.

    Examples
    --------
    >>> volume_similarity(np.array([1, 1, 1, 0]), np.array([0, 1, 0, 0]))
    1.0
    """

    def of(both: float, p: float, r: float) -> float:
        return 2 * (p - r) / (p + r)

    return _measure(of, pred, ref, labels, empty, workers)


def _measure(of: Any, pred: Any, ref: Any, labels: Any, empty: Any, workers: Any) -> Any:
    p, r = as_pair(pred, ref)
    p, r = _arrays.rows_contiguous(p), _arrays.rows_contiguous(r)
    nothing, workers = as_empty(empty), _args.as_workers(workers)
    several = isinstance(labels, Iterable) and not isinstance(labels, str)
    several = several and getattr(labels, "ndim", 1) > 0  # not an array of one number
    values = list(labels) if several else [labels]
    wanted = [None if v is None and not several else _args.as_whole(v, "labels") for v in values]
    counts = _counts(p, r, wanted, workers).tolist()
    answers = [of(*n) if n[1] + n[2] else nothing for n in counts]
    return np.array(answers, np.float64) if several else answers[0]


def _counts(p: Any, r: Any, labels: list[Any], workers: int | None) -> Any:
    """Return the voxels in both, in `p` and in `r` for each label; None is all but 0."""
    if labels == [None]:
        return _run(_plain(p), _plain(r), _ALL, workers)
    counts = np.zeros((len(labels), 3), np.int64)
    in_p, in_r = ([_holds(x, v) for v in labels] for x in (p, r))
    if p.dtype == r.dtype:
        _add(counts, p, r, labels, in_p, [0, 1, 2], workers)
        return counts
    both = [a and b for a, b in zip(in_p, in_r, strict=True)]
    _add(counts, _widened(p), _widened(r), labels, both, [0, 1, 2], workers)
    _add(counts, p, p, labels, [a and not b for a, b in zip(in_p, both, strict=True)], [1], workers)
    _add(counts, r, r, labels, [a and not b for a, b in zip(in_r, both, strict=True)], [2], workers)
    return counts


def _add(
    counts: Any, p: Any, r: Any, labels: list[int], chosen: list[bool], kept: Any, workers: Any
) -> None:
    """Count the chosen labels, values of both arrays, and keep some of the three counts."""
    if not any(chosen):
        return
    dtype = np.dtype(_args.dtype_name(p)) if p.dtype == r.dtype else np.dtype(np.int64)
    values = np.array([v for v, yes in zip(labels, chosen, strict=True) if yes], dtype)
    if p.dtype == r.dtype:
        values = values.view(_AS[dtype.itemsize])
    each, place = np.unique(values.astype(np.int64), return_inverse=True)
    found = _run(_plain(p), _plain(r), each, workers)[place.ravel()]
    counts[np.ix_(np.flatnonzero(chosen), kept)] = found[:, kept]


def _run(p: Any, r: Any, labels: Any, workers: int | None) -> Any:
    rows = max(1, labels.size)
    total = np.zeros((rows, 3), np.int64)
    for a, b in _arrays.volumes(p, r) if p.size else ():
        part = np.empty(rows * 3, np.int64)
        _overlap(a, b, labels, part, workers=workers)
        total += part.reshape(rows, 3)
    return total


def _holds(x: Any, value: int) -> bool:
    """Return whether a voxel can have the value."""
    least, most = _args.limits(_args.dtype_name(x))
    return least <= value <= most


def _plain(x: Any) -> Any:
    """Return an array read as one of a type that the kernel takes."""
    return x if _args.dtype_name(x) in _TAKEN[1:] else x.view(_AS[x.itemsize])


def _widened(x: Any) -> Any:
    """Return an array of a type whose values the kernel takes for what they are.

    Beyond 2**63 they turn negative, where no other type has a label that is looked for.
    """
    name = _args.dtype_name(x)
    if name in _TAKEN:
        return x
    return x.astype("int32" if name in ("int8", "int16") else "int64")
