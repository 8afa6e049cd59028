"""Nyúl's piecewise linear standardisation of MR intensities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from .. import _args
from ..metrics import as_mask, percentile
from ._curve import run_knots
from ._rescale import as_pair, finite_range, summary, take

Array = TypeVar("Array")


class NyulStandardizer:
    """Bring images of one kind to a standard scale, landmark by landmark.

    Parameters
    ----------
    percentiles : sequence of float
        The landmarks, rising; the first and the last are the ends of the standard range.
    standard_range : tuple of float
        What the first and the last landmark become.

    Attributes
    ----------
    percentiles : ndarray of float64
    landmarks : ndarray of float64 or None
        Where the percentiles lie on the standard scale; None before anything was learned. May be
        set to those of another day.
    images : int
        How many images were learned from.

    Notes
    -----
    The method of [1]_: each image's percentiles within its mask are brought to the standard range
    by the first and the last of them, and their mean over the images is the standard scale. An
    image is mapped on the lines between its own percentiles and the standard ones, beyond the ends
    along the first and the last line. The percentiles are exact. Without a mask those voxels count
    that are above the image's mean. The defaults are those of the package intensity-normalization.

    Only sums are kept, so images may come from a generator, one at a time.

    References
    ----------
    .. [1] L. G. Nyúl, J. K. Udupa, X. Zhang, "New variants of a method of MRI scale
       standardization", IEEE Transactions on Medical Imaging 19:143-150, 2000.
       https://doi.org/10.1109/42.836373

    Examples
    --------
    >>> a, b = np.arange(1.0, 101.0), 7 * np.arange(1.0, 101.0) + 3
    >>> everywhere = np.ones(100, bool)
    >>> scale = NyulStandardizer().fit([a, b], [everywhere, everywhere])
    >>> same = scale.transform(a, everywhere), scale.transform(b, everywhere)
    >>> bool(np.allclose(*same))
    True
    """

    def __init__(
        self,
        percentiles: Sequence[float] = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99),
        standard_range: tuple[float, float] = (1.0, 100.0),
    ) -> None:
        wanted = np.asarray(percentiles, np.float64)
        inside = wanted.ndim == 1 and ((wanted >= 0) & (wanted <= 100)).all()
        if not inside or wanted.size < 2 or not (np.diff(wanted) > 0).all():
            raise ValueError(
                f"percentiles must be at least two rising numbers in [0, 100]; got {percentiles!r}"
            )
        self.percentiles = wanted
        self.standard_range = as_pair(standard_range, "standard_range")
        if self.standard_range[0] == self.standard_range[1]:
            raise ValueError(f"standard_range must rise; got {standard_range!r}")
        self._landmarks: Any = None
        self._sum: Any = np.zeros(wanted.size)
        self.images = 0

    @property
    def landmarks(self) -> Any:
        """Where the percentiles lie on the standard scale."""
        return self._landmarks

    @landmarks.setter
    def landmarks(self, values: Any) -> None:
        given = np.asarray(values, np.float64)
        if given.shape != self.percentiles.shape or not (np.diff(given) >= 0).all():
            raise ValueError(
                f"landmarks must be {self.percentiles.size} rising numbers; got {values!r}"
            )
        self._landmarks = given

    def partial_fit(
        self, image: Any, mask: Any = None, *, workers: int | None = None
    ) -> NyulStandardizer:
        """Learn from one image more, and return self.

        Raises ValueError if its first and last landmark are equal.
        """
        found = self._found(image, mask, workers)
        low, high = self.standard_range
        if not found[-1] > found[0]:
            raise ValueError(f"image must have more than one value; its landmarks are {found[0]:g}")
        self._sum = self._sum + low + (found - found[0]) / (found[-1] - found[0]) * (high - low)
        self.images += 1
        self._landmarks = self._sum / self.images
        return self

    def fit(
        self, images: Iterable[Any], masks: Iterable[Any] | None = None, *,
        workers: int | None = None,
    ) -> NyulStandardizer:  # fmt: skip
        """Learn from images, and masks in the same order, forgetting what was; return self."""
        self._sum, self.images, self._landmarks = np.zeros(self.percentiles.size), 0, None
        if masks is None:
            for image in images:
                self.partial_fit(image, workers=workers)
        else:
            for image, mask in zip(images, masks, strict=True):
                self.partial_fit(image, mask, workers=workers)
        if not self.images:
            raise ValueError("images must have at least one image; got none")
        return self

    def transform(
        self, image: Array, mask: Any = None, *, out: Any = None, workers: int | None = None
    ) -> Array:
        """Return an image on the standard scale: float64 for int32 and float64, else float32.

        The mask says which voxels count for its percentiles; all voxels are mapped.
        """
        if self._landmarks is None:
            raise ValueError("landmarks must be learned first: call fit, or set them")
        x, give, found = take(image)
        workers = _args.as_workers(workers)
        own = self._found(image, mask, workers)
        knots, values = _rising(own, self._landmarks)
        if knots.size < 2:
            raise ValueError(f"image must have more than one value; its landmarks are {own[0]:g}")
        low, high = finite_range(x, workers)
        before = values[0] + (low - knots[0]) * (values[1] - values[0]) / (knots[1] - knots[0])
        behind = values[-1] + (high - knots[-1]) * (values[-1] - values[-2]) / (
            knots[-1] - knots[-2]
        )
        if low < knots[0]:
            knots, values = np.append(low, knots), np.append(before, values)
        if high > knots[-1]:
            knots, values = np.append(knots, high), np.append(values, behind)
        return run_knots(x, give, found, out, workers, knots, values)

    def _found(self, image: Any, mask: Any, workers: int | None) -> Any:
        """Return the image's own percentiles."""
        x, _, _ = take(image)
        if mask is None and x.size:
            mean, _, count, *_ = summary(x, as_mask(None, x.shape, x), workers)
            if count:
                mask = x > mean
        return percentile(x, self.percentiles, mask=mask, workers=workers)


def _rising(knots: Any, values: Any) -> tuple[Any, Any]:
    """Return one knot for each of several equal ones, with the mean of their values."""
    kept, which = np.unique(knots, return_inverse=True)
    return kept, np.bincount(which, values) / np.bincount(which)
