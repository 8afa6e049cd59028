"""Images on other grids: transforms, interpolation, resampling."""

from ._affine import affine_transform
from ._spline_filter import spline_filter
from ._transform import Transform
from ._zoom import zoom

__all__ = ["Transform", "affine_transform", "spline_filter", "zoom"]
