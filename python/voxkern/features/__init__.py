"""What a region measures: intensity, shape, texture."""

__all__: list[str] = []
