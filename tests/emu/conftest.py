import os
import subprocess
import sys

import builds
import emulate
import pytest


@pytest.fixture(scope="session")
def emulator():
    """The module in which the CPU plays the GPU, built if need be."""
    reason = emulate.missing()
    if reason:
        pytest.skip(reason)
    return emulate.module()


# Sanitizers see what is wrong whatever the schedule.
PLAIN = os.environ.get("VOXKERN_EMU", "plain") == "plain"


SCHEDULES = emulate.SCHEDULES if PLAIN else ["crowded"]


@pytest.fixture
def gpus(emulator):
    """``gpus()``: each schedule, and a `Gpu` under it; a small one where threads are crowded."""

    def each(schedules=SCHEDULES):
        for name in schedules:
            emulator.set_schedule(*emulate.SCHEDULES[name])
            yield name, emulate.gpu(*[emulate.SmallGpu] * (name == "crowded"))

    yield each
    emulator.set_schedule(*emulate.SCHEDULES["forward"])


@pytest.fixture(params=SCHEDULES)
def gpu(request, gpus):
    """A `Gpu`, under each schedule in turn."""
    return next(gpus([request.param]))[1]


@pytest.fixture(scope="session")
def in_sanitized():
    """``in_sanitized(variant, *command)``: run Python with a sanitized build, and say what came."""

    def run(variant, *command, module=None, **more):
        reason = emulate.missing() or builds.missing_sanitizer(variant)
        if reason:
            pytest.skip(reason)
        path = module or emulate.build(variant)
        env = os.environ | builds.sanitized_environment(variant)
        env |= {"VOXKERN_EMU": variant, "VOXKERN_EMU_MODULE": str(path)} | more
        return subprocess.run(
            [sys.executable, *command], env=env, capture_output=True, text=True, check=False
        )

    return run
