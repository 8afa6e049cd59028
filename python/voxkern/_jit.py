"""CUDA kernels compiled by CuPy at the first call, from the same text as those compiled ahead.

Every kernel's parameters are pointers, 64-bit numbers, or three of them in a struct. CuPy passes a
NumPy array of size one by value, whatever its type, so each argument becomes one of those.
"""

from __future__ import annotations

import functools
import re
import types
from pathlib import Path
from typing import Any

import numpy as np

# As the build does it: no contraction of a * b + c, so that all builds round alike. CuPy itself
# adds -ftz=true, so the build has that too.
OPTIONS = ("-std=c++17", "--fmad=false", "-lineinfo")

SIZE = np.dtype([("z", "<i8"), ("y", "<i8"), ("x", "<i8")])
VEC3 = np.dtype([("z", "<f8"), ("y", "<f8"), ("x", "<f8")])

ALIASES = {"i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"}


def launch(
    name: str,
    grid: tuple[int, ...],
    block: tuple[int, ...],
    stream: int,
    device: int,
    args: tuple[Any, ...],
) -> None:
    """Queue the kernel `name`, as ``_cuda.launch`` does."""
    import cupy

    with cupy.cuda.Device(device):
        function = _function(name, device)
        # CuPy reads no more of a stream than its address.
        function(grid, block, tuple(map(pack, args)), stream=types.SimpleNamespace(ptr=stream))


@functools.cache
def _function(name: str, device: int) -> Any:
    import cupy

    module = cupy.RawModule(
        code=flatten(instances()[name]), options=OPTIONS, name_expressions=(expression(name),)
    )
    return module.get_function(expression(name))


def pack(arg: Any) -> np.ndarray[Any, Any]:
    """An argument as the bytes that a kernel's parameter has."""
    if arg is None:
        return np.array(0, np.uint64)
    if isinstance(arg, int):
        return np.array(arg, np.int64)
    if isinstance(arg, float):
        return np.array(arg, np.float64)
    if isinstance(arg, tuple):
        return np.array(arg, VEC3 if isinstance(arg[0], float) else SIZE)
    return np.array(arg.__cuda_array_interface__["data"][0], np.uint64)


def expression(name: str) -> str:
    """A kernel's name as C++ has it: ``voxkern::kernel::median<voxkern::f32>``."""
    base, _, rest = name.partition("<")
    if not rest:
        return f"voxkern::kernel::{base}"
    params = [f"voxkern::{p}" if p in ALIASES else p for p in rest.removesuffix(">").split(",")]
    return f"voxkern::kernel::{base}<{','.join(params)}>"


@functools.cache
def sources() -> Path:
    """Where the kernels' texts are: in the installed package, or in a checkout."""
    installed = Path(__file__).parent / "_csrc"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "cpp"


@functools.cache
def instances() -> dict[str, Path]:
    """The file of each instance, from the lists at the files' feet."""
    return {
        name: path
        for path in sorted((sources() / "cuda").rglob("*.cu"))
        for name in exported(path.read_text(encoding="utf-8"))
    }


def exported(text: str) -> list[str]:
    """The instances that a .cu file lists."""
    return re.findall(r'\{\s*"([\w<>,]+)"\s*,', text)


def flatten(path: Path) -> str:
    """A file with our headers pasted in where it includes them.

    CuPy's disk cache knows a kernel by its text alone. With the headers in it, a changed header
    cannot bring back old code.
    """
    headers = (sources() / "include").resolve()
    seen: set[Path] = set()

    def header(name: str, beside: Path) -> Path | None:
        """The header that an include means, if it is one of ours."""
        for folder in (beside.parent, headers):
            found = (folder / name).resolve()
            if found.is_relative_to(headers) and found.is_file():
                return found
        return None

    def paste(file: Path) -> str:
        lines = [f'#line 1 "{file.name}"']
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            found = header(include[1], file) if include else None
            if found is None:
                lines.append("" if line.strip() == "#pragma once" else line)
            elif found in seen:
                lines.append("")
            else:
                seen.add(found)
                lines += [paste(found), f'#line {number + 1} "{file.name}"']
        return "\n".join(lines)

    return paste(path) + "\n"
