"""An image and what lies around it, for rules that look over the edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._edge import CONSTANT, inside


def surround(x: Any, reach: Sequence[int], edge: int, fill: float = 0.0) -> Any:
    """Return `x` in float64 with `reach` more voxels on either side of each axis."""
    if edge == CONSTANT:
        return np.pad(
            x.astype(np.float64), [(r, r) for r in reach], mode="constant", constant_values=fill
        )
    where = [
        np.array([inside(i, n, edge) for i in range(-r, n + r)])
        for n, r in zip(x.shape, reach, strict=True)
    ]
    return x[np.ix_(*where)].astype(np.float64)
