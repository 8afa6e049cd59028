"""What every public function owes its callers, whoever wrote it; nobody lists the functions.

A call is made up from the names of the parameters. A new name is given a good value in `GOOD`.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import voxkern

SHAPE = (6, 7, 9)
NO_IMAGES = {"info", "read", "read_dicom_series", "set_threads", "use_backend", "write"}
COMPLEX = {"affine_transform", "map_coordinates", "resample", "resize", "rotate", "shift", "zoom"}
SERIES = {"denoise_mppca"}  # of volumes
SLOW = {"register"}  # several seconds a call; its own tests refuse
MASKS = {"mask", "pred", "ref"}
IMAGES = {"image", "fixed", "moving", "reference", "seed", "tensor", *MASKS}
GOOD: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "angle": lambda shape: 20.0,
    "bands": lambda shape: "H" * min(len(shape), 3),
    "center": lambda shape: 0.5,
    "coordinates": lambda shape: np.indices(shape, float) + 0.25,
    "delay_s": lambda shape: 60.0,
    "dose_bq": lambda shape: 1e8,
    "h": lambda shape: 0.1,
    "half_life_s": lambda shape: 6600.0,
    "kernels": lambda shape: ["L3", "E3", "S3"][: len(shape)],
    "lower": lambda shape: 0.2,
    "matrix": lambda shape: np.eye(min(len(shape), 3)),
    "name": lambda shape: "haar",
    "order": lambda shape: (1, 0, 1)[: len(shape)],
    "percentile": lambda shape: 30,
    "q": lambda shape: 30,
    "rank": lambda shape: 1,
    "seeds": lambda shape: [(0,) * min(len(shape), 3)],
    "shape": lambda shape: shape,
    "shift": lambda shape: 0.25,
    "sigma": lambda shape: 1.0,
    "size": lambda shape: 3,
    "tolerance": lambda shape: 1.0,
    "upper": lambda shape: 0.9,
    "wavelength": lambda shape: 4.0,
    "weight_kg": lambda shape: 70.0,
    "weights": lambda shape: np.ones((2,) * min(len(shape), 3)),
    "width": lambda shape: 0.5,
    "zoom": lambda shape: 1.5,
}
NAMES = sorted(
    name
    for name in voxkern.__all__
    if inspect.isfunction(getattr(voxkern, name)) and name not in NO_IMAGES | SLOW
)


def needed(name: str) -> list[str]:
    parameters = inspect.signature(getattr(voxkern, name)).parameters.values()
    return [p.name for p in parameters if p.default is p.empty]


def takes(name: str, parameter: str) -> bool:
    return parameter in inspect.signature(getattr(voxkern, name)).parameters


def images(name: str, shape: tuple[int, ...] | None = None) -> dict[str, np.ndarray]:
    """The images that a function needs: smooth ones, and masks that have an inside and a hole."""
    rng = np.random.default_rng(0)
    if shape is None:
        shape = (*SHAPE, 9) if name in SERIES else SHAPE
    made: dict[str, np.ndarray] = {}
    for parameter in needed(name):
        if parameter in MASKS and name != "reconstruction":
            made[parameter] = rng.random(shape) < 0.6
        elif parameter in IMAGES:
            parts = (6,) if parameter == "tensor" else ()
            made[parameter] = rng.random((*parts, *shape), np.float32)
    if name == "reconstruction":
        made["mask"] = made["seed"] + np.float32(0.5)
    if name.startswith("binary"):
        made["image"] = rng.random(shape) < 0.6
    if name in {"label", "local_entropy", "glcm", "glcm_features"}:
        made["image"] = rng.integers(1, 4, shape).astype(np.uint8)
    return made


def rest(name: str, shape: tuple[int, ...] = SHAPE) -> dict[str, Any]:
    """Good values for all other parameters that have no default."""
    values: dict[str, Any] = {}
    for parameter in needed(name):
        if parameter not in IMAGES:
            assert parameter in GOOD, f"{name} needs {parameter!r}: put a good value into GOOD"
            values[parameter] = GOOD[parameter](shape)
    if name in {"convolve1d", "correlate1d"}:
        values["weights"] = np.array([1.0, 2.0, -1.0])
    if name in {"glcm", "glcm_features"}:
        values["levels"] = 3
    if name == "discretize":
        values["bins"] = 8
    if name == "resample":
        values["new_spacing"] = 1.5
    if takes(name, "footprint") and takes(name, "size") and not name.startswith("binary"):
        values["size"] = 3
    return values


def call(name: str, /, **given: Any) -> Any:
    return getattr(voxkern, name)(**given)


def arrays_in(answer: Any) -> Iterator[np.ndarray]:
    """Everything in an answer, as arrays, in a fixed order."""
    if isinstance(answer, dict):
        for value in answer.values():
            yield from arrays_in(value)
    elif isinstance(answer, (tuple, list)):
        for value in answer:
            yield from arrays_in(value)
    elif dataclasses.is_dataclass(answer):
        yield from arrays_in([getattr(answer, field.name) for field in dataclasses.fields(answer)])
    else:
        yield np.asarray(answer)


def assert_same(name: str, got: Any, wanted: Any) -> None:
    for a, b in zip(arrays_in(got), arrays_in(wanted), strict=True):
        assert a.dtype.newbyteorder("=") == b.dtype.newbyteorder("="), name
        np.testing.assert_array_equal(a, b, err_msg=name)


def assert_refused(name: str, what: str, given: dict[str, Any], *parameters: str) -> None:
    """An error of the right kind that names one of the parameters (any, if none is said)."""
    known = parameters or tuple(inspect.signature(getattr(voxkern, name)).parameters)
    try:
        call(name, **given)
    except (TypeError, ValueError) as error:
        text = str(error)
    else:
        pytest.fail(f"{name} takes {what}")
    assert set(re.findall(r"\w+", text)) & set(known), f"{name}, {what}: {text}"


def answer_or_refusal(name: str, what: str, given: dict[str, Any]) -> Any:
    """The answer, or None if the call is refused by name."""
    try:
        return call(name, **given)
    except (TypeError, ValueError):
        assert_refused(name, what, given)
        return None


ODD = {
    "Fortran's order": np.asfortranarray,
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "from behind": lambda x: np.ascontiguousarray(x[::-1, ..., ::-1])[::-1, ..., ::-1],
    "the other byte order": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "unaligned": lambda x: _unaligned(x),
    "read-only": lambda x: _read_only(x),
}


def _unaligned(x: np.ndarray) -> np.ndarray:
    y = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


def _read_only(x: np.ndarray) -> np.ndarray:
    y = x.copy()
    y.flags.writeable = False
    return y


@pytest.mark.parametrize("name", NAMES)
def test_odd_memory_changes_nothing_and_nothing_changes_the_input(name: str) -> None:
    made = images(name)
    before = {key: image.copy() for key, image in made.items()}
    wanted = call(name, **made, **rest(name))
    for what, odd in ODD.items():
        given = {key: odd(image) for key, image in made.items()}
        assert_same(f"{name}, {what}", call(name, **given, **rest(name)), wanted)
        for key, image in given.items():
            np.testing.assert_array_equal(image, before[key], err_msg=f"{name} wrote to {key}")


NO_IMAGE = {
    "objects": np.full(SHAPE, None),
    "dates": np.zeros(SHAPE, "M8[D]"),
    "text": np.zeros(SHAPE, "U3"),
    "records": np.zeros(SHAPE, [("a", "f4")]),
    "complex numbers": np.zeros(SHAPE, complex),
    "a number": 3.0,
    "None": None,
    "a word": "brain.nii",
    "a masked array": np.ma.masked_array(np.ones(SHAPE), np.ones(SHAPE, bool)),
    "a ragged list": [[1, 2], [3]],
}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_image_is_refused_by_name(name: str) -> None:
    made = images(name)
    for parameter in made:
        for what, bad in NO_IMAGE.items():
            if what == "complex numbers" and name in COMPLEX:
                continue
            assert_refused(name, what, {**made, parameter: bad, **rest(name)}, parameter)


@pytest.mark.parametrize("name", NAMES)
def test_one_voxel_none_and_ten_axes_have_an_answer_or_a_refusal(name: str) -> None:
    for shape in [(1, 1, 1), (1,), (0, 4, 5), (4, 0), (3, 2, 0, 5), (1, 2, 1, 1, 1, 1, 1, 3, 4, 5)]:
        made, more = images(name, shape), rest(name, shape)
        answer = answer_or_refusal(name, str(shape), made | more)
        turned = {key: ODD["the other byte order"](image) for key, image in made.items()}
        again = answer_or_refusal(name, str(shape), turned | more)
        assert (answer is None) == (again is None)


@pytest.mark.parametrize("name", NAMES)
def test_nan_and_infinity_have_an_answer_or_a_refusal_and_no_warning(name: str) -> None:
    for value in (np.nan, np.inf, -np.inf, 3e38):
        for part in (np.s_[:], np.s_[2, 3]):
            made = images(name)
            for image in made.values():
                if image.dtype.kind == "f":
                    image[part] = value
            answer_or_refusal(name, str(value), made | rest(name))


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "out")])
def test_out_is_filled_and_checked_before_anything_is_written(name: str) -> None:
    made, more = images(name), rest(name)
    wanted = call(name, **made, **more)
    (first, *_) = wanted if isinstance(wanted, tuple) else (wanted,)
    assert isinstance(first, np.ndarray), name
    out = np.empty_like(first)
    answer = call(name, **made, **more, out=out)
    assert (answer[0] if isinstance(answer, tuple) else answer) is out
    np.testing.assert_array_equal(out, first, err_msg=name)
    turned = {key: ODD["the other byte order"](image) for key, image in made.items()}
    for what in ("Fortran's order", "every second", "unaligned"):
        odd = ODD[what](np.empty_like(first))
        call(name, **turned, **more, out=odd)
        np.testing.assert_array_equal(odd, first, err_msg=f"{name}, {what}")

    refused = {
        "an out of another shape": np.full([n + 1 for n in first.shape], 7, first.dtype),
        "an out of another type": np.full(first.shape, 7, np.complex64),
        "a read-only out": np.broadcast_to(first.dtype.type(1), first.shape),
        "a list as out": first.tolist(),
    }
    for what, bad in refused.items():
        before = np.array(bad)
        assert_refused(name, what, {**made, **more, "out": bad}, "out")
        np.testing.assert_array_equal(np.array(bad), before, err_msg=f"{name} wrote to {what}")

    for key, image in made.items():
        if image.shape == first.shape and image.dtype == first.dtype:
            own = {**made, key: image.copy()}
            own["out"] = own[key][::-1]
            if (got := answer_or_refusal(name, "its own input as out", own | more)) is not None:
                assert_same(f"{name}, in place", got, wanted)


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "spacing")])
def test_a_spacing_has_one_value_for_each_axis_of_a_volume(name: str) -> None:
    """Image.map hands it over to whoever takes it; of series the last three axes have one."""
    spacing = (2.0, 1.0, 1.5)
    call(name, **images(name), **rest(name), spacing=spacing)
    series = {**images(name, (2, *SHAPE)), **rest(name, (2, *SHAPE))}
    if answer_or_refusal(name, "a series", series) is not None:
        call(name, **series, spacing=spacing)


@pytest.mark.parametrize("name", [name for name in NAMES if takes(name, "progress")])
def test_progress_changes_nothing_and_its_bar_goes_away(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voxkern._bar._APART", 0)
    made, more = images(name), rest(name)
    steps: list[tuple[int, int]] = []
    wanted = call(name, **made, **more)
    for progress in (True, False, lambda done, total: steps.append((done, total))):
        assert_same(name, call(name, **made, **more, progress=progress), wanted)
    shown = capsys.readouterr().err
    assert all(0 <= done <= total for done, total in steps)
    assert all(part.startswith((name, " ")) for part in shown.split("\r") if part)
    assert not shown or shown.endswith(" \r")


RAGGED = [[1, 2], [3]]
NO_PLACES = ["here", np.nan, 1e300, 10**400, (0.0, 1.0)]
NO_DIRECTIONS = ["up", RAGGED, np.eye(2), np.zeros((3, 3)), np.eye(3) * 1e200, [[10**400]]]
BAD = {
    "axes": ["x", 99, (0, 0), RAGGED],
    "bin_width": [0.0, -1.0, np.nan, 1e-300, 10**400, "wide"],
    "bins": [0, -1, 10**12],
    "empty": ["x", 10**400],
    "upper": ["x", np.nan, 10**400],
    "axis": ["x", 1.5, 99],
    "border_value": ["x", 1.5, 2, np.nan],
    "cval": ["black", None, (1.0, 2.0), 10**400],
    "footprint": [RAGGED],
    "gamma": [0.0, -1.0, np.nan, 10**400, "strong"],
    "kernel_size": [0, 2**62, 1.5, "big"],
    "labels": [RAGGED, "x"],
    "levels": [-1, 1.5, "few"],
    "matrix": ["x", RAGGED],
    "direction": NO_DIRECTIONS,
    "new_direction": NO_DIRECTIONS,
    "new_origin": NO_PLACES,
    "offset": NO_PLACES,
    "origin": NO_PLACES,
    "shift": NO_PLACES,
    "percentile": ["x", np.nan],
    "progress": ["loud", 3],
    "nbins": [0, -1, 1.5, "few", 10**9, 2**62],
    "q": ["x", 101, np.nan],
    "structure": [RAGGED],
    "structure1": [RAGGED],
    "weights": [RAGGED, "x"],
    "area_threshold": [0, 1e300],
    "iterations": [1.5, 2**70],
    "workers": [0, -1, 1.5, "two", 2**70],
    "mode": ["sideways", 3],
    "spacing": [0.0, -1.0, np.nan, np.inf, (1.0, 2.0), "1 mm", 1e300, 1e-300],
    "zoom": [0.0, -1.0, np.nan, 1e5, 1e300, "twice", (1.0, 2.0)],
    "new_spacing": [0.0, -1.0, np.nan, np.inf, 1e-5, 1e300, "fine", (1.0, 2.0)],
    "shape": [0, -1, 10**5, 1e300, 1.5, "large", (1, 2)],
    "delay_s": [-1.0, np.nan, 1e300, "an hour"],
    "output_shape": [10**5, 1e12, (10**9, 10**9, 10**9)],
    "sigma": ["wide", np.nan, 10**400],
    "sigmas": ["wide", np.nan, 10**400, 0, 1e-300, 1e300, RAGGED, [], [[1.0]]],
    "sigma_ratio": ["wide", np.nan, 10**400, 1, 1e300],
    "min_sigma": ["wide", np.nan, 10**400, 0, 1e-300, 1e300, (1.0, 2.0)],
    "max_sigma": ["wide", np.nan, 10**400, 0, 1e-300, 1e300, (1.0, 2.0)],
    "gradient_sigma": ["wide", np.nan, 10**400, 0, 1e-300, 1e300, (1.0, 2.0)],
    "size": [10**9, 2**62, 1.5, "big"],
    "truncate": [1e9, 1e300, -1.0, np.nan, 10**400],
}


@pytest.mark.parametrize("parameter", BAD)
def test_a_bad_value_is_refused_by_name_everywhere(parameter: str) -> None:
    for name in NAMES:
        if takes(name, parameter):
            for bad in BAD[parameter]:
                given = images(name) | rest(name) | {parameter: bad}
                if parameter == "footprint" and name not in {"local_maxima", "reconstruction"}:
                    given.pop("size", None)
                assert_refused(name, f"{parameter}={bad!r}", given, parameter)
