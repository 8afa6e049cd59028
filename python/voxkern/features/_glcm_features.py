"""The texture features of co-occurrence matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._glcm import glcm

AGGREGATIONS = ("3d-averaged", "3d-merged")


def glcm_features(
    image: Any,
    mask: Any = None,
    *,
    aggregation: str = "3d-averaged",
    distances: Any = (1,),
    levels: int | None = 32,
    bin_width: float | None = None,
    symmetric: bool = True,
    workers: int | None = None,
) -> dict[str, float]:
    """Measure texture by IBSI's 25 features of grey level co-occurrence.

    Parameters
    ----------
    image : array, shape ([planes,] [rows,] columns) or (levels, levels, distances, directions)
        An image, or what `glcm` returns; of the latter only `aggregation` is used.
    mask : array of bool or uint8, optional
        The region: where it is not zero.
    aggregation : {'3d-averaged', '3d-merged'}
        Features of each direction and distance, averaged; or those of the sum of all matrices.
    distances, levels, bin_width, symmetric, workers
        As in `glcm`.

    Returns
    -------
    dict of str to float
        By the names of the table below.

    Raises
    ------
    ValueError
        If `aggregation` is none of these, or the image, the mask or the levels do not fit.

    Notes
    -----
    IBSI's definitions [1]_, by its codes:

    ================================== ==== ================================== ====
    joint_maximum                      GYBY sum_entropy                        P6QZ
    joint_average                      60VM angular_second_moment              8ZQL
    joint_variance                     UR99 contrast                           ACUI
    joint_entropy                      TU9B dissimilarity                      8S9J
    difference_average                 TF7R inverse_difference                 IB1Z
    difference_variance                D3YU normalised_inverse_difference      NDRX
    difference_entropy                 NTRS inverse_difference_moment          WF0Z
    sum_average                        ZGXS normalised_inverse_diff_moment     1QCO
    sum_variance                       OEEB inverse_variance                   E8JP
    correlation                        NI2N autocorrelation                    QWB0
    cluster_tendency                   DG8W cluster_shade                      7NFM
    cluster_prominence                 AE86 information_correlation_1          R8DG
    information_correlation_2          JN9H
    ================================== ==== ================================== ====

    Directions without a pair are left out of the average; without any pair, as in a region of one
    voxel, every feature is NaN. Of a single level the correlation is 1 and the information
    correlations are 0, as in PyRadiomics.

    References
    ----------
    .. [1] A. Zwanenburg et al., "The Image Biomarker Standardization Initiative", Radiology
       295:328-338, 2020. https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> glcm_features(np.array([[1, 2], [2, 1]]), levels=None)["contrast"]
    0.5
    """
    if aggregation not in AGGREGATIONS:
        raise ValueError(
            f"aggregation must be one of {', '.join(AGGREGATIONS)}; got {aggregation!r}"
        )
    if isinstance(image, np.ndarray) and image.ndim == 4:
        if image.shape[0] != image.shape[1]:
            raise ValueError(f"image of four axes must be square matrices; got {image.shape}")
        if not (image >= 0).all():
            raise ValueError("image of four axes must be counts, none of them below 0")
        matrix = image
    else:
        matrix = glcm(
            image, mask, distances=distances, levels=levels, bin_width=bin_width,
            symmetric=symmetric, workers=workers,
        )  # fmt: skip
    n = matrix.shape[0]
    each = matrix.reshape(n * n, -1).T.reshape(-1, n, n).astype(np.float64)
    if aggregation == "3d-merged":
        each = each.sum(0, keepdims=True)
    sums = each.sum((1, 2))
    each = each[sums > 0] / sums[sums > 0, None, None]
    measured = [_features(p) for p in each] or [dict.fromkeys(_features(np.eye(1)), math.nan)]
    return {name: math.fsum(m[name] for m in measured) / len(measured) for name in measured[0]}


def _entropy(p: Any) -> float:
    some = p[p > 0]
    return float(-np.sum(some * np.log2(some)))


def _features(p: Any) -> dict[str, float]:
    """Return the features of one matrix of probabilities."""
    n = p.shape[0]
    i, j = np.arange(1.0, n + 1)[:, None], np.arange(1.0, n + 1)[None, :]
    level, apart = i[:, 0], np.abs(i - j)
    rows, columns = p.sum(1), p.sum(0)
    gaps = np.bincount(apart.astype(np.int64).ravel(), p.ravel(), n)
    sums = np.bincount((i + j).astype(np.int64).ravel(), p.ravel(), 2 * n + 1)
    gap, total = np.arange(float(n)), np.arange(2.0 * n + 1)
    mean_row, mean_column = float(level @ rows), float(level @ columns)
    spread_row = float((level - mean_row) ** 2 @ rows)
    spread_column = float((level - mean_column) ** 2 @ columns)
    mean_gap, mean_sum = float(gap @ gaps), float(total @ sums)
    around = total - mean_row - mean_column
    flat = min(np.count_nonzero(rows), np.count_nonzero(columns)) == 1

    joint, product = _entropy(p), rows[:, None] * columns
    both = product > 0
    logs = np.log2(product, where=both, out=np.zeros_like(p))
    cross, apart_entropy = -float(np.sum(p * logs)), -float(np.sum(product * logs))
    row_entropy = _entropy(rows)
    covariance = float(np.sum((i - mean_row) * (j - mean_column) * p))
    unlike = gap[1:]
    return {
        "joint_maximum": float(p.max()),
        "joint_average": mean_row,
        "joint_variance": spread_row,
        "joint_entropy": joint,
        "difference_average": mean_gap,
        "difference_variance": float((gap - mean_gap) ** 2 @ gaps),
        "difference_entropy": _entropy(gaps),
        "sum_average": mean_sum,
        "sum_variance": float((total - mean_sum) ** 2 @ sums),
        "sum_entropy": _entropy(sums),
        "angular_second_moment": float(np.sum(p * p)),
        "contrast": float(gap**2 @ gaps),
        "dissimilarity": mean_gap,
        "inverse_difference": float((1 / (1 + gap)) @ gaps),
        "normalised_inverse_difference": float((1 / (1 + gap / n)) @ gaps),
        "inverse_difference_moment": float((1 / (1 + gap**2)) @ gaps),
        "normalised_inverse_diff_moment": float((1 / (1 + gap**2 / n**2)) @ gaps),
        "inverse_variance": float((1 / unlike**2) @ gaps[1:]),
        "correlation": 1.0 if flat else covariance / math.sqrt(spread_row * spread_column),
        "autocorrelation": float(np.sum(i * j * p)),
        "cluster_tendency": float(around**2 @ sums),
        "cluster_shade": float(around**3 @ sums),
        "cluster_prominence": float(around**4 @ sums),
        "information_correlation_1": 0.0 if flat else (joint - cross) / row_entropy,
        "information_correlation_2": math.sqrt(
            max(0.0, 1 - math.exp(-2 * (apart_entropy - joint)))
        ),
    }
