"""Connected regions: labels, growing from seeds, distances."""

__all__: list[str] = []
