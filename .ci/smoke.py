"""A few ops on one backend: that an install works at all."""

import sys

import numpy as np

import voxkern

backend = sys.argv[1]
info = voxkern.info()
ready = [name for name, state in info["backends"].items() if state == "ready"]
print("backends ready:", *ready)
assert backend in ready
if backend != "native":
    assert "native" not in ready, "this install was meant to have no compiled kernels"

rng = np.random.default_rng(0)
image = rng.random((24, 25, 26), np.float32)
mask = image > 0.5
assert voxkern.median_filter(image, 3).shape == image.shape
assert abs(voxkern.gaussian_filter(image, 1.5).mean() - image.mean()) < 0.01
assert voxkern.label(mask, connectivity=1).max() > 1
assert voxkern.distance_transform_edt(mask).max() > 0
print("median, Gaussian, label and distance transform run on", backend)
