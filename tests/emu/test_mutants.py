"""Take each barrier out of the kernels, one at a time: ThreadSanitizer has to notice.

This watches the watchers. Where one goes unnoticed, it is not needed, or the example arguments
are too small for the threads to meet.
"""

import functools
from pathlib import Path

import emulate
import numpy as np
import pytest
from test_parity_emu import PLANS, answer_of, c_ordered

from voxkern import _jit

SHARED = [emulate.ROOT / "cpp" / "include" / "voxkern" / "launch.cuh"]


def name_of(path):
    """The end of a path that tells files apart."""
    return f"{path.parent.name}/{path.name}"


BARRIERS = [
    (name_of(path), line)
    for path in [*sorted(set(_jit.instances().values())), *SHARED]
    for line, text in enumerate(path.read_text("utf-8").splitlines(), 1)
    if "__syncthreads();" in text
]

pytestmark = [pytest.mark.sanitize, pytest.mark.timeout(2400)]


SHAPE = (5, 6, 33)


def run(name, gpu, seed):
    """Run a plan on its example arguments."""
    kernel = PLANS[name]
    args = kernel.sample(np.random.default_rng(seed), SHAPE, kernel.dtypes[-1])
    answer_of(kernel, lambda *a: kernel.overrides["cuda"](gpu, *a), c_ordered(args))


@functools.cache
def files_of(name):
    """The files whose text the plan of `name` launches."""
    gpu = emulate.WatchedGpu(emulate.HostArrays(), emulate.module().launch)
    for seed in range(3):
        run(name, gpu, seed)
    files = {_jit.instances()[launched] for launched in gpu.launched}
    sums = any("block_sum(" in path.read_text("utf-8") for path in files)
    return {name_of(path) for path in [*files, *(SHARED if sums else ())]}


def run_without(file, line, *names):
    """Run plans without one barrier. What the sanitized process does."""
    emulate.module().take_out_barrier("/" + file, int(line))
    emulate.module().set_schedule(*emulate.SCHEDULES["crowded"])
    for seed in range(8):
        for name in names:
            run(name, emulate.gpu(emulate.SmallGpu), seed)


@pytest.mark.parametrize(("file", "line"), BARRIERS)
def test_a_missing_barrier_is_noticed(emulator, in_sanitized, file, line):
    names = [name for name in PLANS if file in files_of(name)]
    assert names, f"no plan launches a kernel of {file}"
    here = [str(folder) for folder in Path(__file__).parents[:2]]
    text = f"import sys; sys.path[:0] = {here!r}; import test_mutants; test_mutants.run_without"
    done = in_sanitized("thread", "-c", f"{text}({file!r}, {line}, *{names!r})")
    assert "data race" in done.stderr, f"{file}:{line} is not missed\n{done.stderr}"
