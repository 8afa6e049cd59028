"""Where the scans come from: files, folders, or the brain that nilearn carries."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import io
from ..filters import gaussian_filter
from ..image import Image
from ._settings import Settings

_BRAIN = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"


@dataclass(frozen=True)
class Input:
    """An image with what identifies it."""

    name: str
    image: Image
    sha256: str

    def record(self) -> dict[str, Any]:
        """Return what a later run can compare itself with."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "shape": list(self.image.shape),
            "spacing_mm": [round(v, 6) for v in self.image.spacing],
            "orientation": self.image.orientation,
        }


@dataclass(frozen=True)
class Inputs:
    """The first scan, perhaps a second one, and perhaps the white matter of the first."""

    first: Input
    second: Input | None
    white: Input | None


def load(settings: Settings) -> Inputs:
    """Read what the settings name."""
    white = None
    if settings.fixed is None:
        folder = _atlas()
        first = _read(folder / _BRAIN.format("t1"))
        white = _read(folder / _BRAIN.format("wm"))
    else:
        first = _read(Path(settings.fixed))
    second = None if settings.moving is None else _read(Path(settings.moving))
    found = Inputs(first, second, white)
    return _halved(found) if settings.quick else found


def _atlas() -> Path:
    """Return the folder of images in nilearn's wheel, without importing nilearn."""
    spec = importlib.util.find_spec("nilearn")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            "without an image the demo takes the brain that nilearn carries: "
            "pip install 'voxkern[demo]', or name an image: voxkern demo scan.nii.gz"
        )
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "data"
    if not (folder / _BRAIN.format("t1")).exists():
        raise FileNotFoundError(f"this nilearn does not carry {_BRAIN.format('t1')} in {folder}")
    return folder


def _read(path: Path) -> Input:
    image = io.read(path)
    if len(image.spacing) != 3:
        raise ValueError(f"{path}: the demo wants a volume; this image has shape {image.shape}")
    if image.ndim > 3:  # of a series, the first volume
        image = image.with_data(image.data[(0,) * (image.ndim - 3)])
    if min(image.shape) < 8:
        raise ValueError(f"{path}: the demo wants 8 voxels along each axis; got {image.shape}")
    data = np.ascontiguousarray(image.data, np.float32)
    if not np.isfinite(data).all():
        raise ValueError(f"{path}: the demo wants finite intensities; this image has NaN or inf")
    return Input(path.name, image.with_data(data), _sha256(path))


def _sha256(path: Path) -> str:
    """Hash a file, or the files of a folder in the order of their names."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()


def _halved(inputs: Inputs) -> Inputs:
    def half(one: Input | None) -> Input | None:
        if one is None or min(one.image.shape) < 16:
            return one
        smooth = one.image.with_data(gaussian_filter(one.image.data, 0.7))
        coarse = smooth[::2, ::2, ::2]
        return replace(one, image=coarse.with_data(np.ascontiguousarray(coarse.data)))

    first = half(inputs.first)
    assert first is not None
    return Inputs(first, half(inputs.second), half(inputs.white))
