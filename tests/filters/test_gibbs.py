"""Gibbs ringing: a phantom whose Fourier space is cut off, DIPY's answer, refusals."""

import numpy as np
import pytest

from voxkern import gibbs_unring


def phantom(shape=(40, 48)):
    """A block in a disc, as it is and as few frequencies show it."""
    rows, columns = (2 * n for n in shape)
    j, i = np.ogrid[:rows, :columns]
    fine = 60.0 * (((j - rows / 2) / rows) ** 2 + ((i - columns / 2) / columns) ** 2 < 0.16)
    fine[rows // 3 : rows // 2, columns // 3 : columns // 2] = 100
    k = np.fft.fftshift(np.fft.fft2(fine))
    k = k[rows // 4 : rows // 4 + shape[0], columns // 4 : columns // 4 + shape[1]]
    ringing = np.abs(np.fft.ifft2(np.fft.ifftshift(k))) / 4
    return fine[::2, ::2], ringing


def test_ringing_goes():
    truth, ringing = phantom()
    mended = gibbs_unring(ringing)
    # Where all is flat three voxels around, but for the ringing.
    shifts = [(a, b) for a in range(-3, 4) for b in range(-3, 4)]
    flat = np.all([np.roll(truth, s, (0, 1)) == truth for s in shifts], axis=0)
    assert (mended - truth)[flat].std() < 0.8 * (ringing - truth)[flat].std()
    assert np.abs(mended - truth).mean() < np.abs(ringing - truth).mean()


def test_a_constant_image_stays_constant():
    np.testing.assert_allclose(gibbs_unring(np.full((9, 10), 7, np.uint8)), 7, rtol=1e-6)


def test_planes_axes_types_and_outputs():
    _, ringing = phantom((16, 18))
    series = np.stack([ringing, 2 * ringing, ringing[::-1]])
    one, steps = gibbs_unring(ringing), []
    y = gibbs_unring(series, progress=lambda done, planes: steps.append((done, planes)))
    np.testing.assert_allclose(y[1], 2 * one, rtol=1e-9)
    assert steps == [(1, 3), (2, 3), (3, 3)]
    turned = np.moveaxis(series, 0, 2)
    out = np.empty(turned.shape)
    assert gibbs_unring(turned, (0, 1), out=out, workers=1) is out
    np.testing.assert_array_equal(np.moveaxis(out, 2, 0), y)
    whole = ringing.astype(np.int16)
    assert gibbs_unring(whole).dtype == np.float32
    np.testing.assert_allclose(gibbs_unring(whole), gibbs_unring(whole.astype(float)), rtol=1e-5)
    assert gibbs_unring(series[:0]).shape == (0, 16, 18)


def test_dipys_answer():
    gibbs = pytest.importorskip("dipy.denoise.gibbs", reason="pip install dipy")
    for shape in ((40, 48), (17, 21)):
        _, ringing = phantom(shape)
        for points in (2, 3):
            want = gibbs.gibbs_removal(ringing, n_points=points, inplace=False)
            np.testing.assert_allclose(gibbs_unring(ringing, n_points=points), want, atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"axes": (0, 1, 2)}, "axes must be two"),
        ({"axes": (0, 3)}, "axes must be in"),
        ({"n_points": 0}, "n_points must be at least 1"),
        ({"n_points": 9}, "n_points must be less than 9; got 9"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, text):
    with pytest.raises(ValueError, match=text):
        gibbs_unring(np.zeros((3, 9, 9)), **arguments)
