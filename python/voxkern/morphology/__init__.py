"""Morphology: shapes grown, shrunk, opened and filled."""

__all__: list[str] = []
