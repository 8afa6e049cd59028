"""Images on other grids: transforms, interpolation, resampling."""

__all__: list[str] = []
