"""Where the real images lie, and images to write."""

import os
from pathlib import Path

import numpy as np
import pytest

from voxkern.image import Image

PLACES = [
    Path(os.environ.get("VOXKERN_DATA", "")),
    Path(__file__).resolve().parents[3] / "shared" / "data",
]
DATA = next((p for p in PLACES if (p / "MANIFEST.md").is_file()), None)


@pytest.fixture(scope="session")
def data_folder():
    """The folder of real images; their tests are skipped where it is not."""
    if DATA is None:
        pytest.skip("needs the real images: set VOXKERN_DATA to their folder")
    return DATA


@pytest.fixture
def oblique():
    """A small volume on a turned grid, with numbers that are not round."""
    rng = np.random.default_rng(7)
    direction = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    voxels = rng.integers(-1000, 3000, (3, 4, 5)).astype(np.int16)
    return Image(voxels, (2.5, 0.7, 0.3), (-101.7, 33.3, 1e-3), direction)
