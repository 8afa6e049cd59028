"""Filters: what turns an image into an image of the same shape."""

from ._median import median_filter

__all__ = ["median_filter"]
