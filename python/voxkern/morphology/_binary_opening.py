"""Opening and closing of masks."""

from __future__ import annotations

from typing import Any

from ._binary_erosion import binary_dilation, binary_erosion


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
    how = _how(structure, iterations, mask, border_value, origin, radius, spacing, workers)
    return binary_dilation(binary_erosion(image, **how), out=out, **how)


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
    how = _how(structure, iterations, mask, border_value, origin, radius, spacing, workers)
    return binary_erosion(binary_dilation(image, **how), out=out, **how)


def _how(
    structure: Any, iterations: Any, mask: Any, border_value: Any, origin: Any, radius: Any,
    spacing: Any, workers: Any,
) -> dict[str, Any]:  # fmt: skip
    return {
        "structure": structure,
        "iterations": iterations,
        "mask": mask,
        "border_value": border_value,
        "origin": origin,
        "radius": radius,
        "spacing": spacing,
        "workers": workers,
    }
