"""What a call and an import cost before any voxel is touched."""

import os
import subprocess
import sys

import numpy as np
import pytest

import voxkern
from voxkern import _backends
from voxkern._kernel import kernels


@pytest.mark.parametrize("how", ["public", "bare"])
def test_a_call_on_a_tiny_array(benchmark, how):
    """Asked: the public call within 10 microseconds of the compiled function alone."""
    benchmark.group = "median_filter of 4x4x4"
    if how == "public":
        x, out = np.zeros((4, 4, 4), np.float32), np.empty((4, 4, 4), np.float32)
        benchmark(voxkern.median_filter, x, 3, out=out, workers=1)
        return
    compiled = _backends.native()
    if compiled is None:
        pytest.skip("build the CPU module to compare with")
    args = kernels()["median"].sample(np.random.default_rng(0), (4, 4, 4), "float32")
    benchmark(compiled.median, 1, *args)


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
