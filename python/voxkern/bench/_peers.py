"""Turn our arrays into the image types of others; what several cases need of the same peer."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from voxkern.bench._agree import Agree
from voxkern.bench._case import Call, Work


def load(module: str) -> Any:
    """A peer's module; peers are optional and few of them are typed."""
    return importlib.import_module(module)


def sitk_image(x: Any) -> Any:
    """A SimpleITK image with the same voxels."""
    return load("SimpleITK").GetImageFromArray(x)


def sitk_affine(matrix: Any, offset: Any) -> Any:
    """The transform that takes output to input as SciPy's `matrix` and `offset` do."""
    transform = load("SimpleITK").AffineTransform(3)
    transform.SetMatrix(np.asarray(matrix)[::-1, ::-1].ravel().tolist())
    transform.SetTranslation(np.asarray(offset)[::-1].tolist())
    return transform


def tensor(x: Any) -> Any:
    """A CPU tensor with batch and channel axes in front."""
    return load("torch").from_numpy(x.copy())[None, None]


def cupy_rival(
    work: Work, call: Callable[..., Any], *, out: bool = True, agree: Agree | None = None
) -> None:
    """Add CuPy's namesake of a SciPy function, called as ``call(ndimage, *inputs, out)``.

    With ``out=False`` it allocates its answer and is called as ``call(ndimage, *inputs)``.
    """

    def prepare(*inputs: Any) -> Call:
        ndimage = load("cupyx.scipy.ndimage")
        target = (load("cupy").empty_like(inputs[0]),) if out else ()
        return lambda: call(ndimage, *inputs, *target)

    work.rival("CuPy", out=out, agree=agree, device="cuda")(prepare)


def scipy_rival(work: Work, call: Callable[..., Any]) -> None:
    """Add SciPy's call on the CPU and CuPy's on a GPU, as ``call(ndimage, *inputs, out)``."""

    @work.rival("SciPy", out=True)
    def _scipy(*inputs: Any) -> Call:
        ndimage, out = load("scipy.ndimage"), np.zeros_like(inputs[0])
        return lambda: call(ndimage, *inputs, out)

    cupy_rival(work, call)


def opencv_rival(work: Work, call: Callable[..., Any], agree: Agree | None = None) -> None:
    """Add OpenCV's call, as ``call(cv2, image, out)``."""

    @work.rival("OpenCV", out=True, agree=agree)
    def _opencv(x: Any) -> Call:
        cv2, out = load("cv2"), np.zeros_like(x)
        return lambda: call(cv2, x, out)
