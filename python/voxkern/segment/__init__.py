"""Thresholds: which voxels belong."""

__all__: list[str] = []
