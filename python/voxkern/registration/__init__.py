"""Aligning one image with another."""

__all__: list[str] = []
