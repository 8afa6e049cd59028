"""The phantoms and reference response maps of IBSI-2."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def phantom(name: str) -> Any:
    """Return a digital phantom of 64 voxels a side, each 2 mm."""
    return _read(f"ibsi2_digital_phantoms/{name}/image/{name}.nii.gz").astype(np.float32)


def off_by(answer: Any, name: str) -> float:
    """Return how far an answer is from a reference map, as a share of the map's range."""
    want = _read(f"ibsi2_response_maps_dev/{name}-ValidCRM.nii.gz").astype(np.float64)
    return float(np.abs(answer - want).max() / np.ptp(want))


def _read(name: str) -> Any:
    path = (
        Path(os.environ.get("VOXKERN_DATA", Path(__file__).parents[3] / "shared" / "data")) / name
    )
    if not path.is_file():
        pytest.skip(
            f"set VOXKERN_DATA to a folder with {name} (from theibsi/ibsi_2_reference_data)"
        )
    data = gzip.decompress(path.read_bytes())
    shape = struct.unpack("<8h", data[40:56])[1:4]
    kind = {2: "u1", 16: "<f4", 64: "<f8"}[struct.unpack("<h", data[70:72])[0]]
    first = int(struct.unpack("<f", data[108:112])[0])
    return np.frombuffer(data, kind, int(np.prod(shape)), first).reshape(shape[::-1])
