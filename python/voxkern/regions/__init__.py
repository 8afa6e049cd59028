"""Connected regions: labels, growing from seeds, distances."""

from ._connected_threshold import connected_threshold
from ._edt import distance_transform_edt
from ._fill_holes import fill_holes
from ._keep_largest import keep_largest, remove_small_objects
from ._label import label

__all__ = [
    "connected_threshold",
    "distance_transform_edt",
    "fill_holes",
    "keep_largest",
    "label",
    "remove_small_objects",
]
