"""Families of maps: their matrices from parameters that are all lengths, and the derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Matrix = np.ndarray[Any, Any]

MOTIONS = ("translation", "rigid", "similarity", "affine")


class Motion:
    """A map about a centre: its parameters move the rim of the image by about their length.

    Angles, scalings and shears are multiplied by `radius`, so that a step of one unit in any
    parameter moves voxels about as far, which is what optimisers want.
    """

    def __init__(self, name: str, centre: Matrix, radius: float) -> None:
        self.name, self.centre, self.radius = name, centre, radius
        n = self.ndim = len(centre)
        turns = n * (n - 1) // 2
        more = {"translation": 0, "rigid": turns, "similarity": turns + 1, "affine": n * n}
        self.size = n + more[name]

    def matrix(self, p: Matrix) -> Matrix:
        """Return the homogeneous matrix for parameters `p`; zeros give the identity."""
        return self._about_centre(self._linear(p[self.ndim :] / self.radius)[0], p)

    def derivatives(self, p: Matrix) -> Matrix:
        """Return the derivative of the matrix by each parameter, (size, n + 1, n + 1)."""
        n = self.ndim
        out = np.zeros((self.size, n + 1, n + 1))
        out[np.arange(n), np.arange(n), n] = 1
        for k, slope in enumerate(self._linear(p[n:] / self.radius)[1]):
            out[n + k, :n, :n] = slope / self.radius
            out[n + k, :n, n] = -slope @ self.centre / self.radius
        return out

    def _about_centre(self, linear: Matrix, p: Matrix) -> Matrix:
        n = self.ndim
        matrix = np.eye(n + 1)
        matrix[:n, :n] = linear
        matrix[:n, n] = self.centre - linear @ self.centre + p[:n]
        return matrix

    def _linear(self, q: Matrix) -> tuple[Matrix, list[Matrix]]:
        """Return the linear part and its derivatives by the parameters behind the translation."""
        n = self.ndim
        if self.name == "translation":
            return np.eye(n), []
        if self.name == "affine":
            return np.eye(n) + q.reshape(n, n), [e.reshape(n, n) for e in np.eye(n * n)]
        turns = n * (n - 1) // 2
        rotation, slopes = _rotation(q[:turns])
        if self.name == "rigid":
            return rotation, slopes
        scale = math.exp(q[turns])
        return scale * rotation, [*(scale * s for s in slopes), scale * rotation]


def _cross(w: Matrix) -> Matrix:
    return np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])


def _rotation(w: Matrix) -> tuple[Matrix, list[Matrix]]:
    """Return the rotation by one angle or by a rotation vector, and its derivatives."""
    if w.size == 1:
        c, s = math.cos(w[0]), math.sin(w[0])
        return np.array([[c, -s], [s, c]]), [np.array([[-s, -c], [c, -s]])]
    angle = float(np.linalg.norm(w))
    k = _cross(w)
    if angle < 1e-8:
        return np.eye(3) + k, [_cross(e) for e in np.eye(3)]
    rotation = np.eye(3) + math.sin(angle) / angle * k + (1 - math.cos(angle)) / angle**2 * (k @ k)
    # Gallego and Yezzi 2015, https://doi.org/10.1007/s10851-014-0528-x
    slopes = [
        (w[i] * k + _cross(np.cross(w, (np.eye(3) - rotation)[:, i]))) @ rotation / angle**2
        for i in range(3)
    ]
    return rotation, slopes
