"""Every CUDA plan on a real GPU gives its rule's answer: nobody lists them here."""

import numpy as np
import pytest
from parity import hold, words_of

from voxkern._kernel import kernels

pytestmark = pytest.mark.gpu

SHAPES = [(1, 1, 1), (1, 1, 37), (1, 17, 11), (5, 6, 33), (20, 33, 65)]
PLANS = {name: kernel for name, kernel in kernels().items() if "cuda" in kernel.overrides}
CASES = [(name, dtype) for name in sorted(PLANS) for dtype in PLANS[name].dtypes]
DEVICE = ("In", "Out", "ListOut")


def run_both(kernel, args, put, gpu_for):
    """What the rule and the plan write, from the same arguments."""
    words = words_of(kernel)
    args = [np.ascontiguousarray(a) if isinstance(a, np.ndarray) else a for a in args]
    there = [put(a) if w in DEVICE else a for a, w in zip(args, words, strict=True)]
    gpu = gpu_for(there[0])
    kernel.rule(*args)
    kernel.overrides["cuda"](gpu, *there)
    written = [i for i, word in enumerate(words) if word in ("Out", "ListOut")]
    return [args[i] for i in written], [gpu.get(there[i]) for i in written]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_a_plan_gives_the_rules_answer(device, name, dtype, shape):
    kernel = PLANS[name]
    for seed in range(2):
        args = kernel.sample(np.random.default_rng(seed), shape, dtype)
        for want, got in zip(*run_both(kernel, args, *device), strict=True):
            hold(kernel, got, want, f"the GPU, seed {seed}", args[0])


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_the_gpu_gives_the_same_bits_twice(device, name, dtype):
    kernel = PLANS[name]
    answers = set()
    for _ in range(3):
        args = kernel.sample(np.random.default_rng(5), (12, 40, 70), dtype)
        answers.add(b"".join(a.tobytes() for a in run_both(kernel, args, *device)[1]))
    assert len(answers) == 1
