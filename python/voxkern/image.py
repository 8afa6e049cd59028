"""Image: an array that knows where its voxels lie in the patient."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Geometry = Sequence[float] | NDArray[Any]

# Letters by world axis in array order (z, y, x): (towards negative, towards positive).
_LETTERS = (("I", "S"), ("A", "P"), ("R", "L"))
_UNIT_TOLERANCE = 1e-4  # directions come from float32 headers and decimal strings


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Image:
    r"""An array with the position, spacing and direction of its voxels.

    Parameters
    ----------
    data : array, shape ([leading axes,] [planes,] rows, columns)
        Any array: NumPy, CuPy or PyTorch. It is kept, not copied. Axes before the
        spatial ones (channel, time) have no spacing.
    spacing : float or sequence of float, optional
        Distance between neighbouring voxels along each spatial axis, in mm and in the
        order of the array's axes: ``(z, y, x)``. Its length, 2 or 3, says how many axes
        are spatial. Default: 1 along the last three axes (two for a 2-D array).
    origin : sequence of float, optional
        World position of the centre of voxel ``(0, 0, 0)``, in mm, as ``(z, y, x)``.
    direction : array, shape (n, n), optional
        Column ``a`` is the unit vector of the world along which array axis ``a`` runs;
        row ``r`` is the world's axis, again as ``(z, y, x)``. Default: the identity.
    meta : mapping, optional
        What else a file said, such as ``{"format": "DICOM", "modality": "CT"}``.

    Raises
    ------
    TypeError
        If `data` holds no numbers or a field has another type.
    ValueError
        If a field has the wrong length or is not finite, a spacing is not positive, or
        the columns of `direction` are not independent unit vectors.

    Notes
    -----
    The world is LPS, the patient's space of DICOM and ITK: x grows to the patient's left,
    y to posterior, z to superior. **Everything per axis is in the order of the array's
    axes**, so world points are ``(z, y, x)``:

    .. math:: world = origin + direction \, (spacing \odot index)

    An ITK image and its `Image` therefore have the same numbers read backwards:
    ``origin == itk_origin[::-1]``, ``direction == itk_direction[::-1, ::-1]``. An image
    on the plain axes has the identity as its direction, in both. `affine_xyz` gives the
    matrix that nibabel and ITK users know.

    Columns need not be orthogonal: a sheared grid (gantry tilt, a NIfTI sform) is kept
    as it is, and what cannot store it refuses.

    Examples
    --------
    >>> image = Image(np.zeros((2, 3, 4), np.uint8), spacing=(5, 1, 1), origin=(10, 0, 0))
    >>> image
    Image(2x3x4 uint8, spacing (5, 1, 1) mm, origin (10, 0, 0) mm, LPS)
    >>> image.index_to_world((1, 0, 3))
    array([15.,  0.,  3.])
    >>> image[:, ::2].spacing
    (5.0, 2.0, 1.0)
    """

    data: Any
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: NDArray[np.float64]
    meta: Mapping[str, Any]

    def __init__(
        self,
        data: Any,
        spacing: float | Geometry | None = None,
        origin: Geometry | None = None,
        direction: Any = None,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        data = _checked_data(data)
        lengths = _checked_spacing(spacing, data.ndim)
        n = len(lengths)
        if not isinstance(meta, Mapping | None):
            raise TypeError(f"meta must be a mapping, not {type(meta).__name__}")
        for name, value in (
            ("data", data),
            ("spacing", lengths),
            ("origin", _checked_origin(origin, n)),
            ("direction", _checked_direction(direction, n)),
            ("meta", MappingProxyType(dict(meta or {}))),
        ):
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (self.data, self.spacing, self.origin, self.direction, dict(self.meta))
        return type(self), fields

    @classmethod
    def from_affine(
        cls, data: Any, affine: Geometry, *, meta: Mapping[str, Any] | None = None
    ) -> Image:
        """Image whose geometry is a matrix from index to world, both ``(z, y, x)``.

        Parameters
        ----------
        data : array
            The voxels.
        affine : array, shape (n + 1, n + 1)
            As the property `affine`; n is 2 or 3.
        meta : mapping, optional
            As in `Image`.

        Returns
        -------
        Image
        """
        matrix = np.asarray(affine, np.float64)
        if matrix.shape not in ((3, 3), (4, 4)):
            raise ValueError(f"affine must have shape (3, 3) or (4, 4), not {matrix.shape}")
        n = len(matrix) - 1
        last = [0.0] * n + [1.0]
        if not np.isfinite(matrix).all() or not np.array_equal(matrix[n], last):
            raise ValueError(f"affine must be finite and end in the row {last}:\n{matrix}")
        spacing = np.linalg.norm(matrix[:n, :n], axis=0)
        if not spacing.all():
            raise ValueError(f"affine must not have a column of zeros:\n{matrix}")
        return cls(data, tuple(spacing), tuple(matrix[:n, n]), matrix[:n, :n] / spacing, meta or {})

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of `data`."""
        return tuple(self.data.shape)

    @property
    def ndim(self) -> int:
        """Number of axes of `data`, leading ones included."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """Type of the voxels, as the array names it."""
        return self.data.dtype

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Length of the spatial axes, the last two or three."""
        return self.shape[-len(self.spacing) :]

    @property
    def affine(self) -> NDArray[np.float64]:
        """Matrix, (n + 1, n + 1), from index ``(z, y, x, 1)`` to world ``(z, y, x, 1)``, LPS."""
        n = len(self.spacing)
        matrix = np.eye(n + 1)
        matrix[:n, :n] = self.direction * self.spacing
        matrix[:n, n] = self.origin
        return matrix

    def affine_xyz(self, world: str = "RAS") -> NDArray[np.float64]:
        """Matrix from index ``(x, y, z, 1)`` to world ``(x, y, z, 1)``.

        Parameters
        ----------
        world : {'RAS', 'LPS'}
            Where the world's x, y and z point. RAS is nibabel's and MONAI's, LPS is ITK's.

        Returns
        -------
        array, shape (n + 1, n + 1)
        """
        if world not in ("RAS", "LPS"):
            raise ValueError(f"world must be 'RAS' or 'LPS', not {world!r}")
        n = len(self.spacing)
        turn = [*range(n)[::-1], n]
        matrix = self.affine[np.ix_(turn, turn)]
        if world == "RAS":
            matrix[:2] *= -1
        return matrix + 0.0  # -0.0 becomes 0.0

    @property
    def orientation(self) -> str:
        """Where x, y and z of the array point, as 'LPS' or 'RAI'; '' for a 2-D image.

        The letters are in the order x, y, z of ITK and nibabel and name the direction of
        growing index: Right/Left, Anterior/Posterior, Inferior/Superior.
        """
        if len(self.spacing) != 3:
            return ""
        axes, signs = self._nearest_axes()
        return "".join(_LETTERS[axes[a]][signs[a] > 0] for a in (2, 1, 0))

    @property
    def is_orthonormal(self) -> bool:
        """Whether the directions of the axes are perpendicular, within 1e-4."""
        cosines = self.direction.T @ self.direction
        return bool(np.abs(cosines - np.eye(len(self.spacing))).max() < 1e-4)

    def index_to_world(self, index: Geometry) -> NDArray[np.float64]:
        """World position in mm, ``(z, y, x)``, of a voxel index, whole or not.

        Parameters
        ----------
        index : array, shape (..., n)
            Index along the spatial axes, ``(z, y, x)``.

        Returns
        -------
        array, shape (..., n)
        """
        points = _points(index, len(self.spacing), "index")
        return points @ (self.direction * self.spacing).T + self.origin

    def world_to_index(self, point: Geometry) -> NDArray[np.float64]:
        """Index, not rounded, of a world position ``(z, y, x)`` in mm.

        Parameters
        ----------
        point : array, shape (..., n)
            World positions.

        Returns
        -------
        array, shape (..., n)
        """
        points = _points(point, len(self.spacing), "point")
        inverse = np.linalg.inv(self.direction * self.spacing)
        return (points - np.asarray(self.origin)) @ inverse.T

    def with_data(self, data: Any) -> Image:
        """Other voxels on the same grid.

        Parameters
        ----------
        data : array
            Its last axes have `spatial_shape`; leading axes are free.

        Returns
        -------
        Image
        """
        found = tuple(getattr(data, "shape", np.shape(data)))
        if found[-len(self.spacing) :] != self.spatial_shape:
            raise ValueError(
                f"data must end in the shape {self.spatial_shape} of the grid, not {found}"
            )
        return Image(data, self.spacing, self.origin, self.direction, self.meta)

    def map(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Image:
        """Apply a function of an array, with the spacing if it takes one.

        Parameters
        ----------
        function : callable
            Called as ``function(data, *args, spacing=spacing, **kwargs)``; without
            `spacing` where it has no such parameter. It must return one array with the
            spatial shape of the image.
        *args, **kwargs
            Passed on. A `spacing` given here wins.

        Returns
        -------
        Image
            The answer on the same grid.

        Examples
        --------
        >>> Image(np.array([[1, 2], [3, 4]]), spacing=2).map(np.negative).data
        array([[-1, -2],
               [-3, -4]])
        """
        if not callable(function):
            raise TypeError(f"function must be callable; got {function!r}")
        if _takes_spacing(function):
            kwargs.setdefault("spacing", self.spacing)
        answer = function(self.data, *args, **kwargs)
        name = getattr(function, "__name__", repr(function))
        if not hasattr(answer, "shape"):
            raise TypeError(
                f"map: {name} must return an array on the same grid, not "
                f"{type(answer).__name__}; call it on image.data instead"
            )
        if tuple(answer.shape)[-len(self.spacing) :] != self.spatial_shape:
            raise ValueError(
                f"map: {name} must keep the spatial shape {self.spatial_shape}, but returned "
                f"{tuple(answer.shape)}; call it on image.data instead"
            )
        return self.with_data(answer)

    def resample(
        self,
        new_spacing: Geometry | float | None = None,
        *,
        like: Image | None = None,
        transform: Any = None,
        order: int = 1,
        mode: str = "nearest",
        cval: float = 0.0,
        antialias: bool = False,
        workers: int | None = None,
    ) -> Image:
        """The image on other voxels of the same world, or moved into another.

        Parameters
        ----------
        new_spacing : float or one an axis, optional
            Distance between the new voxels, which cover the extent of the image along its axes.
        like : Image, optional
            Lie on its voxels instead.
        transform : Transform, optional
            From a point of the new image's world to the point of this one's that is shown there, as
            `voxkern.register` returns it.
        order, mode, cval, antialias, workers
            As in `voxkern.resample`, which does the work.

        Returns
        -------
        Image

        Examples
        --------
        >>> Image(np.array([[0.0, 2.0, 4.0, 6.0]]), spacing=(1, 1)).resample((1, 2)).data
        array([[1., 5.]])
        """
        from .warp import resample
        from .warp._resample import grid_of

        own = (self.spacing, self.origin, tuple(map(tuple, self.direction.tolist())))
        grid = grid_of(self.spatial_shape, *own, new_spacing, like=like, transform=transform)
        data = resample(
            self.data, new_spacing, spacing=own[0], origin=own[1], direction=own[2], like=like,
            transform=transform, order=order, mode=mode, cval=cval, antialias=antialias,
            workers=workers,
        )  # fmt: skip
        return Image(data, *grid[1:], self.meta)

    def same_grid(self, other: Image, tolerance: float = 1e-4) -> bool:
        """Whether two images have the same voxels in the world.

        Parameters
        ----------
        other : Image
            The image to compare with.
        tolerance : float
            Largest distance in mm between the same corner of the two grids.

        Returns
        -------
        bool
        """
        if self.spatial_shape != other.spatial_shape:
            return False
        ends = [(0, max(size - 1, 1)) for size in self.spatial_shape]
        corners = np.stack(np.meshgrid(*ends, indexing="ij"), -1)
        apart = self.index_to_world(corners) - other.index_to_world(corners)
        return bool(np.linalg.norm(apart, axis=-1).max() <= tolerance)

    def __getitem__(self, key: Any) -> Image:
        """Crop, step or flip by slices; the geometry follows.

        A whole number drops a leading axis (``series[0]``). Along a spatial axis it is
        refused, since a plane alone has no place in the world: write ``image[4:5]``.
        """
        keys = _full_key(key, self.ndim)
        lead = self.ndim - len(self.spacing)
        slices = [
            _spatial_slice(k, axis, size)
            for axis, (k, size) in enumerate(zip(keys[lead:], self.spatial_shape, strict=True))
        ]
        for k in keys[:lead]:
            if not isinstance(k, slice | int | np.integer):
                raise TypeError(f"an image takes slices and whole numbers, not {k!r}")
        start = [s.start for s in slices]
        step = np.array([s.step for s in slices])
        return Image(
            _taken(self.data, (*keys[:lead], *slices)),
            tuple(np.abs(step) * self.spacing),
            tuple(self.index_to_world(start)),
            self.direction * np.sign(step),
            self.meta,
        )

    def crop(self, lower: Sequence[int], upper: Sequence[int]) -> Image:
        """Cut out a box of voxels.

        Parameters
        ----------
        lower, upper : sequence of int
            First voxel, and one past the last, along each spatial axis ``(z, y, x)``.

        Returns
        -------
        Image
            A view on the same voxels.
        """
        n = len(self.spacing)
        if len(lower) != n or len(upper) != n:
            raise ValueError(f"lower and upper must have {n} entries, not {lower!r}, {upper!r}")
        for low, high, size in zip(lower, upper, self.spatial_shape, strict=True):
            if not 0 <= low < high <= size:
                raise ValueError(
                    f"the box from {tuple(lower)} to {tuple(upper)} must have voxels and lie "
                    f"inside {self.spatial_shape}"
                )
        return self[(..., *map(slice, lower, upper))]

    def reorient(self, code: str = "LPS") -> Image:
        """Flip and permute the axes so that they point where `code` says.

        Parameters
        ----------
        code : str
            Where x, y and z are to point: one of R/L, one of A/P, one of I/S, in any
            order. 'LPS' makes the direction as near to the identity as flips allow.

        Returns
        -------
        Image
            The same voxels at the same places of the world: a view where the array
            allows (PyTorch copies when an axis is flipped).

        Notes
        -----
        The letters say where the axis goes *to*, as in nibabel and in
        ``SimpleITK.DICOMOrient``, x first. Nothing is interpolated: an oblique image
        stays oblique, with each axis near the wanted one.
        """
        if len(self.spacing) != 3:
            raise ValueError(f"reorient needs three spatial axes, not {len(self.spacing)}")
        wanted = _read_code(code)
        axes, signs = self._nearest_axes()
        lead = self.ndim - 3
        order = [axes.index(world) for world, _ in wanted]
        data = _permuted(self.data, (*range(lead), *(lead + a for a in order)))
        turned = Image(
            data,
            tuple(self.spacing[a] for a in order),
            self.origin,
            self.direction[:, order],
            self.meta,
        )
        flips = [
            slice(None, None, 1 if signs[a] == sign else -1)
            for a, (_, sign) in zip(order, wanted, strict=True)
        ]
        return turned[(..., *flips)]

    def _nearest_axes(self) -> tuple[list[int], list[int]]:
        """For each array axis the world axis it is nearest to, and the sign."""
        cosines = self.direction.copy()
        axes, signs = [0, 0, 0], [1, 1, 1]
        for _ in range(3):
            world, axis = np.unravel_index(np.nanargmax(np.abs(cosines)), (3, 3))
            axes[axis], signs[axis] = int(world), 1 if cosines[world, axis] > 0 else -1
            cosines[world] = np.nan
            cosines[:, axis] = np.nan
        return axes, signs

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = np.asarray(self.data) if dtype is None else np.asarray(self.data, dtype)
        if copy is False and not np.may_share_memory(array, np.asarray(self.data)):
            raise ValueError(f"a copy is needed to make {self.dtype} into {dtype}")
        return array.copy() if copy and array is self.data else array

    def __repr__(self) -> str:
        size = "x".join(map(str, self.shape))
        name = str(self.dtype).removeprefix("torch.")
        parts = [f"{size} {name}", f"spacing {_short(self.spacing)} mm"]
        parts.append(f"origin {_short(self.origin)} mm")
        if len(self.spacing) == 3:
            oblique = 1 - np.abs(self.direction).max(axis=0).min() > 1e-6
            parts.append(self.orientation + (" oblique" if oblique else ""))
        if not self.is_orthonormal:
            parts.append("sheared")
        if str(getattr(self.data, "device", "cpu")) != "cpu":
            parts.append(f"on {self.data.device}")
        return f"Image({', '.join(parts)})"

    @staticmethod
    def from_sitk(image: Any) -> Image:
        """Image from a SimpleITK image; see `voxkern.io.convert.from_sitk`."""
        from .io import convert

        return convert.from_sitk(image)

    def to_sitk(self, *, vector: bool = False) -> Any:
        """SimpleITK image; see `voxkern.io.convert.to_sitk`."""
        from .io import convert

        return convert.to_sitk(self, vector=vector)

    @staticmethod
    def from_itk(image: Any) -> Image:
        """Image from an ITK image; see `voxkern.io.convert.from_itk`."""
        from .io import convert

        return convert.from_itk(image)

    def to_itk(self, *, vector: bool = False) -> Any:
        """ITK image; see `voxkern.io.convert.to_itk`."""
        from .io import convert

        return convert.to_itk(self, vector=vector)

    @staticmethod
    def from_nibabel(image: Any) -> Image:
        """Image from a nibabel image; see `voxkern.io.convert.from_nibabel`."""
        from .io import convert

        return convert.from_nibabel(image)

    def to_nibabel(self) -> Any:
        """Nibabel image; see `voxkern.io.convert.to_nibabel`."""
        from .io import convert

        return convert.to_nibabel(self)

    @staticmethod
    def from_monai(tensor: Any) -> Image:
        """Image from a MONAI MetaTensor; see `voxkern.io.convert.from_monai`."""
        from .io import convert

        return convert.from_monai(tensor)

    def to_monai(self) -> Any:
        """MONAI MetaTensor; see `voxkern.io.convert.to_monai`."""
        from .io import convert

        return convert.to_monai(self)


def _checked_data(data: Any) -> Any:
    if isinstance(data, Image):
        raise TypeError("data must be an array, not an Image; use image.with_data or image.data")
    if not hasattr(data, "shape") or not hasattr(data, "dtype"):
        data = np.asarray(data)
    if isinstance(data, np.ndarray) and data.dtype.kind not in "biufc":
        raise TypeError(f"data must hold numbers, not {data.dtype}")
    if data.ndim < 2:
        raise ValueError(f"data must have at least two axes, not shape {tuple(data.shape)}")
    return data


def _floats(value: Any, name: str, n: int) -> tuple[float, ...]:
    try:
        numbers = tuple(float(v) for v in value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be {n} numbers, not {value!r}") from None
    if len(numbers) != n:
        raise ValueError(f"{name} must have {n} entries, one per spatial axis, not {value!r}")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} must be finite, not {value!r}")
    return numbers


def _checked_spacing(value: Any, ndim: int) -> tuple[float, ...]:
    if value is None or np.ndim(value) == 0:
        value = (1.0 if value is None else value,) * min(ndim, 3)
    try:
        n = len(value)
    except TypeError:
        raise TypeError(f"spacing must be a number or one per axis, not {value!r}") from None
    if n not in (2, 3) or n > ndim:
        raise ValueError(
            f"spacing must have an entry for each of the last 2 or 3 of {ndim} axes, not {value!r}"
        )
    spacing = _floats(value, "spacing", n)
    if min(spacing) <= 0:
        raise ValueError(f"spacing must be positive, not {value!r}")
    return spacing


def _checked_origin(value: Any, n: int) -> tuple[float, ...]:
    return (0.0,) * n if value is None else _floats(value, "origin", n)


def _checked_direction(value: Any, n: int) -> NDArray[np.float64]:
    if value is None:
        value = np.eye(n)
    try:
        matrix = np.array(value, np.float64) + 0.0
    except (TypeError, ValueError):
        raise TypeError(f"direction must be a matrix of numbers, not {value!r}") from None
    if matrix.shape != (n, n):
        raise ValueError(f"direction must have shape {(n, n)}, not {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError(f"direction must be finite, not\n{matrix}")
    length = np.linalg.norm(matrix, axis=0)
    if np.abs(length - 1).max() > _UNIT_TOLERANCE:
        raise ValueError(f"direction must have columns of length 1, not {length}:\n{matrix}")
    if abs(np.linalg.det(matrix)) < 1e-6:
        raise ValueError(f"direction must have independent columns:\n{matrix}")
    matrix.flags.writeable = False
    return matrix


def _points(value: Any, n: int, name: str) -> NDArray[np.float64]:
    points = np.asarray(value, np.float64)
    if points.ndim == 0 or points.shape[-1] != n:
        raise ValueError(f"{name} must have {n} entries along its last axis, not {points.shape}")
    return points


def _takes_spacing(function: Callable[..., Any]) -> bool:
    try:
        return "spacing" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # built-ins and ufuncs without a signature
        return False


def _full_key(key: Any, ndim: int) -> tuple[Any, ...]:
    keys = key if isinstance(key, tuple) else (key,)
    dots = [i for i, k in enumerate(keys) if k is Ellipsis]
    if len(dots) > 1 or len(keys) - len(dots) > ndim:
        raise IndexError(f"too many indices for an image of {ndim} axes: {key!r}")
    at = dots[0] if dots else len(keys)
    fill = (slice(None),) * (ndim - len(keys) + len(dots))
    return (*keys[:at], *fill, *keys[at + len(dots) :])


def _spatial_slice(key: Any, axis: int, size: int) -> slice:
    """The slice with start and step filled in."""
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        raise IndexError(
            f"a whole number along spatial axis {axis} would lose the place in the world; "
            f"use the slice {key}:{key + 1}, or image.data"
        )
    if not isinstance(key, slice):
        raise TypeError(f"an image takes slices, not {key!r}")
    start, stop, step = key.indices(size)
    if not len(range(start, stop, step)):
        raise IndexError(f"{key} leaves nothing of the {size} voxels along spatial axis {axis}")
    return slice(start, None if stop < 0 else stop, step)


def _taken(data: Any, keys: tuple[Any, ...]) -> Any:
    if not hasattr(data, "flip"):  # only torch has it, and only torch refuses negative steps
        return data[keys]
    lost = 0
    for axis, key in enumerate(keys):
        if not isinstance(key, slice):
            data = data.select(axis - lost, int(key))
            lost += 1
            continue
        step = key.step or 1
        indices = range(*key.indices(data.shape[axis - lost]))
        if step > 0:
            data = data[(slice(None),) * (axis - lost) + (key,)]
        else:
            forward = slice(indices[-1], indices[0] + 1, -step)
            data = data[(slice(None),) * (axis - lost) + (forward,)].flip(axis - lost)
    return data


def _permuted(data: Any, axes: tuple[int, ...]) -> Any:
    return data.permute(axes) if hasattr(data, "permute") else data.transpose(axes)


def _read_code(code: str) -> list[tuple[int, int]]:
    """World axis and sign of the array's z, y and x axis."""
    found = []
    for letter in reversed(code) if isinstance(code, str) else ():
        for world, pair in enumerate(_LETTERS):
            if letter in pair:
                found.append((world, 1 if letter == pair[1] else -1))
    if len(found) != 3 or len(code) != 3 or {world for world, _ in found} != {0, 1, 2}:
        raise ValueError(
            f"code must hold one of R/L, one of A/P and one of I/S, as 'LPS', not {code!r}"
        )
    return found


def _short(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{v:.6g}" for v in values) + ")"
