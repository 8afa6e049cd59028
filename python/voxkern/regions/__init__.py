"""Connected regions: labels, growing from seeds, distances."""

from ._label import label

__all__ = ["label"]
