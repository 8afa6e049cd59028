"""Filters: what turns an image into an image of the same shape."""

from ._gaussian import gaussian_filter
from ._median import median_filter

__all__ = ["gaussian_filter", "median_filter"]
