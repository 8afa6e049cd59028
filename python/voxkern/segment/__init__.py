"""Thresholds: which voxels belong."""

from ._otsu import threshold_multiotsu, threshold_otsu

__all__ = ["threshold_multiotsu", "threshold_otsu"]
