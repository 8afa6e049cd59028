"""Operations on the device that was asked for."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import voxkern

from .._kernel import Kernel


class Ops:
    """voxkern's functions, with arrays brought to the device and back.

    An operation without a CUDA schedule runs on the CPU; `on_cpu` says which did.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.on_cpu: set[str] = set()
        self._cupy = _cupy() if device == "cuda" else None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        op = getattr(voxkern, name)
        if self._cupy is None:
            return op
        if not has_cuda(op):
            self.on_cpu.add(name)
            return op
        return functools.partial(self._there_and_back, op)

    def _there_and_back(self, op: Callable[..., Any], *args: Any, **named: Any) -> Any:
        assert self._cupy is not None
        put = self._cupy.asarray
        args = tuple(put(a) if _is_volume(a) else a for a in args)
        named = {k: put(v) if _is_volume(v) else v for k, v in named.items()}
        answer = op(*args, **named)
        return answer.get() if hasattr(answer, "get") else answer


def _is_volume(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 2


def has_cuda(op: Callable[..., Any]) -> bool:
    """Whether every kernel for images that the module of `op` names has a CUDA schedule."""
    names = vars(sys.modules[op.__module__]).values()
    kernels = [value for value in names if isinstance(value, Kernel) and not value.host]
    return bool(kernels) and all("cuda" in kernel.overrides for kernel in kernels)


def _cupy() -> Any:
    try:
        cupy = importlib.import_module("cupy")
    except ImportError:
        raise ImportError("--device cuda needs CuPy: pip install 'voxkern[cuda13]'") from None
    reasons = {n: r for n, r in voxkern.info()["backends"].items() if n in ("cuda", "cupy")}
    if "ready" not in reasons.values():
        raise RuntimeError(
            "--device cuda: " + "; ".join(f"{name}: {why}" for name, why in reasons.items())
        )
    return cupy
