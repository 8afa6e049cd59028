"""How alike two images are: values and gradients."""

from ._histogram import extremes as extremes  # for other families
from ._histogram import histogram, joint_histogram
from ._moments import add_parts as add_parts
from ._moments import given as given
from ._moments import ncc, ssd
from ._moments import parts_of as parts_of
from ._pair import MOST_BINS as MOST_BINS
from ._pair import as_mask as as_mask
from ._pair import as_volume as as_volume
from ._parzen import information as information
from ._parzen import mutual_information, normalized_mutual_information
from ._percentile import percentile

__all__ = [
    "histogram",
    "joint_histogram",
    "mutual_information",
    "ncc",
    "normalized_mutual_information",
    "percentile",
    "ssd",
]
