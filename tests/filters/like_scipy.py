"""What the tests of linear filters share: images, and how near an answer is to SciPy's."""

import numpy as np

MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]
SHAPES = [(9,), (1,), (7, 10), (1, 50), (40, 1), (1, 1, 1), (3, 40, 33), (17, 1, 5)]
# Of the largest magnitude: how far float sums may be from SciPy's, which are in float64.
NEAR = {"float32": 1e-6, "float64": 1e-12}


def image(shape, dtype, seed=0):
    x = 60 * np.random.default_rng(seed).standard_normal(shape)
    return x.astype(np.int32).astype(dtype) if dtype not in NEAR else x.astype(dtype)


def hold(got, want, source, gain=1):
    """Integers are equal; floats differ by their rounding, as a share of the image's range."""
    assert got.dtype == want.dtype
    if got.dtype.name in NEAR:
        span = gain * (float(np.ptp(source)) if source.size > 1 else 60)
        np.testing.assert_allclose(got, want, rtol=0, atol=NEAR[got.dtype.name] * span)
    else:
        np.testing.assert_array_equal(got, want)
