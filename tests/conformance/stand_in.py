"""A pytest plugin that puts voxkern's functions in SciPy's place while SciPy's own tests run.

A call that voxkern refuses by design (another element type, a complex image) goes to SciPy, with
the reason noted; a test counts as ours only if voxkern answered at least one of its calls.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage as ndimage

import voxkern

LINEAR = ("correlate1d", "convolve1d", "uniform_filter", "uniform_filter1d", "sobel", "prewitt",
          "laplace", "gaussian_laplace", "gaussian_gradient_magnitude", "correlate",
          "convolve")  # fmt: skip
TYPES = {"uint8", "int16", "uint16", "int32", "float32", "float64"}
MASKS = TYPES | {"bool"}


class Refused(Exception):
    """voxkern does not take this call by design."""


class Tally:
    """What became of the calls of the test that runs now."""

    def __init__(self) -> None:
        self.ours = 0
        self.refused: set[str] = set()


tally = Tally()


def plain_output(call: Callable[..., Any]) -> Callable[..., Any]:
    """Serve SciPy's ``output=``, a type or an array of any type, by voxkern's answer."""

    @functools.wraps(call)
    def served(image: Any, *args: Any, output: Any = None, **kwargs: Any) -> Any:
        x = np.asarray(image)
        if isinstance(output, np.ndarray):
            if output.shape != x.shape and call.__name__ not in {"zoom", "affine_transform"}:
                raise Refused("output of another shape")
            if output.dtype == x.dtype and not np.shares_memory(output, x):
                return call(x, *args, out=output, **kwargs)
            raise Refused("output of another type")
        if output is not None and np.dtype(output) != x.dtype:
            raise Refused("output of another type")
        return call(x, *args, **kwargs)

    return served


def image_type(x: Any, allowed: set[str] = TYPES) -> np.ndarray:
    x = np.asarray(x)
    if x.dtype.name not in allowed:
        raise Refused(f"an image of {x.dtype.name}")
    return x


def gaussian_filter(input, sigma, order=0, output=None, mode="reflect", cval=0.0,
                    truncate=4.0, *, radius=None, axes=None):  # fmt: skip
    x = image_type(input)
    if x.ndim > 3 and axes is None:
        raise Refused("more than three axes: leading ones are looped over")
    return plain_output(voxkern.gaussian_filter)(
        x, sigma, output=output, order=order, mode=mode, cval=cval, truncate=truncate,
        radius=radius, axes=axes,
    )  # fmt: skip


def _linear(name: str) -> Callable[..., Any]:
    """Serve a filter whose arguments are SciPy's but for ``output=``."""
    original = getattr(ndimage, name)
    signature = inspect.signature(original)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs).arguments
        x = image_type(bound.pop("input"))
        bound.update(bound.pop("kwargs", {}))
        if x.ndim > 3 and bound.get("axes") is None and "axis" not in signature.parameters:
            raise Refused("more than three axes: leading ones are looped over")
        if np.iscomplexobj(bound.get("weights", 0)):
            raise Refused("complex weights")
        return plain_output(getattr(voxkern, name))(x, output=bound.pop("output", None), **bound)

    return functools.wraps(original)(call)


def median_filter(input, size=None, footprint=None, output=None, mode="reflect", cval=0.0,
                  origin=0, *, axes=None):  # fmt: skip
    x = image_type(input)
    if x.ndim > 3 and axes is None:
        raise Refused("more than three axes: leading ones are looped over")
    return plain_output(voxkern.median_filter)(
        x, size, output=output, footprint=footprint, mode=mode, cval=cval, origin=origin, axes=axes
    )


def _of_neighbourhoods(name: str) -> Callable[..., Any]:
    original = getattr(ndimage, name)
    signature = inspect.signature(original)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs).arguments
        x = image_type(bound.pop("input"), MASKS)
        if x.ndim > 3 and bound.get("axes") is None and "axis" not in bound:
            raise Refused("more than three axes: leading ones are looped over")
        given = [bound.get(what) is not None for what in ("size", "footprint")]
        if all(given) or (not any(given) and bound.get("structure") is None):
            raise Refused("a size beside a footprint, or neither")
        if bound.get("structure") is not None and bound.pop("size", None) is not None:
            raise Refused("a size beside a structure")
        separable = bound.get("footprint") is None or np.all(bound["footprint"])
        if not isinstance(bound.get("mode", ""), str) and not (
            separable and bound.get("structure") is None
        ):
            raise Refused("several modes for a footprint")
        if name.startswith(("rank", "percentile")) and not isinstance(bound.get("mode", ""), str):
            raise Refused("several modes")
        return plain_output(functools.wraps(original)(getattr(voxkern, name)))(x, **bound)

    return functools.wraps(original)(call)


def _interpolated(name: str) -> Callable[..., Any]:
    original = getattr(ndimage, name)
    signature = inspect.signature(original)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs).arguments
        x = image_type(bound.pop("input"))
        if x.ndim > 3:
            raise Refused("more than three axes: leading ones are looped over")
        output = bound.pop("output", None)
        function = getattr(voxkern, name)
        if isinstance(output, np.ndarray):
            if output.dtype != x.dtype:
                raise Refused("output of another type")
            bound["out"] = output
            if "output_shape" in inspect.signature(function).parameters:
                bound.setdefault("output_shape", output.shape)
        elif output is not None and np.dtype(output) != x.dtype:
            raise Refused("output of another type")
        return function(x, **bound)

    return functools.wraps(original)(call)


def _binary(name: str) -> Callable[..., Any]:
    original = getattr(ndimage, name)
    signature = inspect.signature(original)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs).arguments
        x = image_type(bound.pop("input"), MASKS)
        output = bound.pop("output", None)
        bound.pop("brute_force", None)
        if x.ndim > 3:
            raise Refused("more than three axes: leading ones are looped over")
        if "axes" in bound and bound["axes"] is not None:
            raise Refused("axes")
        bound.pop("axes", None)
        answer = getattr(voxkern, name)(x != 0, **bound)
        if isinstance(output, np.ndarray):
            output[...] = answer
            return output
        return answer if output is None else answer.astype(output)

    return functools.wraps(original)(call)


def label(input, structure=None, output=None):
    x = image_type(input, MASKS)
    if output is not None:
        raise Refused("output of a chosen type")
    if structure is None:
        connectivity = 1
    else:
        structure = np.asarray(structure, bool)
        for connectivity in range(1, x.ndim + 1):
            if np.array_equal(structure, ndimage.generate_binary_structure(x.ndim, connectivity)):
                break
        else:
            raise Refused("a structure of one's own: voxkern takes a connectivity")
    if x.ndim > 3 or x.ndim == 0:
        raise Refused("more than three axes, or none")
    return voxkern.label(x != 0, connectivity=connectivity, return_num=True)


def distance_transform_edt(input, sampling=None, return_distances=True, return_indices=False,
                           distances=None, indices=None):  # fmt: skip
    x = image_type(input, MASKS | {"int64"})
    if not return_distances or distances is not None or indices is not None or x.ndim > 3:
        raise Refused("distances or indices given to be filled")
    answer = voxkern.distance_transform_edt(x != 0, spacing=sampling, return_indices=return_indices)
    if return_indices:
        return answer[0].astype(float), answer[1]
    return answer.astype(float)


OURS: dict[str, Callable[..., Any]] = {
    "gaussian_filter": gaussian_filter,
    "median_filter": median_filter,
    "label": label,
    "distance_transform_edt": distance_transform_edt,
    **{n: _linear(n) for n in LINEAR},
    **{n: _interpolated(n) for n in
       ("affine_transform", "zoom", "map_coordinates", "spline_filter", "rotate", "shift")},
    **{n: _of_neighbourhoods(n) for n in
       ("minimum_filter", "maximum_filter", "minimum_filter1d", "maximum_filter1d", "grey_erosion",
        "grey_dilation", "grey_opening", "grey_closing", "morphological_gradient", "white_tophat",
        "black_tophat", "rank_filter", "percentile_filter")},
    **{n: _binary(n) for n in
       ("binary_erosion", "binary_dilation", "binary_opening", "binary_closing",
        "binary_hit_or_miss", "binary_propagation", "binary_fill_holes")},
}  # fmt: skip


def _noted(name: str, ours: Callable[..., Any]) -> Callable[..., Any]:
    original = getattr(ndimage, name)

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            answer = ours(*args, **kwargs)
        except Refused as reason:
            tally.refused.add(f"{name}: {reason}")
            return original(*args, **kwargs)
        tally.ours += 1
        return answer

    return call


def pytest_collection_finish(session: pytest.Session) -> None:
    """Take SciPy's place once its tests are collected: their marks are made from its functions."""
    for name, ours in OURS.items():
        setattr(ndimage, name, _noted(name, ours))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    tally.ours, tally.refused = 0, set()
    try:
        return (yield)
    finally:
        item.user_properties += [("ours", tally.ours), ("refused", sorted(tally.refused))]


_lines: list[dict[str, Any]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        facts = dict(report.user_properties)
        _lines.append(
            {
                "test": report.nodeid.split("tests/")[-1],
                "outcome": report.outcome,
                "ours": facts.get("ours", 0),
                "refused": facts.get("refused", []),
                "message": str(report.longrepr)[-1500:] if report.failed else "",
            }
        )


def pytest_sessionfinish() -> None:
    Path(os.environ["VOXKERN_CONFORMANCE"]).write_text(json.dumps(_lines))
