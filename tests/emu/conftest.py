import emulate
import pytest


@pytest.fixture(scope="session")
def emulator():
    """The module in which the CPU plays the GPU, built if need be."""
    reason = emulate.missing()
    if reason:
        pytest.skip(reason)
    return emulate.module()


@pytest.fixture(params=emulate.SCHEDULES)
def gpu(request, emulator):
    """A `Gpu`, under each schedule in turn."""
    emulator.set_schedule(*emulate.SCHEDULES[request.param])
    yield emulate.gpu()
    emulator.set_schedule(*emulate.SCHEDULES["forward"])
