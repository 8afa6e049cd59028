"""Filters: what turns an image into an image of the same shape."""

from ._extreme import maximum_filter, maximum_filter1d, minimum_filter, minimum_filter1d
from ._gaussian import gaussian_filter
from ._median import median_filter
from ._n4 import n4_bias_correction

__all__ = [
    "gaussian_filter",
    "maximum_filter",
    "maximum_filter1d",
    "median_filter",
    "minimum_filter",
    "minimum_filter1d",
    "n4_bias_correction",
]
