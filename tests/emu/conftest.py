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


@pytest.fixture(params=emulate.SCHEDULES if PLAIN else ["crowded"])
def gpu(request, emulator):
    """A `Gpu`, under each schedule in turn; a small one where threads are crowded."""
    emulator.set_schedule(*emulate.SCHEDULES[request.param])
    yield emulate.gpu(*[emulate.SmallGpu] * (request.param == "crowded"))
    emulator.set_schedule(*emulate.SCHEDULES["forward"])


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
