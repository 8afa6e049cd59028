"""What a region measures: intensity, shape, texture."""

from ._blobs import blob_dog, blob_log
from ._first_order import first_order_features
from ._glcm import glcm
from ._glcm_features import glcm_features
from ._peaks import peak_local_max
from ._region import discretize
from ._shape import shape_features

__all__ = [
    "blob_dog",
    "blob_log",
    "discretize",
    "first_order_features",
    "glcm",
    "glcm_features",
    "peak_local_max",
    "shape_features",
]
