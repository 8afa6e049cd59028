"""Thresholds: which voxels belong."""

from ._otsu import threshold_otsu

__all__ = ["threshold_otsu"]
