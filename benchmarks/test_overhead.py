"""What a call and an import cost before any voxel is touched."""

import os
import subprocess
import sys

import numpy as np
import pytest

import voxkern
from voxkern import _backends
from voxkern._kernel import Kernel

CALLS = {
    "median_filter": lambda x: voxkern.median_filter(x, 3, workers=1),
    "gaussian_filter": lambda x: voxkern.gaussian_filter(x, 1, workers=1),
    "correlate": lambda x: voxkern.correlate(x, x[:3, :3, :3], workers=1),
    "grey_erosion": lambda x: voxkern.grey_erosion(x, 3, workers=1),
    "hessian": lambda x: voxkern.hessian(x, 1, workers=1),
    "zoom": lambda x: voxkern.zoom(x, 2, workers=1),
    "resample": lambda x: voxkern.resample(x, 0.5, workers=1),
    "label": lambda x: voxkern.label(x > 0.5, workers=1),
    "distance_transform_edt": lambda x: voxkern.distance_transform_edt(x > 0.5, workers=1),
    "dice": lambda x: voxkern.dice(x > 0.5, x > 0.3, workers=1),
    "hausdorff_distance": lambda x: voxkern.hausdorff_distance(x > 0.5, x > 0.3, workers=1),
    "histogram": lambda x: voxkern.histogram(x, workers=1),
    "mutual_information": lambda x: voxkern.mutual_information(x, x, workers=1),
    "normalized_mutual_information": lambda x: voxkern.normalized_mutual_information(
        x, x, workers=1
    ),
    "threshold_otsu": lambda x: voxkern.threshold_otsu(x, workers=1),
    "glcm": lambda x: voxkern.glcm(x, workers=1),
    "first_order_features": lambda x: voxkern.first_order_features(x, workers=1),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("how", ["public", "bare"])
def test_a_call_on_a_tiny_array(benchmark, monkeypatch, how, name):
    """Asked: the public call within 10 microseconds of the compiled functions alone."""
    benchmark.group = f"{name} of 4x4x4"
    x = np.random.default_rng(0).random((4, 4, 4), np.float32)
    if how == "public":
        benchmark(CALLS[name], x)
        return
    compiled = _backends.native()
    if compiled is None:
        pytest.skip("build the CPU module to compare with")
    calls, run = [], Kernel.__call__

    def note(kernel, *args, workers=None):
        calls.append((getattr(compiled, kernel.name), args))
        run(kernel, *args, workers=workers)

    monkeypatch.setattr(Kernel, "__call__", note)
    CALLS[name](x)

    def bare():
        for function, args in calls:
            function(1, *args)

    benchmark(bare)


@pytest.mark.parametrize("module", ["numpy", "voxkern"])
def test_an_import_in_a_fresh_process(benchmark, module):
    """Asked: voxkern within 60 ms of NumPy, which it imports."""
    benchmark.group = "import"
    command = [sys.executable, "-c", f"import {module}"]
    benchmark.pedantic(
        subprocess.run,
        (command,),
        {"check": True, "env": dict(os.environ)},
        rounds=9,
        warmup_rounds=2,
    )
