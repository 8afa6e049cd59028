"""Finding the map between two images."""
from . import _affine
__all__: list[str] = []
