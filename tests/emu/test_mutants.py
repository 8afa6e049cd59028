"""Take the first barrier out of each file of kernels: the tests of its plans have to notice.

This watches the watchers. Where a mutant passes, the barrier is not needed, or the example
arguments are too small for the threads to meet.
"""

import functools
import shutil
from pathlib import Path

import emulate
import numpy as np
import pytest
from test_parity_emu import PLANS, c_ordered

from voxkern import _jit

BARRIER = "__syncthreads();"
FILES = [p for p in sorted(set(_jit.instances().values())) if BARRIER in p.read_text("utf-8")]

pytestmark = [pytest.mark.sanitize, pytest.mark.timeout(2400)]


@functools.cache
def files_of(name):
    """The files whose kernels the plan of `name` launches."""
    gpu = emulate.WatchedGpu(emulate.HostArrays(), emulate.module().launch)
    for dtype in PLANS[name].dtypes:
        args = PLANS[name].sample(np.random.default_rng(0), (3, 5, 34), dtype)
        PLANS[name].overrides["cuda"](gpu, *c_ordered(args))
    return {_jit.instances()[launched] for launched in gpu.launched}


@pytest.fixture(scope="module")
def mutants(tmp_path_factory):
    """One build in which every file has lost its first barrier."""
    root = tmp_path_factory.mktemp("mutants")
    for part in ("cpp", "src"):
        shutil.copytree(emulate.ROOT / part, root / part)
    for path in FILES:
        text = path.read_text("utf-8").replace(BARRIER, "", 1)
        (root / path.relative_to(emulate.ROOT)).write_text(text, "utf-8")
    return emulate.build("thread", root, emulate.BUILDS / "mutants")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_missing_barrier_is_noticed(emulator, in_sanitized, mutants, path):
    names = [name for name in PLANS if path in files_of(name)]
    assert names, f"no plan launches a kernel of {path.name}"
    done = in_sanitized(
        *("thread", "-m", "pytest", "-q", "-x", "--capture=sys", "-p", "no:cacheprovider"),
        *(Path(__file__).parent / "test_parity_emu.py", "-k"),
        "rules_answer and (" + " or ".join(f"-{name}-" for name in names) + ")",
        module=mutants,
    )
    assert done.returncode != 0, f"{path.name} passes without its first barrier"
    assert "data race" in done.stderr or "Error" in done.stdout, done.stdout + done.stderr
