"""Images of other libraries, to and from `Image`; copied where the owner could free them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from . import _files


def from_sitk(image: Any) -> Image:
    """Image from a SimpleITK image.

    Parameters
    ----------
    image : SimpleITK.Image
        2-D, 3-D or 4-D, of scalars or vectors.

    Returns
    -------
    Image
        The voxels are copied. Vector components become the first axis.
    """
    try:
        import SimpleITK
    except ImportError:
        raise _files.missing("SimpleITK", "from_sitk") from None
    data = SimpleITK.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        data = np.moveaxis(data, -1, 0)
    return _from_itk_numbers(
        data, image.GetSpacing(), image.GetOrigin(), np.array(image.GetDirection())
    )


def to_sitk(image: Image, *, vector: bool = False) -> Any:
    """SimpleITK image.

    Parameters
    ----------
    image : Image
        One leading axis at most. bool becomes uint8.
    vector : bool
        Make the leading axis vector components, as for colours; else it is the fourth
        axis (with spacing 1).

    Returns
    -------
    SimpleITK.Image

    Raises
    ------
    FormatError
        If the grid is sheared, or has more leading axes.
    """
    try:
        import SimpleITK
    except ImportError:
        raise _files.missing("SimpleITK", "to_sitk") from None
    data = _itk_array(image, vector)
    made = SimpleITK.GetImageFromArray(data, isVector=vector)
    spacing, origin, direction = _itk_numbers(image, vector)
    made.SetSpacing(spacing)
    made.SetOrigin(origin)
    made.SetDirection(direction.ravel().tolist())
    return made


def from_itk(image: Any) -> Image:
    """Image from an ITK image; as `from_sitk`."""
    try:
        import itk
    except ImportError:
        raise _files.missing("itk (pip install itk)", "from_itk") from None
    data = itk.array_from_image(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        data = np.moveaxis(data, -1, 0)
    return _from_itk_numbers(
        data,
        tuple(image.GetSpacing()),
        tuple(image.GetOrigin()),
        itk.array_from_matrix(image.GetDirection()),
    )


def to_itk(image: Image, *, vector: bool = False) -> Any:
    """ITK image; as `to_sitk`."""
    try:
        import itk
    except ImportError:
        raise _files.missing("itk (pip install itk)", "to_itk") from None
    made = itk.image_from_array(_itk_array(image, vector), is_vector=vector)
    spacing, origin, direction = _itk_numbers(image, vector)
    made.SetSpacing(spacing)
    made.SetOrigin(origin)
    made.SetDirection(itk.matrix_from_array(direction))
    return made


def from_nibabel(image: Any) -> Image:
    """Image from a nibabel image.

    Parameters
    ----------
    image : nibabel spatial image
        Its affine is taken as RAS and mm, as nibabel does whatever the units say.

    Returns
    -------
    Image
        Axes reversed, ``(..., z, y, x)``; scaled voxels are float64, as in nibabel.
    """
    data = np.asanyarray(image.dataobj).T
    if data.ndim < 3:
        data = data.reshape((1,) * (3 - data.ndim) + data.shape)
    return Image.from_affine(data, _turned(np.array(image.affine, np.float64)))


def to_nibabel(image: Image) -> Any:
    """Nibabel NIfTI-1 image: axes ``(x, y, z, ...)``, affine RAS, sform and qform code 1.

    Parameters
    ----------
    image : Image
        A 2-D image becomes a volume of one plane; bool becomes uint8. A sheared grid has
        no qform.

    Returns
    -------
    nibabel.Nifti1Image
    """
    try:
        import nibabel
    except ImportError:
        raise _files.missing("nibabel", "to_nibabel") from None
    data = np.asarray(image.data)
    data = data.view(np.uint8) if data.dtype == bool else data
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    n = len(image.spacing)
    affine[np.ix_([*range(n), 3], [*range(n), 3])] = image.affine_xyz("RAS")
    if n == 2:
        data = data[..., None, :, :]
    made = nibabel.Nifti1Image(data.T, affine, dtype=data.dtype)
    made.set_sform(affine, 1)
    made.set_qform(affine if image.is_orthonormal else None, 1 if image.is_orthonormal else 0)
    made.header.set_xyzt_units("mm", "sec")
    return made


def from_monai(tensor: Any) -> Image:
    """Image from a MONAI MetaTensor.

    Parameters
    ----------
    tensor : monai.data.MetaTensor, shape (channel, x, y[, z])
        Its affine is taken as RAS, or LPS if ``tensor.meta["space"]`` says so.

    Returns
    -------
    Image
        Shape ``(channel, z, y, x)``, a view on the tensor; one channel loses its axis.
    """
    n = tensor.ndim - 1
    if n not in (2, 3):
        raise _files.FormatError(f"wanted a tensor (channel, x, y[, z]), not shape {tensor.shape}")
    data = tensor.as_tensor().permute(0, *range(n, 0, -1))
    if data.shape[0] == 1:
        data = data[0]
    matrix = np.array(tensor.affine.cpu(), np.float64)
    lps = str(tensor.meta.get("space", "RAS")).upper().endswith("LPS")
    if n == 2:
        keep = [0, 1, len(matrix) - 1]
        matrix = matrix[np.ix_(keep, keep)]
    return Image.from_affine(data, _turned(matrix, flip=not lps))


def to_monai(image: Image) -> Any:
    """MONAI MetaTensor, shape (channel, x, y[, z]), with the RAS affine that MONAI expects.

    Parameters
    ----------
    image : Image
        One leading axis at most; it is the channel. NumPy voxels are shared.

    Returns
    -------
    monai.data.MetaTensor
    """
    try:
        import torch
        from monai.data import MetaTensor
    except ImportError:
        raise _files.missing("monai (pip install monai)", "to_monai") from None
    n = len(image.spacing)
    data = torch.as_tensor(image.data)
    if data.ndim - n > 1:
        raise _files.FormatError(f"a MetaTensor has one channel axis, not {data.ndim - n}")
    if data.ndim == n:
        data = data[None]
    data = data.permute(0, *range(n, 0, -1))
    affine = np.eye(4)
    affine[np.ix_([*range(n), 3], [*range(n), 3])] = image.affine_xyz("RAS")
    return MetaTensor(data, affine=torch.from_numpy(affine), meta={"space": "RAS"})


def _turned(matrix: NDArray[np.float64], *, flip: bool = True) -> NDArray[np.float64]:
    """From (x, y, z), RAS if `flip`, to (z, y, x), LPS."""
    n = len(matrix) - 1
    if flip:
        matrix = matrix * np.array([*[-1.0, -1.0, 1.0][:n], 1.0])[:, None]
    turn = [*range(n)[::-1], n]
    return matrix[np.ix_(turn, turn)]


def _from_itk_numbers(
    data: NDArray[Any],
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    direction: NDArray[np.float64],
) -> Image:
    ndim = len(spacing)
    n = min(ndim, 3)
    matrix = np.asarray(direction, np.float64).reshape(ndim, ndim)[:n, :n]
    matrix = matrix / np.linalg.norm(matrix, axis=0)
    return Image(data, spacing[:n][::-1], origin[:n][::-1], matrix[::-1, ::-1])


def _itk_array(image: Image, vector: bool) -> NDArray[Any]:
    lead = image.ndim - len(image.spacing)
    if lead > 1 or (vector and lead != 1):
        raise _files.FormatError(f"ITK takes one leading axis, as vector or 4th axis, not {lead}")
    if not image.is_orthonormal:
        raise _files.FormatError("ITK takes no sheared grid; resample the image first")
    data = np.asarray(image.data)
    data = data.view(np.uint8) if data.dtype == bool else data
    return np.ascontiguousarray(np.moveaxis(data, 0, -1) if vector else data)


def _itk_numbers(
    image: Image, vector: bool
) -> tuple[list[float], list[float], NDArray[np.float64]]:
    n = len(image.spacing)
    ndim = n if vector else image.ndim
    spacing, origin, direction = [1.0] * ndim, [0.0] * ndim, np.eye(ndim)
    spacing[:n] = image.spacing[::-1]
    origin[:n] = image.origin[::-1]
    direction[:n, :n] = image.direction[::-1, ::-1]
    return spacing, origin, direction
