"""Charts, drawn with Matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._color import COLORS
from ._host import host

_INK = "#22303c"


def _figure(width: float, height: float) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("charts need Matplotlib: pip install 'voxkern[show]'") from None
    figure = Figure((width, height), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=_INK, labelsize=9)
    return figure, axes


def _hex(name: str) -> str:
    return "#{:02x}{:02x}{:02x}".format(*COLORS[name])


def histogram_figure(
    values: Mapping[str, Any],
    thresholds: Mapping[str, float] | None = None,
    *,
    bins: int = 128,
    unit: str = "intensity",
) -> Any:
    """Draw histograms with thresholds.

    Parameters
    ----------
    values : mapping of str to array
        What to count, by the name that the legend shows; up to seven.
    thresholds : mapping of str to float, optional
        Upright lines and their names.
    bins : int
        Bins over the range of all values.
    unit : str
        What the values are, under the axis.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If Matplotlib is missing.
    TypeError
        If `values` is no mapping.
    ValueError
        If there is nothing to count.
    """
    if not isinstance(values, Mapping):
        kind = type(values).__name__
        raise TypeError(f"values must be a mapping such as {{'first scan': image}}; got {kind}")
    arrays = {name: host(v, name).ravel().astype(np.float64) for name, v in values.items()}
    arrays = {name: v[np.isfinite(v)] for name, v in arrays.items()}
    if not arrays or not all(v.size for v in arrays.values()):
        raise ValueError("values must hold finite numbers")
    figure, axes = _figure(7.2, 3.1)
    low = min(v.min() for v in arrays.values())
    high = max(v.max() for v in arrays.values())
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    for color, (name, v) in zip(("blue", "vermilion", *COLORS), arrays.items(), strict=False):
        counts = np.histogram(v, edges)[0] / v.size * 100
        axes.stairs(counts, edges, label=name, color=_hex(color), linewidth=1.6)
        axes.stairs(counts, edges, fill=True, color=_hex(color), alpha=0.12)
    top = axes.get_ylim()[1] * 1.22
    for n, (name, at) in enumerate((thresholds or {}).items()):
        place = (at - edges[0]) / (edges[-1] - edges[0])
        left = place > (0.2 if n == 0 else 0.8)
        axes.axvline(at, color=_INK, linewidth=1, linestyle=("--", ":", "-.")[n % 3])
        axes.annotate(
            f"{name}\n{at:.3g}", (at, top), va="top", fontsize=9, color=_INK,
            ha="right" if left else "left",
            xytext=(-4 if left else 4, -2), textcoords="offset points",
        )  # fmt: skip
    axes.set(xlabel=unit, ylabel="voxels in a bin (%)", ylim=(0, top), xlim=(edges[0], edges[-1]))
    axes.legend(
        frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(arrays)
    )
    return figure


def times_figure(names: Sequence[str], seconds: Sequence[float]) -> Any:
    """Draw how long each stage took.

    Parameters
    ----------
    names : sequence of str
        The stages, in their order.
    seconds : sequence of float
        Their times.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If Matplotlib is missing.
    ValueError
        If the lengths differ, or there is no stage.
    """
    if not names or len(names) != len(seconds):
        raise ValueError(f"names and seconds must go together; got {len(names)}, {len(seconds)}")
    figure, axes = _figure(7.2, 0.9 + 0.27 * len(names))
    bars = axes.barh(range(len(names)), seconds, color=_hex("blue"), height=0.7)
    axes.bar_label(bars, [f"{s:.2f}" for s in seconds], padding=3, fontsize=9, color=_INK)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="time (s)", xlim=(0, 1.12 * max(max(seconds), 1e-3)))
    return figure
