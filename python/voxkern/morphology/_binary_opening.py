"""Opening and closing of masks."""

from __future__ import annotations

from typing import Any

from ._binary_erosion import erode


def binary_opening(
    image: Any,
    structure: Any = None,
    *,
    iterations: int = 1,
    mask: Any = None,
    border_value: int = 0,
    origin: Any = 0,
    brute_force: bool = False,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Remove from a mask what the structure does not fit into: an erosion, then a dilation.

    Parameters
    ----------
    image, structure, iterations, mask, border_value, origin, brute_force
        As in `binary_erosion`, for both steps.
    radius, spacing, out, workers
        As in `binary_erosion`.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError, ValueError
        As `binary_erosion`.

    Notes
    -----
    As `scipy.ndimage.binary_opening`, and with `radius` as
    `skimage.morphology.isotropic_opening`.

    Examples
    --------
    >>> binary_opening(np.array([0, 1, 0, 1, 1, 1, 0], bool)).astype(int)
    array([0, 0, 0, 1, 1, 1, 0])
    """
    return erode(image, structure, iterations, mask, border_value, origin, radius, spacing, out,
                 workers, any_of=False, then=True)  # fmt: skip


def binary_closing(
    image: Any,
    structure: Any = None,
    *,
    iterations: int = 1,
    mask: Any = None,
    border_value: int = 0,
    origin: Any = 0,
    brute_force: bool = False,
    radius: float | None = None,
    spacing: Any = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Add to a mask the gaps that the structure does not fit into: a dilation, then an erosion.

    Parameters
    ----------
    image, structure, iterations, mask, border_value, origin, brute_force
        As in `binary_erosion`, for both steps.
    radius, spacing, out, workers
        As in `binary_erosion`.

    Returns
    -------
    array of bool

    Raises
    ------
    TypeError, ValueError
        As `binary_erosion`.

    Notes
    -----
    As `scipy.ndimage.binary_closing`, whose `border_value` of 0 takes the border off, and
    with `radius` as `skimage.morphology.isotropic_closing`.

    Examples
    --------
    >>> binary_closing(np.array([0, 1, 1, 0, 1, 1, 0], bool)).astype(int)
    array([0, 1, 1, 1, 1, 1, 0])
    """
    return erode(image, structure, iterations, mask, border_value, origin, radius, spacing, out,
                 workers, any_of=True, then=True)  # fmt: skip
