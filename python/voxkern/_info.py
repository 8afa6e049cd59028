"""What is here, what is used, and what to install for more."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

from . import _arrays, _backends, _kernel

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
        ``threads``; ``backends``, for each 'ready' or why not; ``cpu_only``, the functions
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
        "cpu_only": _cpu_only(),
        "installed": {name: version for name, version in found.items() if version},
        "missing": {
            name: f"pip install 'voxkern[{_EXTRAS[name]}]'"
            for name, version in found.items()
            if not version
        },
    }


def _cpu_only() -> list[str]:
    _kernel.kernels()  # brings in every family
    return sorted(_arrays.CPU_ONLY)


def _version(name: str) -> str | None:
    names = {"nrrd": ("pynrrd",), "cupy": ("cupy", "cupy-cuda13x", "cupy-cuda12x")}
    for candidate in names.get(name, (name,)):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
