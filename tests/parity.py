"""What holds a backend's answer to its rule's: native, Numba, the emulator and GPUs alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern._kernel import Kernel


def words_of(kernel: Kernel) -> list[str]:
    """What each of a kernel's arguments is, as the rule's annotations say."""
    return [word for name, word in kernel.rule.__annotations__.items() if name != "return"]


def outputs(kernel: Kernel, args: tuple[Any, ...]) -> list[np.ndarray]:
    """The arguments that the kernel writes."""
    words = words_of(kernel)
    return [a for a, word in zip(args, words, strict=True) if word in ("Out", "ListOut")]


def hold(kernel: Kernel, got: np.ndarray, want: np.ndarray, where: str, image: np.ndarray) -> None:
    """Assert that an answer is the rule's, to the last bit or as near as the kernel promises."""
    if kernel.exact:
        np.testing.assert_array_equal(got, want, err_msg=f"{kernel.name} on {where}")
        return
    measure = image if kernel.of == "image" else want
    scale = float(np.max(np.abs(measure[np.isfinite(measure)]), initial=0))
    np.testing.assert_allclose(
        got,
        want,
        rtol=kernel.rtol,
        atol=kernel.atol * scale,
        err_msg=f"{kernel.name} on {where}: {kernel.why}",
    )
