"""Images on other grids: transforms, interpolation, resampling."""

from ._affine import affine_transform
from ._map_coordinates import map_coordinates
from ._resample import resample
from ._resize import resize
from ._rotate import rotate
from ._shift import shift
from ._spline_filter import spline_filter
from ._transform import Transform
from ._zoom import zoom

__all__ = [
    "Transform",
    "affine_transform",
    "map_coordinates",
    "resample",
    "resize",
    "rotate",
    "shift",
    "spline_filter",
    "zoom",
]
