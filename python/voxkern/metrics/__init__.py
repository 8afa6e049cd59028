"""How alike two images are: values and gradients."""

from ._histogram import extremes as extremes  # for other families
from ._histogram import histogram, joint_histogram
from ._moments import ncc, ssd
from ._pair import as_mask as as_mask
from ._parzen import information as information
from ._parzen import mutual_information, normalized_mutual_information

__all__ = [
    "histogram",
    "joint_histogram",
    "mutual_information",
    "ncc",
    "normalized_mutual_information",
    "ssd",
]
