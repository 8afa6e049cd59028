"""How good a segmentation is against the truth."""

from ._overlap import dice, jaccard, volume_similarity
from ._surface import average_surface_distance, hausdorff_distance, surface_dice

__all__ = [
    "average_surface_distance",
    "dice",
    "hausdorff_distance",
    "jaccard",
    "surface_dice",
    "volume_similarity",
]
