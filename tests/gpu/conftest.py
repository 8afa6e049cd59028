"""What runs on a GPU. Without one, each test says what is missing and is skipped."""

import importlib.util
import sys

import numpy as np
import pytest

from voxkern import _backends, _gpu

RUNNERS = {"cuda": _gpu.compiled, "cupy": _gpu.jit}


def cupy_put(array):
    import cupy

    return cupy.asarray(array)


def torch_put(array):
    import torch

    return _gpu.TorchArray(torch.from_numpy(np.array(array)).cuda())


LIBRARIES = {"cupy": cupy_put, "torch": torch_put}


def missing(backend, library):
    """Why this pair cannot run here, or None."""
    reason = next(b for b in _backends.FOR["cuda"] if b.name == backend).why_not()
    if reason is None and importlib.util.find_spec(library) is None:
        return f"{library} is not installed"
    if reason is None and library == "torch":
        import torch

        return None if torch.cuda.is_available() else "this torch has no CUDA"
    return reason


@pytest.fixture(params=[(b, a) for b in RUNNERS for a in LIBRARIES], ids="-".join)
def device(request):
    """``put`` for arrays of one library, and the `Gpu` for them of one backend."""
    backend, library = request.param
    reason = missing(backend, library)
    if reason:
        pytest.skip(reason)
    return LIBRARIES[library], RUNNERS[backend]


@pytest.fixture(autouse=True)
def _no_leftover_errors():
    """A kernel that fails late fails the test that launched it, not a later one."""
    yield
    if "cupy" in sys.modules and _backends.Jit.why_not() is None:
        sys.modules["cupy"].cuda.Device().synchronize()
