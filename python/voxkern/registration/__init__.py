"""Finding the map between two images."""

from ._register import Registration, register

__all__ = ["Registration", "register"]
