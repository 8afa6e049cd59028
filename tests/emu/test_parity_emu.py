"""Every CUDA plan, on kernels that the CPU plays, gives its rule's answer; nobody lists them."""

import itertools
import os
import sys

import builds
import emulate
import numpy as np
import pytest
from parity import hold, outputs

from voxkern._kernel import kernels

SHAPES = [(1, 1, 1), (1, 1, 37), (4, 1, 5), (1, 17, 11), (5, 6, 33)]
BUILD = os.environ.get("VOXKERN_EMU", "plain")
# ThreadSanitizer takes long, and sees a race at any shape, of any type.
RACES = BUILD == "thread" and not builds.THOROUGH
PLANS = {name: kernel for name, kernel in kernels().items() if "cuda" in kernel.overrides}


def answer_of(kernel, run, args):
    """What `run` leaves in copies of the arrays that it writes to, and `args` as they were."""
    written = outputs(kernel, args)
    copies = {id(a): a.copy() for a in written}
    run(*(copies.get(id(a), a) for a in args))
    return [copies[id(a)] for a in written]


def c_ordered(args):
    return [np.ascontiguousarray(a) if isinstance(a, np.ndarray) else a for a in args]


def dtypes_of(kernel):
    return kernel.dtypes[-1:] if RACES else kernel.dtypes


CASES = [(name, dtype) for name in sorted(PLANS) for dtype in dict.fromkeys(dtypes_of(PLANS[name]))]


def hold_plan(gpus, name, dtype, shapes):
    """Assert that a plan gives its rule's answer, under every schedule."""
    kernel = PLANS[name]
    for shape, seed in itertools.product(shapes, range(1 if RACES else 2)):
        args = c_ordered(kernel.sample(np.random.default_rng(seed), shape, dtype))
        # What a sanitizer watches is the plan; the plain build compares.
        wanted = answer_of(kernel, kernel.rule, args) if BUILD == "plain" else None
        for schedule, gpu in gpus():
            got = answer_of(kernel, lambda *a, on=gpu: kernel.overrides["cuda"](on, *a), args)
            for answer, want in zip(got, wanted or got, strict=True):
                hold(kernel, answer, want, f"the emulator, {schedule}, {shape}, {seed}", args[0])


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_a_plan_gives_the_rules_answer(gpus, name, dtype):
    hold_plan(gpus, name, dtype, SHAPES[-1:] if RACES else SHAPES)


@pytest.mark.skipif(BUILD != "plain", reason="sanitizers see the same under any schedule")
@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_schedules_do_not_change_a_bit(emulator, name, dtype):
    kernel, gpu = PLANS[name], emulate.gpu()
    args = c_ordered(kernel.sample(np.random.default_rng(5), (6, 9, 40), dtype))
    answers = set()
    for schedule in emulate.SCHEDULES.values():
        emulator.set_schedule(*schedule)
        got = answer_of(kernel, lambda *a: kernel.overrides["cuda"](gpu, *a), args)
        answers.add(b"".join(a.tobytes() for a in got))
    emulator.set_schedule(*emulate.SCHEDULES["forward"])
    assert len(answers) == 1


def number_voxels_in_64_bits(monkeypatch):
    """Let plans believe that every volume has more than 2^31 voxels."""
    for name, module in list(sys.modules.items()):
        if name.startswith("voxkern.") and hasattr(module, "node_type"):
            monkeypatch.setattr(module, "node_type", lambda size: np.int64)


NUMBERING = [case for case in CASES if "node_type" in PLANS[case[0]].rule.__globals__]


@pytest.mark.parametrize(("name", "dtype"), NUMBERING)
def test_volumes_beyond_2_to_the_31_give_the_rules_answer(gpus, monkeypatch, name, dtype):
    number_voxels_in_64_bits(monkeypatch)
    hold_plan(gpus, name, dtype, SHAPES[-1:])


@pytest.mark.skipif(RACES, reason="needs every dtype; the plain build runs it")
def test_every_compiled_kernel_is_launched_by_a_plan(emulator, monkeypatch):
    """A kernel that no plan launches is not tested by the parity above."""
    gpu = emulate.WatchedGpu(emulate.HostArrays(), emulator.launch)
    production = {name for name in emulator.kernels() if not name.startswith(("probe_", "wrong_"))}

    def run(cases, seed):
        for name, dtype in cases:
            args = PLANS[name].sample(np.random.default_rng(seed), (3, 5, 34), dtype)
            PLANS[name].overrides["cuda"](gpu, *c_ordered(args))

    for seed in range(50):
        run(CASES, seed)
        with monkeypatch.context() as wide:
            number_voxels_in_64_bits(wide)
            run(NUMBERING, seed)
        if production <= gpu.launched:
            break
    assert production <= gpu.launched, f"never launched: {sorted(production - gpu.launched)}"
