"""How much two segmentations overlap."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import _args, _arrays
from ._pair import as_empty, as_pair

_PIECE = 1 << 17  # voxels: pieces of both masks and what is made of them stay in the cache


@_arrays.cpu_only
def dice(pred: Any, ref: Any, *, labels: Any = None, empty: float | str = "nan") -> Any:
    r"""Return the Dice coefficient of two segmentations.

    Parameters
    ----------
    pred, ref : array of bool or integers, of one shape
        What was found, and the truth, in the memory of the CPU.
    labels : int or sequence of int, optional
        Compare the voxels of each of these values; without it, those that are not 0.
    empty : float or 'nan'
        The answer where both are empty.

    Returns
    -------
    float, or array of float64
        One value, or one for each of `labels` if that is a sequence.

    Raises
    ------
    TypeError
        If `pred` or `ref` is neither of bool nor of integers, or on a GPU.
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

    return _measure(of, pred, ref, labels, empty)


@_arrays.cpu_only
def jaccard(pred: Any, ref: Any, *, labels: Any = None, empty: float | str = "nan") -> Any:
    r"""Return the Jaccard index of two segmentations: intersection over union.

    Parameters
    ----------
    pred, ref : array of bool or integers, of one shape
        What was found, and the truth, in the memory of the CPU.
    labels : int or sequence of int, optional
        Compare the voxels of each of these values; without it, those that are not 0.
    empty : float or 'nan'
        The answer where both are empty.

    Returns
    -------
    float, or array of float64
        One value, or one for each of `labels` if that is a sequence.

    Raises
    ------
    TypeError
        If `pred` or `ref` is neither of bool nor of integers, or on a GPU.
    ValueError
        If their shapes differ.

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

    return _measure(of, pred, ref, labels, empty)


@_arrays.cpu_only
def volume_similarity(
    pred: Any, ref: Any, *, labels: Any = None, empty: float | str = "nan"
) -> Any:
    """Return by how much `pred` is larger than `ref`, relative to their mean volume.

    Parameters
    ----------
    pred, ref : array of bool or integers, of one shape
        What was found, and the truth, in the memory of the CPU.
    labels : int or sequence of int, optional
        Compare the voxels of each of these values; without it, those that are not 0.
    empty : float or 'nan'
        The answer where both are empty.

    Returns
    -------
    float, or array of float64
        One value, or one for each of `labels` if that is a sequence.

    Raises
    ------
    TypeError
        If `pred` or `ref` is neither of bool nor of integers, or on a GPU.
    ValueError
        If their shapes differ.

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

    return _measure(of, pred, ref, labels, empty)


def _measure(of: Any, pred: Any, ref: Any, labels: Any, empty: Any) -> Any:
    p, r = as_pair(pred, ref)
    nothing = as_empty(empty)
    several = isinstance(labels, Iterable) and not isinstance(labels, str)
    several = several and getattr(labels, "ndim", 1) > 0  # not an array of one number
    values = list(labels) if several else [labels]
    wanted = [None if v is None and not several else _args.as_int(v, "labels") for v in values]
    answers = [of(*n) if n[1] + n[2] else nothing for n in _counts(p, r, wanted).tolist()]
    return np.array(answers, np.float64) if several else answers[0]


def _counts(p: Any, r: Any, labels: list[int | None]) -> Any:
    """Return the voxels in both, in `p` and in `r` for each label; None is all but 0."""
    counts = np.zeros((len(labels), 3), np.int64)
    p, r = p.reshape(-1), r.reshape(-1)
    for at in range(0, p.size, _PIECE):
        a, b = p[at : at + _PIECE], r[at : at + _PIECE]
        for label, count in zip(labels, counts, strict=True):
            in_a = a != 0 if label is None else a == label
            in_b = b != 0 if label is None else b == label
            count[1] += np.count_nonzero(in_a)
            count[2] += np.count_nonzero(in_b)
            in_a &= in_b
            count[0] += np.count_nonzero(in_a)
    return counts
