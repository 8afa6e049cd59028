"""Volumes seen through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._host import host

_METHODS: dict[str, Callable[..., Any]] = {
    "max": np.max,
    "min": np.min,
    "mean": np.mean,
    "sum": np.sum,
}


def project(image: Any, axis: int = 0, method: str = "max") -> NDArray[Any]:
    """Look through an image along an axis.

    Parameters
    ----------
    image : array
        On any device.
    axis : int
        The axis that goes.
    method : {'max', 'min', 'mean', 'sum'}
        What is kept of each line: 'max' is the maximum intensity projection (MIP).

    Returns
    -------
    array
        One axis less; the type is NumPy's for the method.

    Raises
    ------
    ValueError
        If `method` is not known, or `axis` is not an axis of the image.

    Examples
    --------
    >>> project(np.array([[1, 5], [7, 2]]), axis=1)
    array([5, 7])
    """
    x = host(image)
    if method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(_METHODS)}; got {method!r}")
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis must be in [{-x.ndim}, {x.ndim}); got {axis}")
    seen: NDArray[Any] = _METHODS[method](x, axis=axis)
    return seen
