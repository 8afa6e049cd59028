"""The pictures of the report, each ready to stand in a page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import show
from ..image import Image

if TYPE_CHECKING:
    from ._chain import Work
    from ._enhance import Enhanced

WIDTH = 340  # pixels of the longest side of a picture
MARGIN = 10.0  # mm around the brain
WINDOW = (0.0, 125.0)  # of enhanced scans, in percent of bright tissue
FOUND, TRUE = show.COLORS["orange"], show.COLORS["sky"]

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Photo:
    """A picture as a data URI, and its width in pixels."""

    uri: str
    width: int


class View:
    """Volumes on the first scan's grid, seen as radiologists see them, cut to the brain."""

    def __init__(self, work: Work) -> None:
        self.like = work.first
        brain = self._turned(work.enhanced[0].brain)
        self.spacing = brain.spacing
        where = [np.flatnonzero(brain.data.any(axis=o)) for o in ((1, 2), (0, 2), (0, 1))]
        self.box = tuple(
            slice(max(0, int(at[0] - MARGIN / s)), min(n, int(at[-1] + MARGIN / s) + 1))
            for at, s, n in zip(where, brain.spacing, brain.shape, strict=True)
        )
        inside = brain.data[self.box]
        middle = [np.average(np.arange(n), weights=inside.sum(axis=o)) for n, o in zip(
            inside.shape, ((1, 2), (0, 2), (0, 1)), strict=True)]  # fmt: skip
        self.at = tuple(round(float(v)) for v in middle)
        extent = [n * s for n, s in zip(inside.shape, brain.spacing, strict=True)]
        self.pixel = max(extent) / WIDTH

    def _turned(self, data: Any) -> Image:
        return self.like.with_data(data).reorient("LPI")

    def volume(self, data: Any) -> NDArray[Any]:
        """Return a volume as it is shown."""
        return np.ascontiguousarray(self._turned(data).data[self.box])

    def cuts(self, data: Any) -> list[NDArray[Any]]:
        """Return an axial, a coronal and a sagittal plane."""
        shown = self.volume(data)
        return list(show.planes(shown, self.at, spacing=self.spacing, pixel=self.pixel))

    def gray(self, data: Any, window: tuple[float, float] | None = WINDOW) -> list[Picture]:
        """Return the three planes in grey, in one window."""
        shown = self.cuts(data)
        if window is None:
            window = whole_window(data)
        return [show.to_rgb(cut, window) for cut in shown]

    def projected(self, data: Any, method: str) -> list[NDArray[Any]]:
        """Return what is seen along z, y and x, with square pixels."""
        shown = self.volume(data).astype(np.float32)
        made = []
        for axis in range(3):
            flat = np.expand_dims(show.project(shown, axis, method), axis)
            at = [n // 2 if a != axis else 0 for a, n in enumerate(flat.shape)]
            cut = show.planes(flat, at, spacing=self.spacing, pixel=self.pixel)
            made.append(cut[axis])
        return made


def whole_window(data: Any) -> tuple[float, float]:
    """Return a window from nothing to the brightest voxels but a few."""
    return 0.0, max(float(np.percentile(data, 99.7)), 1e-6)


def draw(work: Work) -> dict[str, list[Photo]]:
    """Return the pictures by name."""
    view = View(work)
    first, second = work.scans
    made: dict[str, list[Picture]] = {
        "first": view.gray(work.first.data, None),
        "second": _own(work.second),
        "enhancing": _enhancing(work),
        "before": _boards(view, first, work.before),
        "after": _boards(view, first, second),
        "blend_before": _blends(view, first, work.before),
        "blend_after": _blends(view, first, second),
        "fused": view.gray(work.fused),
        "segmented_first": _regions(view, first, work.regions[0].mask, work.white),
        "segmented_second": _regions(view, second, work.regions[1].mask, work.white),
        "mip": [show.to_rgb(p, (60, 120)) for p in view.projected(first, "max")],
        "depth": _depth(work, view),
    }
    return {name: [photo(p) for p in pictures] for name, pictures in made.items()}


def _own(image: Image) -> list[Picture]:
    """Return the planes of a scan on its own grid, through its middle."""
    turned = image.reorient("LPI")
    pixel = max(n * s for n, s in zip(turned.shape, turned.spacing, strict=True)) / WIDTH
    data = np.ascontiguousarray(turned.data)
    window = whole_window(data)
    cuts = show.planes(data, spacing=turned.spacing, pixel=pixel)
    return [show.to_rgb(cut, window) for cut in cuts]


def _enhancing(work: Work) -> list[Picture]:
    """Return an axial plane of the second scan: as it came, denoised, its field, corrected."""
    second, enhanced = work.second, work.enhanced[1]
    window = whole_window(second.data)
    spread = field_window(enhanced)

    def cut(data: Any) -> NDArray[Any]:
        turned = second.with_data(data).reorient("LPI")
        at = [n // 2 for n in turned.shape]
        pixel = max(n * s for n, s in zip(turned.shape, turned.spacing, strict=True)) / WIDTH
        whole = np.ascontiguousarray(turned.data)
        return show.planes(whole, at, spacing=turned.spacing, pixel=pixel)[0]

    brain = cut(enhanced.brain)
    log = np.log(enhanced.field)
    field = cut(log - log[enhanced.brain].mean())
    colored = show.to_rgb(field, (-spread, spread), colormap="viridis")
    colored[~brain] = 255
    return [
        show.to_rgb(cut(second.data), window),
        show.to_rgb(cut(work.denoised[1]), window),
        colored,
        show.to_rgb(cut(enhanced.data), WINDOW),
    ]


def field_window(enhanced: Enhanced) -> float:
    """Return how far the log of the field in the brain goes from its mean, at least 5 %."""
    log = np.log(enhanced.field[enhanced.brain])
    return max(0.05, float(np.percentile(np.abs(log - log.mean()), 99.5)))


def _boards(view: View, one: Any, two: Any) -> list[Picture]:
    pairs = zip(view.cuts(one), view.cuts(two), strict=True)
    return [show.to_rgb(show.checkerboard(a, b, 8), WINDOW) for a, b in pairs]


def _blends(view: View, one: Any, two: Any) -> list[Picture]:
    pairs = zip(view.cuts(one), view.cuts(two), strict=True)
    return [show.blend(a, b, WINDOW) for a, b in pairs]


def _regions(view: View, scan: Any, found: Any, truth: Any) -> list[Picture]:
    pictures = view.gray(scan)
    for mask, color in ((truth, TRUE), (found, FOUND)):
        if mask is not None:
            cuts = view.cuts(mask)
            pictures = [
                show.overlay(p, cut, color, alpha=0.9, outline=True)
                for p, cut in zip(pictures, cuts, strict=True)
            ]
    return pictures


def _depth(work: Work, view: View) -> list[Picture]:
    sums = view.projected(work.regions[0].mask, "sum")
    thick = [s * mm for s, mm in zip(sums, view.spacing, strict=True)]
    most = max(float(t.max()) for t in thick)
    return [show.to_rgb(t, (0.0, max(most, 1.0)), colormap="magma") for t in thick]


def photo(picture: Picture) -> Photo:
    """Return a picture as a JPEG, colours at full resolution."""
    from matplotlib.image import imsave

    file = io.BytesIO()
    imsave(file, picture, format="jpeg", pil_kwargs={"quality": 88, "subsampling": 0})
    return Photo(_uri(file.getvalue(), "image/jpeg"), picture.shape[1])


def chart(figure: Any) -> str:
    """Return a Matplotlib figure as an SVG data URI."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return _uri(file.getvalue(), "image/svg+xml")


def charts(work: Work, names: list[str], seconds: list[float]) -> dict[str, str]:
    """Return the histogram with its thresholds, and the times."""
    brain, region = work.enhanced[0].brain, work.regions[0]
    values = {
        "first scan": np.clip(work.scans[0][brain], *WINDOW),
        "second scan, registered": np.clip(work.scans[1][brain], *WINDOW),
    }
    lines = {"lower threshold": region.lower, "upper threshold": region.upper}
    unit = "intensity in the brain (% of bright tissue)"
    return {
        "histogram": chart(show.histogram_figure(values, lines, unit=unit)),
        "times": chart(show.times_figure(names, seconds)),
    }


def _uri(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
