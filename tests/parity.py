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


def hold(kernel: Kernel, got: np.ndarray, want: np.ndarray, where: str) -> None:
    """Assert that an answer is the rule's, to the last bit or as near as the kernel promises."""
    if kernel.exact:
        np.testing.assert_array_equal(got, want, err_msg=f"{kernel.name} on {where}")
        return
    scale = float(np.max(np.abs(want[np.isfinite(want)]), initial=0))
    np.testing.assert_allclose(
        got,
        want,
        rtol=kernel.rtol,
        atol=kernel.atol * scale,
        err_msg=f"{kernel.name} on {where}: {kernel.why}",
    )
