"""What is shown is brought to the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def host(array: Any, name: str = "image") -> NDArray[Any]:
    """Return the array as NumPy's, from whatever device."""
    if hasattr(array, "detach"):  # torch
        array = array.detach().cpu().numpy()
    elif hasattr(array, "get") and hasattr(array, "__cuda_array_interface__"):  # CuPy
        array = array.get()
    x = np.asarray(array)
    if x.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers or truths; got {x.dtype}")
    return x


def volume(array: Any, name: str = "image") -> NDArray[Any]:
    """Return a volume of three axes, none of them empty."""
    x = host(array, name)
    if x.ndim != 3 or not x.size:
        raise ValueError(f"{name} must have three axes, none of them empty; got shape {x.shape}")
    return x
