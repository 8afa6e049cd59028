"""Morphology: shapes grown, shrunk, opened and filled."""

from ._binary_erosion import binary_dilation, binary_erosion
from ._binary_opening import binary_closing, binary_opening

__all__ = ["binary_closing", "binary_dilation", "binary_erosion", "binary_opening"]
