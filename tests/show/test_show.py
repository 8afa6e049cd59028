"""Pictures whose every pixel is known."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from voxkern import Image, show


def test_planes_of_an_image_have_its_spacing() -> None:
    data = np.random.default_rng(0).random((4, 6, 8)).astype(np.float32)
    image = Image(data, (3, 1, 1))
    for found, wanted in zip(show.planes(image), show.planes(data, spacing=(3, 1, 1)), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert show.ortho(image, gap=2).shape == (12, 8 + 2 + 8 + 2 + 6, 3)
    assert show.ortho(image, spacing=1, gap=2).shape == (6, 26, 3)


def test_a_checkerboard_of_constants_has_equal_fields() -> None:
    a, b = np.zeros((8, 8), np.uint8), np.full((8, 8), 9, np.uint8)
    board = show.checkerboard(a, b, 4)
    assert (board[:2, :2] == 0).all()
    assert (board[:2, 2:4] == 9).all()
    assert (board[2:4, :2] == 9).all()
    assert np.count_nonzero(board) == 32


def test_a_checkerboard_of_an_image_with_itself_is_the_image() -> None:
    x = np.random.default_rng(0).random((5, 7, 9))
    assert np.array_equal(show.checkerboard(x, x, 3), x)


def test_fields_are_cubes_in_a_long_volume() -> None:
    board = show.checkerboard(np.zeros((4, 4, 8)), np.ones((4, 4, 8)), 4)
    assert board[0, 0].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert board[2, 0].tolist() == [1, 1, 0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_a_projection_is_what_numpy_says(axis: int) -> None:
    x = np.random.default_rng(1).random((3, 4, 5))
    assert np.array_equal(show.project(x, axis), np.max(x, axis=axis))
    assert np.array_equal(show.project(x, axis, "mean"), np.mean(x, axis=axis))


def test_an_overlay_mixes_colours_where_the_mask_is() -> None:
    picture = np.full((2, 2, 3), 100, np.uint8)
    mask = np.array([[True, False], [False, False]])
    made = show.overlay(picture, mask, (200, 0, 100), alpha=0.5)
    assert made[0, 0].tolist() == [150, 50, 100]
    assert (made[~mask] == 100).all()
    assert (picture == 100).all()


def test_an_outline_leaves_the_inside() -> None:
    mask = np.zeros((7, 7), bool)
    mask[1:6, 1:6] = True
    drawn = show.overlay(np.zeros((7, 7, 3), np.uint8), mask, (9, 9, 9), alpha=1, outline=True)
    assert np.count_nonzero(drawn[..., 0]) == 16
    assert not drawn[2:5, 2:5].any()


def test_a_region_at_the_border_has_no_outline_there() -> None:
    mask = np.ones((4, 4), bool)
    drawn = show.overlay(np.zeros((4, 4, 3), np.uint8), mask, alpha=1, outline=True)
    assert not drawn.any()


def test_grey_runs_from_black_to_white_in_the_window() -> None:
    x = np.array([-5.0, 0.0, 10.0, 99.0, np.nan])
    assert show.to_rgb(x, (0, 10))[:, 0].tolist() == [0, 0, 255, 255, 0]


def test_a_constant_image_can_be_shown() -> None:
    assert show.to_rgb(np.full((3, 3), 7.0)).shape == (3, 3, 3)


def test_colours_are_matplotlib_s() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    wanted = np.array(matplotlib.colormaps["viridis"](np.array([0.0, 1.0])))[:, :3]
    shown = show.to_rgb(np.array([0.0, 1.0]), (0, 1), colormap="viridis")
    assert np.abs(shown / 255 - wanted).max() < 1 / 255


def test_two_equal_images_blend_to_grey() -> None:
    x = np.arange(6.0).reshape(2, 3)
    made = show.blend(x, x)
    assert (made[..., 0] == made[..., 1]).all()
    assert (made[..., 1] == made[..., 2]).all()


def test_planes_go_through_the_voxel() -> None:
    x = np.zeros((4, 5, 6), np.uint8)
    x[1, 2, 3] = 7
    axial, coronal, sagittal = show.planes(x, (1, 2, 3))
    assert axial[2, 3] == coronal[1, 3] == sagittal[1, 2] == 7


def test_pixels_are_squares() -> None:
    axial, coronal, sagittal = show.planes(np.zeros((10, 20, 30), np.float32), spacing=(3, 1, 1))
    assert (axial.shape, coronal.shape, sagittal.shape) == ((20, 30), (30, 30), (30, 20))


def test_a_mask_stays_a_mask_between_voxels() -> None:
    mask = np.zeros((4, 4, 4), bool)
    mask[1:3, 1:3, 1:3] = True
    cut = show.planes(mask, (1, 1, 1), pixel=0.5)[0]
    assert cut.dtype == bool
    assert cut.sum() == 16


def test_ortho_puts_three_planes_in_a_row() -> None:
    x = np.full((4, 6, 8), 5.0)
    made = show.ortho(x, window=(0, 5), gap=2)
    assert made.shape == (6, 8 + 2 + 8 + 2 + 6, 3)
    assert (made[:, :8] == 255).all()
    assert (made[:, 8:10] == 0).all()


def test_a_montage_shows_slices_in_order() -> None:
    x = np.arange(4.0)[:, None, None] * np.ones((4, 2, 3))
    made = show.montage(x, 4, columns=2, gap=0, window=(0, 3))
    assert made[::2, ::3, 0].tolist() == [[0, 85], [170, 255]]


def test_a_histogram_has_its_curves_and_lines() -> None:
    pytest.importorskip("matplotlib")
    x = np.random.default_rng(0).random(100)
    axes = show.histogram_figure({"one": x, "two": x + 1}, {"t": 0.5}).axes[0]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["one", "two"]
    assert [line.get_xdata()[0] for line in axes.lines] == [0.5]


def test_times_are_bars() -> None:
    pytest.importorskip("matplotlib")
    axes = show.times_figure(["read", "show"], [1.0, 3.0]).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [1.0, 3.0]


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: show.checkerboard(np.zeros(3), np.zeros(4)), "same shape"),
    (lambda: show.checkerboard(np.zeros(3), np.zeros(3), 0), "tiles"),
    (lambda: show.blend(np.zeros(3), np.zeros(4)), "same shape"),
    (lambda: show.blend(np.zeros(3), np.zeros(3), (1, 1)), "window"),
    (lambda: show.to_rgb(np.zeros(3), (2, 1)), "window"),
    (lambda: show.overlay(np.zeros((2, 2)), np.zeros((2, 3))), "mask"),
    (lambda: show.overlay(np.zeros((2, 2)), np.zeros((2, 2)), alpha=2), "alpha"),
    (lambda: show.overlay(np.zeros((2, 2)), np.zeros((2, 2)), (1, 2, 300)), "color"),
    (lambda: show.project(np.zeros((2, 2)), 2), "axis"),
    (lambda: show.project(np.zeros((2, 2)), 0, "median"), "method"),
    (lambda: show.planes(np.zeros((2, 2))), "three axes"),
    (lambda: show.planes(np.zeros((0, 2, 2))), "empty"),
    (lambda: show.planes(np.zeros((2, 2, 2)), (0, 0, 2)), "at must be"),
    (lambda: show.planes(np.zeros((2, 2, 2)), spacing=(0, 1, 1)), "spacing"),
    (lambda: show.planes(np.zeros((2, 2, 2)), spacing=(1, 1)), "spacing must be one value or one"),
    (lambda: show.planes(np.zeros((2, 2, 2)), pixel=0), "pixel must be more than 0"),
    (lambda: show.montage(np.zeros((2, 2, 2)), 0), "count"),
    (lambda: show.montage(np.zeros((2, 2, 2)), axis=3), "axis"),
    (lambda: show.histogram_figure({}), "values"),
    (lambda: show.times_figure(["a"], []), "names"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED)
def test_what_cannot_be_shown_is_refused_by_name(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_complex_numbers_have_no_colour() -> None:
    with pytest.raises(TypeError, match="real"):
        show.to_rgb(np.zeros(3, complex))


def test_a_histogram_without_names_is_refused() -> None:
    with pytest.raises(TypeError, match=r"values must be a mapping .* got ndarray"):
        show.histogram_figure(np.zeros(3))


FUNCTIONS = [n for n in show.__all__ if inspect.isfunction(getattr(show, n))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples_run_as_written(name: str) -> None:
    function = getattr(show, name)
    space = {"np": np, "show": show} | {n: getattr(show, n) for n in FUNCTIONS}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in doctest.DocTestFinder(recurse=False).find(
        function, name, globs=space, module=False
    ):
        runner.run(test)
    assert runner.failures == 0
