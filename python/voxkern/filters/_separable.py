"""Weights along the axes of an image: the kernel behind every separable filter."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._edge import inside
from .._kernel import Edge, In, ListIn, Out, Scalar, Size, kernel, prange

Step = tuple[int, Any, int, int]  # axis, weights, voxels they reach back, edge


@kernel(
    dtypes=_args.REAL,
    exact=False,
    atol=2e-6,
    why="float32 images are summed in float32, with fused multiply-add where the CPU has it",
)
def _separable(
    x: In, y: Out, wz: ListIn, wy: ListIn, wx: ListIn, before: Size, ez: Edge, ey: Edge, ex: Edge,
    fill: Scalar,
) -> None:  # fmt: skip
    along_axes(x, y, wz, wy, wx, before, ez, ey, ex, fill)


def along_axes(
    x: Any, y: Any, wz: Any, wy: Any, wx: Any, before: Any, ez: int, ey: int, ex: int, fill: float
) -> None:
    """Write weighted sums along one axis after another."""
    a, b = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    _correlate(x, a, wz, before[0], 0, ez, fill)
    _correlate(a, b, wy, before[1], 1, ey, fill)
    _correlate(b, y, wx, before[2], 2, ex, fill)


def _correlate(x: Any, y: Any, w: Any, before: int, axis: int, edge: int, fill: float) -> None:
    n, sign, whole = w.size, _sign(w), _is_whole(x)
    middle, last = n // 2, n - 1
    centre = middle - before
    for k in prange(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                if n == 0:
                    total = float(x[k, j, i])
                elif sign != 0:
                    total = _beside(x, k, j, i, axis, centre, edge, fill) * w[middle]
                    for far in range(middle, 0, -1):
                        left = _beside(x, k, j, i, axis, centre - far, edge, fill)
                        right = _beside(x, k, j, i, axis, centre + far, edge, fill)
                        total += (left + sign * right) * w[middle - far]
                else:
                    total = _beside(x, k, j, i, axis, last - before, edge, fill) * w[last]
                    for m in range(last):
                        total += _beside(x, k, j, i, axis, m - before, edge, fill) * w[m]
                if whole:
                    y[k, j, i] = np.int64(total)
                else:
                    y[k, j, i] = total


def _beside(x: Any, k: int, j: int, i: int, axis: int, step: int, edge: int, fill: float) -> float:
    """Return the voxel `step` further along one axis."""
    at = inside((k, j, i)[axis] + step, x.shape[axis], edge)
    if at < 0:
        return float(fill)
    if axis == 0:
        return float(x[at, j, i])
    return float(x[k, at, i]) if axis == 1 else float(x[k, j, at])


def _sign(w: Any) -> float:
    """Return 1 if the weights are even about their centre, -1 if they are odd, else 0."""
    even, odd = w.size % 2 == 1, w.size % 2 == 1
    for n in range(w.size // 2):
        even = even and w[n] == w[w.size - 1 - n]
        odd = odd and w[n] == -w[w.size - 1 - n]
    return 1.0 if even else -1.0 if odd else 0.0


def _is_whole(x: Any) -> bool:
    """Return whether arrays like this hold whole numbers only."""
    half = np.empty(1, x.dtype)
    half[0] = 0.5
    return bool(half[0] == 0)


@_separable.on("numba")
def _by_rows(
    x: Any, y: Any, wz: Any, wy: Any, wx: Any, before: Any, ez: int, ey: int, ex: int, fill: float
) -> None:
    # The same sums with x innermost, where the compiler finds vectors.
    planes, rows, columns = x.shape
    along_z, whole, back = np.empty(x.shape, x.dtype), _is_whole(x), before[2]
    for k in prange(planes):
        total, pair = np.empty(columns), np.empty(columns)
        for j in range(rows):
            _row(x[:, j], k, wz, before[0], ez, fill, total, pair)
            _store(total, along_z[k, j], whole)
    for k in prange(planes):
        total, pair = np.empty(columns), np.empty(columns)
        row, line = np.empty(columns, x.dtype), np.empty(columns + wx.size)
        for j in range(rows):
            _row(along_z[k], j, wy, before[1], ey, fill, total, pair)
            _store(total, row, whole)
            if wx.size == 0:
                for i in range(columns):
                    total[i] = row[i]
            else:
                for i in range(columns + wx.size - 1):
                    at = inside(i - back, columns, ex)
                    line[i] = fill if at < 0 else row[at]
                _windows(line, wx, total)
            _store(total, y[k, j], whole)


def _row(
    x: Any, at: int, w: Any, before: int, edge: int, fill: float, total: Any, pair: Any
) -> None:
    """Write the sum over the rows of a plane around one of them."""
    sign, rows, last = _sign(w), x.shape[0], w.size - 1
    if w.size == 0:
        for i in range(total.size):
            total[i] = float(x[at, i])
        return
    first = w.size // 2 if sign != 0 else last
    total[:] = 0.0
    _add_row(x, inside(at + first - before, rows, edge), w[first], fill, total)
    if sign == 0:
        for m in range(last):
            _add_row(x, inside(at + m - before, rows, edge), w[m], fill, total)
        return
    for far in range(first, 0, -1):
        left = inside(at + first - before - far, rows, edge)
        right = inside(at + first - before + far, rows, edge)
        for i in range(total.size):
            pair[i] = fill if left < 0 else float(x[left, i])
        for i in range(total.size):
            pair[i] += sign * (fill if right < 0 else float(x[right, i]))
        for i in range(total.size):
            total[i] += pair[i] * w[first - far]


def _add_row(x: Any, at: int, weight: float, fill: float, total: Any) -> None:
    for i in range(total.size):
        total[i] += (fill if at < 0 else float(x[at, i])) * weight


def _windows(line: Any, w: Any, total: Any) -> None:
    """Write the sums over the windows of a line."""
    sign, last = _sign(w), w.size - 1
    middle = w.size // 2 if sign != 0 else last
    for i in range(total.size):
        total[i] = line[i + middle] * w[middle]
    if sign == 0:
        for m in range(last):
            for i in range(total.size):
                total[i] += line[i + m] * w[m]
        return
    for far in range(middle, 0, -1):
        for i in range(total.size):
            step = line[i + middle - far] + sign * line[i + middle + far]
            total[i] += step * w[middle - far]


def _store(total: Any, row: Any, whole: bool) -> None:
    for i in range(row.size):
        if whole:
            row[i] = np.int64(total[i])
        else:
            row[i] = total[i]


@_separable.on("cuda")
def plan_separable(
    gpu: Any, x: Any, y: Any, wz: Any, wy: Any, wx: Any, before: Any, ez: int, ey: int, ex: int,
    fill: float,
) -> None:  # fmt: skip
    planes, rows, columns = x.shape
    kind, sums = gpu.name_of(x.dtype), "float32" if x.dtype == np.float32 else "float64"
    if not wz.size and not wy.size and not wx.size:
        wx, before = np.ones(1), (0, 0, 0)
    # Each pass sees (before, along, after), where `along` is its axis.
    passes = [
        (w, back, edge, shape)
        for w, back, edge, shape in (
            (wz, before[0], ez, (1, planes, rows * columns)),
            (wy, before[1], ey, (planes, rows, columns)),
            (wx, before[2], ex, (planes * rows, columns, 1)),
        )
        if w.size
    ]
    spare = gpu.empty(x.shape, x.dtype) if len(passes) > 1 else None
    source = x
    for left, (w, back, edge, shape) in zip(range(len(passes) - 1, -1, -1), passes, strict=True):
        target = spare if left % 2 else y
        sign = int(_sign(w))
        table = gpu.put((w[w.size // 2 :: -1] if sign else w).astype(sums))
        name = "correlate_line" if not sign else "fold_line" if shape[2] == 1 else "fold_across"
        turns = shape[0] * (-(-shape[1] // 4) if name == "fold_across" else shape[1]) * shape[2]
        reach = (w.size // 2 - back, w.size // 2) if sign else (back, w.size)
        more = (sign,) if sign else ()
        gpu.launch(
            f"{name}<{kind}>", gpu.blocks(turns), 256,
            source, target, table, *reach, *more, shape, edge, float(fill),
        )  # fmt: skip
        source = target


@_separable.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    def weights() -> Any:
        if rng.random() < 0.2:
            return np.empty(0)
        if rng.random() < 0.4:
            return rng.uniform(-0.3, 0.3, rng.integers(1, 9))
        half = rng.uniform(-0.3, 0.3, rng.integers(1, 6))
        sign = rng.choice([-1, 1])
        half[-1] *= sign > 0
        return np.append(half, sign * half[-2::-1])

    x = (100 * rng.standard_normal(shape)).astype(dtype)
    ws = [weights() for _ in range(3)]
    before = tuple(
        int(rng.integers(w.size)) if w.size and rng.random() < 0.5 else w.size // 2 for w in ws
    )
    edges = (int(e) for e in rng.integers(0, 5, 3))
    return x, np.empty_like(x), *ws, before, *edges, 7


_NONE = np.empty(0)
_NONE.flags.writeable = False


def at_once(steps: list[Step], ndim: int, fill: float) -> tuple[Any, ...] | None:
    """Return the kernel's arguments that take all steps in one call, None where there are none.

    There are none unless the axes are among the last three, each once and in order.
    """
    axes = [axis for axis, *_ in steps]
    if axes != sorted(set(axes)) or (axes and axes[0] < ndim - 3):
        return None
    weights, before, codes = [_NONE] * 3, [0] * 3, [0] * 3
    for axis, w, back, edge in steps:
        weights[axis - ndim], before[axis - ndim], codes[axis - ndim] = w, back, edge
    return (*weights, tuple(before), *codes, fill)


def take_steps(
    x: Any, give: Any, steps: list[Step], once: Any, fill: float, out: Any, workers: int | None
) -> Any:
    """Correlate an adopted image along some axes, in their order, and give the answer back.

    `once` is what `at_once` says of the steps.
    """
    dtype = _args.dtype_name(x)
    if once is not None:

        def run(volume: Any, answer: Any) -> None:
            _separable(volume, answer, *once, workers=workers)

        return _arrays.run_volumes(run, x, out, dtype, give)

    # Any axes in any order, each seen as the middle or the last of three.
    result = _arrays.output(out, x.shape, dtype, (x,))
    source = x
    for axis, w, back, edge in steps if x.size else ():
        before, n, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
        target = _arrays.empty(x.shape, dtype, x)
        last = not after
        shape = (1, -1, n) if last else (int(np.prod(before)), n, int(np.prod(after)))
        weights = (_NONE, _NONE, w) if last else (_NONE, w, _NONE)
        volume = _arrays.rows_contiguous(source.reshape(shape))
        _separable(
            volume, target.reshape(shape), *weights, (back,) * 3, edge, edge, edge, fill,
            workers=workers,
        )  # fmt: skip
        source = target
    _arrays.assign(result, source)
    if out is not None:
        return out
    return result if give is None else give(result)


def as_whole_fill(cval: Any, dtype: str) -> float:
    """Return the value outside; for integer images a whole number of their type."""
    fill = _args.as_fill(cval, dtype)
    if fill != cval and cval == cval:
        raise ValueError(f"cval must be a whole number for {dtype}; got {cval!r}")
    return float(fill)


def key_of(value: Any) -> Any:
    """Return what tells the value from others in a cache."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return tuple(value) if isinstance(value, list) else value
