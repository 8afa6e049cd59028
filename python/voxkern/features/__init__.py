"""What a region measures: intensity, shape, texture."""

from ._first_order import first_order_features
from ._glcm import glcm
from ._glcm_features import glcm_features
from ._region import discretize
from ._shape import shape_features

__all__ = ["discretize", "first_order_features", "glcm", "glcm_features", "shape_features"]
