"""Medical images, filtered, registered, segmented and measured at the speed of the hardware.

Arrays go in and come out as they are: NumPy on the CPU, CuPy and PyTorch where they
live. Axes are (z, y, x); every per-axis argument is in the order of the array's axes;
with ``spacing=`` lengths are in its unit, without it in voxels.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import evaluate, features, filters, metrics, morphology, regions, registration, segment, warp
from ._backends import set_threads
from ._info import info
from ._kernel import use_backend
from .evaluate import *
from .features import *
from .filters import *
from .image import Image
from .metrics import *
from .morphology import *
from .regions import *
from .registration import *
from .segment import *
from .warp import *

__version__ = "0.1.0"

# Found at their first use, since they bring other libraries along.
_FROM_IO = {"read", "read_dicom_series", "write"}
_LATER = {"bench", "demo", "io", "show"} | _FROM_IO

__all__ = [
    "Image",
    "__version__",
    "info",
    "set_threads",
    "use_backend",
    *sorted(_LATER),
    *evaluate.__all__,
    *features.__all__,
    *filters.__all__,
    *metrics.__all__,
    *morphology.__all__,
    *regions.__all__,
    *registration.__all__,
    *segment.__all__,
    *warp.__all__,
]


def __getattr__(name: str) -> Any:
    if name in _FROM_IO:
        return getattr(importlib.import_module(".io", __name__), name)
    if name in _LATER:
        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
