"""How good a segmentation is against the truth."""

__all__: list[str] = []
