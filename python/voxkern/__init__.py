"""Medical images, filtered, registered, segmented and measured at the speed of the hardware.

Arrays go in and come out as they are: NumPy on the CPU, CuPy and PyTorch where they
live. Axes are (z, y, x); every per-axis argument is in the order of the array's axes;
with ``spacing=`` lengths are in its unit, without it in voxels.

A family of functions is loaded when the first of its names is used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from ._backends import set_threads as set_threads
from ._kernel import FAMILIES
from ._kernel import use_backend as use_backend

if TYPE_CHECKING:
    from ._info import info as info
    from .evaluate import *
    from .features import *
    from .filters import *
    from .image import Image as Image
    from .io import read as read
    from .io import read_dicom_series as read_dicom_series
    from .io import write as write
    from .metrics import *
    from .morphology import *
    from .regions import *
    from .registration import *
    from .segment import *
    from .warp import *

__version__ = "0.1.0"

_ALWAYS = ("__version__", "set_threads", "use_backend")
_FROM = {"Image": "image", "info": "_info"} | dict.fromkeys(
    ("read", "read_dicom_series", "write"), "io"
)
# Not spread out here: what they hold is called by the module's name.
_MODULES = ("bench", "demo", "io", "show")


def _load(module: str) -> Any:
    return importlib.import_module("." + module, __name__)


def __getattr__(name: str) -> Any:
    if name == "__all__":
        names = [n for family in FAMILIES for n in _load(family).__all__]
        return sorted({*_ALWAYS, *_FROM, *_MODULES, *names})
    if name in _MODULES or name in FAMILIES:
        return _load(name)
    if name in _FROM:
        found = getattr(_load(_FROM[name]), name)
    else:
        family = None if name.startswith("_") else _family_of(name)
        if family is None:
            text = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(text, name=name, obj=sys.modules[__name__])  # what is near is told
        found = getattr(family, name)
    globals()[name] = found
    return found


def _family_of(name: str) -> Any:
    """Return the family that has `name`, or None; families load in turn until it is found."""
    for family in FAMILIES:
        module = _load(family)
        if name in module.__all__:
            return module
    return None


def __dir__() -> list[str]:
    return [*__getattr__("__all__"), *FAMILIES]
