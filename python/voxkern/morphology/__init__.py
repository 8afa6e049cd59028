"""Morphology: shapes grown, shrunk, opened and filled."""

from ._binary_erosion import binary_dilation, binary_erosion
from ._binary_opening import binary_closing, binary_opening
from ._grey import (
    black_tophat,
    grey_closing,
    grey_dilation,
    grey_erosion,
    grey_opening,
    morphological_gradient,
    white_tophat,
)

__all__ = [
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_opening",
    "black_tophat",
    "grey_closing",
    "grey_dilation",
    "grey_erosion",
    "grey_opening",
    "morphological_gradient",
    "white_tophat",
]
