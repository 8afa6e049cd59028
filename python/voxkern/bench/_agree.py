"""Ways to compare two answers. Each returns what is wrong, or an empty string."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Agree = Callable[[Any, Any], str]
Border = int | float | None


def to_numpy(answer: Any) -> NDArray[Any]:
    """Whatever a library returned, as a NumPy array without axes of length one at the front."""
    kind = type(answer).__module__.partition(".")[0]
    if kind == "SimpleITK":
        answer = sys.modules["SimpleITK"].GetArrayFromImage(answer)
    elif kind == "torch":
        answer = answer.detach().cpu().numpy()
    elif kind == "cupy":
        answer = answer.get()
    array = np.asarray(answer)
    while array.ndim > 3 and array.shape[0] == 1:
        array = array[0]
    return array


def inside(border: Border, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut `border` voxels off each side; a float is a part of the axis. One voxel stays."""
    if border is None:
        return list(arrays)
    widths = [int(border * n) if isinstance(border, float) else border for n in arrays[0].shape]
    pairs = zip(widths, arrays[0].shape, strict=True)
    cut = tuple(slice(w, n - w) for w, n in ((min(w, (n - 1) // 2), n) for w, n in pairs))
    return [a[cut] for a in arrays]


def exact(border: Border = None) -> Agree:
    """Equal values, `border` voxels away from the faces."""

    def agree(ours: Any, theirs: Any) -> str:
        a, b = to_numpy(ours), to_numpy(theirs)
        if a.shape != b.shape:
            return f"shape {a.shape} against {b.shape}"
        a, b = inside(border, a, b)
        wrong = int(np.count_nonzero(a != b))
        return f"{wrong} of {a.size} voxels differ" if wrong else ""

    return agree


def close(tolerance: float, border: Border = None) -> Agree:
    """No value further away than `tolerance` times the range of our answer."""

    def agree(ours: Any, theirs: Any) -> str:
        a, b = to_numpy(ours), to_numpy(theirs)
        if a.shape != b.shape:
            return f"shape {a.shape} against {b.shape}"
        a, b = inside(border, a, b)
        extent = float(np.ptp(a)) if a.size > 1 else float(np.abs(a).max())
        worst = float(np.abs(np.subtract(a, b, dtype=np.float64)).max())
        scale = extent or 1.0
        return "" if worst <= tolerance * scale else f"off by {worst / scale:.1e} of the range"

    return agree


def within(steps: float, border: Border = None) -> Agree:
    """No value further away than `steps`, in the unit of the image."""

    def agree(ours: Any, theirs: Any) -> str:
        a, b = inside(border, to_numpy(ours), to_numpy(theirs))
        worst = float(np.abs(np.subtract(a, b, dtype=np.float64)).max())
        return "" if worst <= steps else f"off by {worst:g}"

    return agree


def same_partition() -> Agree:
    """Equal regions, whatever numbers they carry."""

    def agree(ours: Any, theirs: Any) -> str:
        a, b = to_numpy(ours), to_numpy(theirs)
        if a.shape != b.shape:
            return f"shape {a.shape} against {b.shape}"
        there = np.zeros(int(a.max()) + 1, np.int64)
        back = np.zeros(int(b.max()) + 1, np.int64)
        there[a], back[b] = b, a
        wrong = int(np.count_nonzero(there[a] != b) + np.count_nonzero(back[b] != a))
        return f"{wrong} voxels in another region" if wrong else ""

    return agree
