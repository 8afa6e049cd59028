"""Every public function, handed arrays on a device: NumPy's answer, or a refusal that helps.

Nobody lists the functions: those that `voxkern.info()` calls CPU-only have to refuse, all others
have to answer.
"""

import numpy as np
import pretend
import pytest
from test_every_function import NAMES, SHAPE, arrays_in, call, images, rest

import voxkern

# What has to be said where it cannot be found from an image on a device.
MORE = {
    "denoise_bilateral": {"sigma_color": 0.3},
    "denoise_nl_means": {"sigma": 0.1},
    "despeckle": {"noise": 0.3},
}
ON_DEVICE = {"coordinates"}  # parameters beside images that are volumes too
CPU_ONLY = voxkern.info()["cpu_only"]


def put(value):
    return pretend.DeviceArray(np.array(value))


def home(answer):
    """An answer with its device arrays as NumPy's."""
    if isinstance(answer, pretend.DeviceArray):
        return answer.host
    if isinstance(answer, dict):
        return {key: home(value) for key, value in answer.items()}
    return type(answer)(map(home, answer)) if type(answer) in (tuple, list) else answer


@pytest.fixture
def ask(emulator, monkeypatch):
    """``ask(name, images, more)``: call a function with its images on the device."""

    def run(name, made, more):
        pretend.use(emulator, monkeypatch)
        there = {key: put(image) for key, image in made.items()}
        volumes = {key: put(more[key]) for key in ON_DEVICE & set(more)}
        return call(name, **there, **{**more, **volumes})

    return run


@pytest.mark.parametrize("name", [name for name in NAMES if name not in CPU_ONLY])
def test_a_device_array_gets_numpys_answer(ask, name):
    made, more = images(name), rest(name) | MORE.get(name, {})
    wanted = call(name, **made, **more)
    got = ask(name, made, more)
    if isinstance(wanted, np.ndarray) and wanted.shape == SHAPE:
        assert isinstance(got, pretend.DeviceArray), "the answer left the device"
    for a, b in zip(arrays_in(home(got)), arrays_in(wanted), strict=True):
        assert a.dtype == b.dtype
        if b.dtype.kind == "f":
            largest = float(np.abs(b[np.isfinite(b)]).max(initial=0))
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * largest)
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CPU_ONLY)
def test_what_runs_on_the_cpu_alone_says_how_to_get_there(ask, name):
    with pytest.raises((TypeError, NotImplementedError), match=r"CPU.*cupy\.asnumpy\(x\)"):
        ask(name, images(name), rest(name))


@pytest.mark.parametrize("shape", [(0, 4, 4), (3, 4, 5), (1, 1, 1)])
@pytest.mark.parametrize("filled", ["both", "pred", "ref", "neither"])
def test_surfaces_of_nothing_and_of_all_are_numpys(emulator, monkeypatch, shape, filled):
    pred = np.full(shape, filled in ("both", "pred"), np.uint8)
    ref = np.full(shape, filled in ("both", "ref"), np.uint8)
    functions = (
        voxkern.hausdorff_distance,
        voxkern.average_surface_distance,
        lambda p, r: voxkern.surface_dice(p, r, 1),
        lambda p, r: voxkern.hausdorff_distance(p, r, points="mask", definition="union"),
    )
    wanted = [function(pred, ref) for function in functions]
    pretend.use(emulator, monkeypatch)
    np.testing.assert_array_equal([f(put(pred), put(ref)) for f in functions], wanted)
