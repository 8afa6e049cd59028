"""How far the surfaces of two segmentations are apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _args, _arrays
from ..morphology import NEITHER, WITHOUT, binary_erosion, combine, neighbours
from ..regions import distance_transform_edt
from ._pair import as_empty, as_pair

_SMALL = 1 << 12  # voxels that are not worth a look for the box around the masks


def hausdorff_distance(
    pred: Any,
    ref: Any,
    *,
    percentile: float = 100,
    definition: str = "max-directed",
    points: str = "surface",
    spacing: Any = None,
    connectivity: int = 1,
    empty: float | str = "nan",
    workers: int | None = None,
) -> float:
    r"""Return the Hausdorff distance of two masks, or a percentile of it.

    Parameters
    ----------
    pred, ref : array of bool or integers, of one shape of up to three axes
        What was found, and the truth; what is not zero is inside.
    percentile : float
        100 is the largest distance, 95 the usual robust one.
    definition : {'max-directed', 'union'}
        Take the percentile of each mask's distances to the other and of both the larger,
        or the percentile of all distances together. They are equal at 100.
    points : {'surface', 'mask'}
        Measure between the voxels at the surfaces, or between all voxels.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis.
    connectivity : int
        A voxel is at the surface if one of its neighbours is outside, or would be beyond the
        image: neighbours differ along at most so many axes.
    empty : float or 'nan'
        The answer where both masks are empty. If just one is, it is infinite.
    workers : int, optional
        How many threads to use.

    Returns
    -------
    float
        In the unit of `spacing`.

    Raises
    ------
    TypeError
        If `pred` or `ref` is neither of bool nor of integers, or they are on two devices.
    ValueError
        If the shapes differ, or another argument is not one of those above.

    See Also
    --------
    average_surface_distance, surface_dice

    Notes
    -----
    With :math:`d(p, R)` the distance of a point of `pred` to the nearest of `ref`, and
    :math:`P_q` the percentile with linear interpolation, 'max-directed' is
    :math:`\max(P_q \{d(p, R)\}, P_q \{d(r, P)\})` as in MONAI, and 'union' is
    :math:`P_q(\{d(p, R)\} \cup \{d(r, P)\})` as in MedPy. SimpleITK takes all voxels, as
    `points` does with 'mask': a body in the hollow of another is farther from it in its middle
    than at its surface. `skimage.metrics.hausdorff_distance` knows no spacing.

    Examples
    --------
    >>> pred, ref = np.zeros((2, 9), bool), np.zeros((2, 9), bool)
    >>> pred[:, 1:4], ref[:, 1:6] = True, True
    >>> hausdorff_distance(pred, ref, spacing=(1, 0.5))
    1.0
    """
    there, back = _distances(pred, ref, spacing, connectivity, workers, points)
    q = _args.as_float(percentile, "percentile")
    if not 0 <= q <= 100:
        raise ValueError(f"percentile must be in [0, 100]; got {percentile!r}")
    if definition not in ("max-directed", "union"):
        raise ValueError(f"definition must be 'max-directed' or 'union'; got {definition!r}")
    nothing = as_empty(empty)
    if not there.size or not back.size:
        return math.inf if there.size or back.size else nothing
    parts = [np.concatenate((there, back))] if definition == "union" else [there, back]
    return max(float(part.max() if q == 100 else np.percentile(part, q)) for part in parts)


def average_surface_distance(
    pred: Any,
    ref: Any,
    *,
    symmetric: bool = True,
    spacing: Any = None,
    connectivity: int = 1,
    empty: float | str = "nan",
    workers: int | None = None,
) -> float:
    r"""Return the mean distance between the surfaces of two masks.

    Parameters
    ----------
    pred, ref : array of bool or integers, of one shape of up to three axes
        What was found, and the truth; what is not zero is inside.
    symmetric : bool
        Average over the voxels of both surfaces, or over those of `pred` alone.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis.
    connectivity : int
        A voxel is at the surface if one of its neighbours is outside, or would be beyond the
        image: neighbours differ along at most so many axes.
    empty : float or 'nan'
        The answer where both masks are empty. If just one is, it is infinite.
    workers : int, optional
        How many threads to use.

    Returns
    -------
    float
        In the unit of `spacing`.

    Raises
    ------
    TypeError
        If `pred` or `ref` is neither of bool nor of integers, or they are on two devices.
    ValueError
        If the shapes differ, or another argument does not fit.

    See Also
    --------
    hausdorff_distance, surface_dice

    Notes
    -----
    The symmetric one is :math:`(\sum_p d(p, R) + \sum_r d(r, P)) / (|P| + |R|)` over surface
    voxels, as in MONAI: larger surfaces weigh more, while others take the mean of the two means.
    SimpleITK's average Hausdorff distance is another thing: over all voxels of a mask, where those
    inside both count as zero.

    Examples
    --------
    >>> pred, ref = np.zeros(9, bool), np.zeros(9, bool)
    >>> pred[1:4], ref[1:6] = True, True
    >>> average_surface_distance(pred, ref)
    1.0
    """
    there, back = _distances(pred, ref, spacing, connectivity, workers)
    nothing = as_empty(empty)
    if not there.size or not back.size:
        return math.inf if there.size or back.size else nothing
    total, count = there.sum(dtype=np.float64), there.size
    if symmetric:
        total, count = total + back.sum(dtype=np.float64), count + back.size
    return float(total / count)


def surface_dice(
    pred: Any,
    ref: Any,
    tolerance: float,
    *,
    spacing: Any = None,
    connectivity: int = 1,
    empty: float | str = "nan",
    workers: int | None = None,
) -> float:
    """Return how much of the surfaces of two masks is within a tolerance of the other.

    Parameters
    ----------
    pred, ref : array of bool or integers, of one shape of up to three axes
        What was found, and the truth; what is not zero is inside.
    tolerance : float
        The distance up to which a surface voxel counts as right, in the unit of `spacing`.
    spacing : float or tuple of float, optional
        Length of a voxel along each axis.
    connectivity : int
        A voxel is at the surface if one of its neighbours is outside, or would be beyond the
        image: neighbours differ along at most so many axes.
    empty : float or 'nan'
        The answer where both masks are empty. If just one is, it is 0.
    workers : int, optional
        How many threads to use.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    TypeError
        If `pred` or `ref` is neither of bool nor of integers, or they are on two devices.
    ValueError
        If the shapes differ, `tolerance` is negative, or another argument does not fit.

    See Also
    --------
    hausdorff_distance, average_surface_distance

    Notes
    -----
    The normalised surface distance: the share of surface voxels of both masks whose distance to
    the other's surface is at most `tolerance`, as in MONAI. Every voxel counts once. DeepMind's
    ``surface-distance`` weighs pieces of a surface between voxels by their area, which gives
    other numbers: 0.60 for 0.49 on a pair of small boxes.

    Examples
    --------
    >>> pred, ref = np.zeros(9, bool), np.zeros(9, bool)
    >>> pred[1:4], ref[1:6] = True, True
    >>> surface_dice(pred, ref, 1)
    0.5
    """
    limit = _args.as_float(tolerance, "tolerance", 0)
    there, back = _distances(pred, ref, spacing, connectivity, workers)
    nothing = as_empty(empty)
    if not there.size or not back.size:
        return 0.0 if there.size or back.size else nothing
    # Distances are rounded to float32; the tolerance is taken there, so that 0.3 is within 0.3.
    with np.errstate(over="ignore"):
        most = np.float32(limit)
    near = np.count_nonzero(there <= most) + np.count_nonzero(back <= most)
    return float(near / (there.size + back.size))


def _distances(
    pred: Any, ref: Any, spacing: Any, connectivity: int, workers: Any, points: str = "surface"
) -> tuple[Any, Any]:
    """Return the distances of the points of `pred` to those of `ref`, and back."""
    p, r = as_pair(pred, ref, 3)
    _args.as_spacing(spacing, p.ndim)
    near = _args.as_int(connectivity, "connectivity", 1)
    if near > p.ndim:
        raise ValueError(f"connectivity must be in [1, {p.ndim}] for {p.ndim} axes; got {near}")
    if points not in ("surface", "mask"):
        raise ValueError(f"points must be 'surface' or 'mask'; got {points!r}")
    workers = _args.as_workers(workers)
    if type(p) is not np.ndarray:
        return _on_device(p, r, spacing, near if points == "surface" else 0)
    both = np.array([p, r], bool)
    if p.size > _SMALL:
        both = _cropped(both)
    if points == "surface":
        both = _surfaces(both, near, workers)
    p, r = both
    counts = np.count_nonzero(p), np.count_nonzero(r)
    if not all(counts):
        return np.zeros(counts[0]), np.zeros(counts[1])
    beyond_p, beyond_r = ~both
    there = distance_transform_edt(beyond_r, spacing=spacing, workers=workers)[p]
    back = distance_transform_edt(beyond_p, spacing=spacing, workers=workers)[r]
    return there, back


def _on_device(p: Any, r: Any, spacing: Any, connectivity: int) -> tuple[Any, Any]:
    """Return the same of masks on a GPU, where all but the distances stays."""
    masks, distances = [], []
    for x in (p, r):
        mask = x.astype(bool)
        if connectivity:
            inner = binary_erosion(mask, neighbours(x.ndim, connectivity))
            mask = combine(mask, inner, inner, WITHOUT, None)
        beyond = combine(mask, mask, _arrays.empty(x.shape, bool, x), NEITHER, None)
        masks.append(mask)
        distances.append(distance_transform_edt(beyond, spacing=spacing))
    return _arrays.chosen(distances[1], masks[0]), _arrays.chosen(distances[0], masks[1])


def _cropped(both: Any) -> Any:
    """Return both masks within the smallest box that holds them."""
    either = both[0] | both[1]
    box = [slice(None)]
    for axis in range(either.ndim):
        others = tuple(a for a in range(either.ndim) if a != axis)
        filled = np.flatnonzero(either.any(others))
        if not filled.size:
            return both[:, :0]
        box.append(slice(filled[0], filled[-1] + 1))
        either = either[(slice(None),) * axis + (box[-1],)]
    return both[tuple(box)]


def _surfaces(both: Any, connectivity: int, workers: int | None) -> Any:
    """Return the voxels of each mask with a neighbour outside it."""
    _, *shape = both.shape
    near = neighbours(len(shape), connectivity)[(None,) * (3 - len(shape))]
    volumes = both.reshape(2, *_args.lift(tuple(shape), 1))
    return both > binary_erosion(volumes, near, workers=workers).reshape(both.shape)
