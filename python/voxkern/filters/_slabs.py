"""Slab after slab of a volume, to tell how far a long call is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _arrays
from .._edge import WRAP


def by_slabs(
    run: Callable[[Any, Any], None], volume: Any, answer: Any, reach: int, edge: int,
    told: Callable[[int, int], object] | None,
) -> None:  # fmt: skip
    """Write ``run(volume, answer)`` slab after slab, each with the planes its voxels look at.

    All at once where nobody is told, and where the first planes look at the last.
    """
    reach += 1  # as far as mirrored ones look back
    planes = volume.shape[0]
    deep = planes if told is None or edge == WRAP else max(16, 4 * reach)
    if deep >= planes:
        run(volume, answer)
    else:
        for first in range(0, planes, deep):
            last, low = min(first + deep, planes), max(first - reach, 0)
            part = volume[low : min(last + reach, planes)]
            found = _arrays.empty(part.shape, answer.dtype, answer)
            run(part, found)
            _arrays.assign(answer[first:last], found[first - low : last - low])
            if told is not None and last < planes:
                told(last, planes)
    if told is not None:
        told(planes, planes)
