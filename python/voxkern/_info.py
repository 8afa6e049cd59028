"""What is here, what is used, and what to install for more."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

from . import _backends, _kernel

_EXTRAS = {
    "numba": "numba",
    "cupy": "cuda13",
    "torch": "torch",
    "nibabel": "io",
    "pydicom": "io",
    "nrrd": "io",
    "matplotlib": "show",
    "typer": "cli",
}


def info() -> dict[str, Any]:
    """Describe this installation: versions, backends with reasons, threads, missing extras.

    Returns
    -------
    dict
        ``version``, ``python``, ``numpy``, ``machine``; ``level``, the CPU build in use;
        ``threads``; ``backends``, for each 'ready' or why not; ``no_cuda``, the kernels
        that refuse a GPU array; ``missing``, what `pip install` would add more.

    Examples
    --------
    >>> voxkern.info()["backends"]["native"]
    'ready'
    """
    found = {name: _version(name) for name in _EXTRAS}
    return {
        "version": _version("voxkern") or "from a checkout",
        "python": platform.python_version(),
        "numpy": _version("numpy"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "level": _backends.level(),
        "threads": _backends.threads(),
        "forced": _kernel.forced(),
        "backends": {b.name: b.why_not() or "ready" for bs in _backends.FOR.values() for b in bs},
        "no_cuda": sorted(
            name for name, k in _kernel.kernels().items() if "cuda" not in k.overrides
        ),
        "installed": {name: version for name, version in found.items() if version},
        "missing": {
            name: f"pip install 'voxkern[{_EXTRAS[name]}]'"
            for name, version in found.items()
            if not version
        },
    }


def _version(name: str) -> str | None:
    names = {"nrrd": ("pynrrd",), "cupy": ("cupy", "cupy-cuda13x", "cupy-cuda12x")}
    for candidate in names.get(name, (name,)):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
