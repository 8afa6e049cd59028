"""Affine maps of the world, and ITK's text files of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _args

_HEAD = "#Insight Transform File V1.0"


class Transform:
    r"""An affine map of world points, from the fixed image's world to the moving image's.

    Parameters
    ----------
    matrix : array of float, shape (n, n) or (n, n + 1), or (4, 4)
        The map of points ``(z, y, x)`` (or ``(y, x)``) in the unit of the spacing, n = 2 or 3. The
        last column of the wider forms is the translation. 3x3 is a map of space, not of a plane.
    translation : sequence of float, optional
        Added to the mapped point, for a square matrix.
    center : sequence of float, optional
        The point about which `matrix` turns: ``T(p) = matrix (p - center) + center + translation``.

    Notes
    -----
    Direction and meaning are ITK's: ``T`` takes a point of the *fixed* (output) image to the point
    of the *moving* (input) image that is shown there, so `resample` reads at ``T(p)``, and to move
    an image by a vector one reads at minus that vector. Axes are in the order of the array's, as in
    `Image`; files have ITK's order, which `save` and `load` take care of.

    Examples
    --------
    >>> move = Transform(np.eye(3), (0, 0, 5))
    >>> move.apply((1, 2, 3))
    array([1., 2., 8.])
    >>> (move @ move.inverse()).apply((1, 2, 3))
    array([1., 2., 3.])
    """

    __slots__ = ("matrix",)

    matrix: NDArray[np.float64]

    def __init__(
        self, matrix: Any, translation: Sequence[float] | None = None, center: Any = None
    ) -> None:
        m = _args.as_numbers(matrix, "matrix")
        if m.shape not in {(2, 2), (3, 3), (2, 3), (3, 4), (4, 4)}:
            raise ValueError(f"matrix must be 2x2, 3x3, 2x3, 3x4 or 4x4; got shape {m.shape}")
        if not np.isfinite(m).all():
            raise ValueError("matrix must be finite")
        homogeneous = m.shape in {(2, 3), (3, 4), (4, 4)}
        if not homogeneous:
            n = m.shape[0]
            move = np.zeros(n) if translation is None else _point(translation, n, "translation")
            middle = np.zeros(n) if center is None else _point(center, n, "center")
            m = np.column_stack([m, move + middle - m @ middle])
        elif translation is not None or center is not None:
            raise ValueError("translation and center go with a square matrix without them")
        n = m.shape[1] - 1
        full = np.eye(n + 1)
        full[: m.shape[0]] = m
        if not np.array_equal(full[n], np.eye(n + 1)[n]):
            raise ValueError(f"matrix must end in the row {[0] * n + [1]}; got {full[n]}")
        full.flags.writeable = False
        object.__setattr__(self, "matrix", full)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Transform does not change; {name} cannot be set")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (np.array(self.matrix),)

    @property
    def ndim(self) -> int:
        """How many axes the world has."""
        return int(self.matrix.shape[0]) - 1

    @property
    def linear(self) -> NDArray[np.float64]:
        """The matrix without the translation."""
        return self.matrix[:-1, :-1]

    @property
    def translation(self) -> NDArray[np.float64]:
        """Where the world's zero goes."""
        return self.matrix[:-1, -1]

    @classmethod
    def identity(cls, ndim: int = 3) -> Transform:
        """Return the map that leaves every point where it is."""
        return _restore(np.eye(ndim + 1))

    def apply(self, points: Any) -> NDArray[np.float64]:
        """Return points of the moving world for points of the fixed world, shape (..., n)."""
        p = np.asarray(points, np.float64)
        if p.ndim < 1 or p.shape[-1] != self.ndim:
            raise ValueError(f"points must have {self.ndim} values along the last axis")
        return p @ self.linear.T + self.translation

    def compose(self, first: Transform) -> Transform:
        """Return the map that does `first` and then this one."""
        if first.ndim != self.ndim:
            raise ValueError(f"both transforms must have {self.ndim} axes; got {first.ndim}")
        return _restore(self.matrix @ first.matrix)

    def __matmul__(self, first: Transform) -> Transform:
        return self.compose(first)

    def inverse(self) -> Transform:
        """Return the map back, from the moving world to the fixed world."""
        if abs(np.linalg.det(self.linear)) < 1e-300:
            raise ValueError("a transform that flattens the world has no inverse")
        linear = np.linalg.inv(self.linear)
        return _restore(
            np.vstack([np.column_stack([linear, -linear @ self.translation]), self.matrix[-1]])
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transform) and np.array_equal(self.matrix, other.matrix)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        rows = "; ".join(" ".join(f"{v:.6g}" for v in row) for row in self.matrix[:-1])
        return f"Transform([{rows}])"

    def save(self, path: str | Path) -> None:
        """Write ITK's text form (.tfm, .txt), which SimpleITK, Slicer and ANTs read."""
        n = self.ndim
        numbers = [*self.linear[::-1, ::-1].ravel(), *self.translation[::-1]]
        lines = [
            _HEAD,
            "#Transform 0",
            f"Transform: AffineTransform_double_{n}_{n}",
            "Parameters: " + " ".join(repr(float(v)) for v in numbers),
            "FixedParameters: " + " ".join(["0"] * n),
        ]
        Path(path).write_text("\n".join(lines) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Transform:
        """Read ITK's text form of one linear transform.

        Affine, translation, Euler and versor transforms are understood; others raise ValueError.
        """
        text = Path(path).read_text().splitlines()
        if not text or not text[0].startswith("#Insight Transform File"):
            raise ValueError(f"{path} is not an ITK transform file")
        pairs = [line.split(":", 1) for line in text if ":" in line and not line.startswith("#")]
        kinds = [value.strip() for key, value in pairs if key == "Transform"]
        if len(kinds) != 1:
            raise ValueError(f"{path} must hold one transform; it holds {len(kinds)}")
        fields = {key: np.array([float(v) for v in value.split()]) for key, value in pairs[1:]}
        kind, _, n, _ = (*kinds[0].split("_"), "3", "3", "3")[:4]
        return _from_itk(kind, int(n), fields["Parameters"], fields.get("FixedParameters"), path)


def _restore(full: NDArray[np.float64]) -> Transform:
    made = object.__new__(Transform)
    full.flags.writeable = False
    object.__setattr__(made, "matrix", full)
    return made


def _point(values: Any, n: int, name: str) -> NDArray[np.float64]:
    p = np.array(values, np.float64)
    if p.shape != (n,) or not np.isfinite(p).all():
        raise ValueError(f"{name} must be {n} finite numbers; got {values!r}")
    return p


def _from_itk(kind: str, n: int, p: NDArray[Any], fixed: Any, path: Any) -> Transform:
    """Return the transform of ITK's parameters, which are in the order (x, y, z)."""
    center = np.zeros(n) if fixed is None or len(fixed) < n else fixed[:n]
    if kind in ("AffineTransform", "MatrixOffsetTransformBase"):
        linear, move = p[: n * n].reshape(n, n), p[n * n :]
    elif kind == "TranslationTransform":
        linear, move = np.eye(n), p
    elif kind == "IdentityTransform":
        linear, move = np.eye(n), np.zeros(n)
    elif kind == "Euler2DTransform":
        linear, move = _turn(2, p[0])[:2, :2], p[1:3]
    elif kind == "Euler3DTransform":
        x, y, z = (_turn(axis, angle) for axis, angle in enumerate(p[:3]))
        zyx = fixed is not None and len(fixed) > 3 and fixed[3]
        linear, move = (z @ y @ x if zyx else z @ x @ y), p[3:6]
    elif kind == "VersorRigid3DTransform":
        linear, move = _versor(p[:3]), p[3:6]
    elif kind == "Similarity3DTransform":
        linear, move = p[6] * _versor(p[:3]), p[3:6]
    else:
        raise ValueError(f"{path} holds a {kind}, which is not a linear transform known here")
    return Transform(linear[::-1, ::-1], move[::-1].tolist(), center[::-1].tolist())


def _turn(axis: int, angle: float) -> NDArray[np.float64]:
    """Rotation about axis x, y or z, as ITK counts."""
    c, s = np.cos(angle), np.sin(angle)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    m = np.eye(3)
    m[a, a], m[a, b], m[b, a], m[b, b] = c, -s, s, c
    return m


def _versor(v: NDArray[Any]) -> NDArray[np.float64]:
    x, y, z = v
    w = np.sqrt(max(0.0, 1 - v @ v))
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
