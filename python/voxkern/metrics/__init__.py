"""How alike two images are: values and gradients."""

__all__: list[str] = []
