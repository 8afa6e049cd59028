"""Morphology: shapes grown, shrunk, opened and filled."""

from ._area_opening import area_closing, area_opening
from ._binary_erosion import binary_dilation, binary_erosion
from ._binary_erosion import neighbours as neighbours
from ._binary_opening import binary_closing, binary_opening
from ._binary_propagation import (
    binary_fill_holes,
    binary_hit_or_miss,
    binary_propagation,
)
from ._difference import NEITHER as NEITHER
from ._difference import WITHOUT as WITHOUT
from ._difference import combine as combine
from ._grey import (
    black_tophat,
    grey_closing,
    grey_dilation,
    grey_erosion,
    grey_opening,
    morphological_gradient,
    white_tophat,
)
from ._reconstruction import (
    h_maxima,
    h_minima,
    local_maxima,
    local_minima,
    reconstruction,
)
from ._skeleton import skeletonize

__all__ = [
    "area_closing",
    "area_opening",
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_fill_holes",
    "binary_hit_or_miss",
    "binary_opening",
    "binary_propagation",
    "black_tophat",
    "grey_closing",
    "grey_dilation",
    "grey_erosion",
    "grey_opening",
    "h_maxima",
    "h_minima",
    "local_maxima",
    "local_minima",
    "morphological_gradient",
    "reconstruction",
    "skeletonize",
    "white_tophat",
]
