"""Filters: what turns an image into an image of the same shape."""

from ._extreme import maximum_filter, maximum_filter1d, minimum_filter, minimum_filter1d
from ._gaussian import gaussian_filter
from ._median import median_filter

__all__ = [
    "gaussian_filter",
    "maximum_filter",
    "maximum_filter1d",
    "median_filter",
    "minimum_filter",
    "minimum_filter1d",
]
