"""Connected regions, numbered."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _args, _arrays
from .._kernel import In, ListOut, Out, Scalar, kernel, prange

# Labels are compared for equality alone, so a type stands for every integer of its width.
_AS = {
    "bool": "uint8",
    "int8": "uint8",
    "uint8": "uint8",
    "int16": "uint16",
    "uint16": "uint16",
    "int32": "int32",
    "uint32": "int32",
    "int64": "int64",
    "uint64": "int64",
}


def find(parent: Any, a: int) -> int:
    """Return the root of `a`, halving the way there for those who come later."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a


def unite(parent: Any, a: int, b: int) -> int:
    """Join the trees of `a` and `b` under the smaller of their roots, and return it."""
    a, b = find(parent, a), find(parent, b)
    least = min(a, b)
    parent[a] = parent[b] = least
    return least


def number(
    x: Any, y: Any, background: int, connectivity: int, multivalued: int, count: Any
) -> None:
    """Number the regions of `x` in `y`, voxel by voxel, and count them in ``count[0]``."""
    parent = np.zeros(x.size + 1, np.int64)
    new = 0
    for k in range(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                y[k, j, i] = 0
                if x[k, j, i] == background:
                    continue
                own = 0
                for step in range(13):  # the neighbours that come before in raster order
                    dk, dj, di = step // 9 - 1, step // 3 % 3 - 1, step % 3 - 1
                    kk, jj, ii = k + dk, j + dj, i + di
                    if dk * dk + dj * dj + di * di > connectivity:
                        continue
                    if kk < 0 or jj < 0 or jj >= x.shape[1] or ii < 0 or ii >= x.shape[2]:
                        continue
                    if y[kk, jj, ii] and (not multivalued or x[kk, jj, ii] == x[k, j, i]):
                        other = find(parent, y[kk, jj, ii])
                        own = unite(parent, own, other) if own else other
                if not own:
                    new += 1
                    parent[new] = own = new
                y[k, j, i] = own
    roots = 0
    for n in range(1, new + 1):  # a root comes before all that hang from it
        if parent[n] == n:
            roots += 1
            parent[n] = roots
        else:
            parent[n] = parent[parent[n]]
    for k in range(x.shape[0]):
        for j in range(x.shape[1]):
            for i in range(x.shape[2]):
                y[k, j, i] = parent[y[k, j, i]]
    count[0] = roots


@kernel(dtypes=("uint8", "uint16", "int32", "int64"))
def _label(
    x: In, y: Out, background: Scalar, connectivity: Scalar, multivalued: Scalar, count: ListOut
) -> None:
    number(x, y, background, connectivity, multivalued, count)


@_label.on("numba")
def _(
    x: In, y: Out, background: Scalar, connectivity: Scalar, multivalued: Scalar, count: ListOut
) -> None:
    """Label runs of voxels instead of voxels, and read and write rows in parallel."""
    planes, rows, columns = x.shape
    first = np.zeros(planes * rows + 1, np.int64)
    for row in prange(planes * rows):
        k, j = row // rows, row % rows
        runs = 0
        inside, last = False, x[k, j, 0]
        for i in range(columns):
            v = x[k, j, i]
            stays = inside and (not multivalued or v == last)
            inside, last = v != background, v
            runs += inside and not stays
        first[row + 1] = runs
    for row in range(planes * rows):
        first[row + 1] += first[row]
    start = np.empty(first[-1], np.int64)
    stop = np.empty(first[-1], np.int64)
    parent = np.empty(first[-1], np.int64)
    for row in prange(planes * rows):
        k, j = row // rows, row % rows
        n = first[row] - 1
        inside, last = False, x[k, j, 0]
        for i in range(columns):
            v = x[k, j, i]
            stays = inside and (not multivalued or v == last)
            inside, last = v != background, v
            if inside and not stays:
                n += 1
                start[n], parent[n] = i, n
            if inside:
                stop[n] = i + 1
    for row in range(planes * rows):
        k, j = row // rows, row % rows
        for step in range(4):
            dk, dj = (0, -1, -1, -1)[step], (-1, 0, -1, 1)[step]
            reach = connectivity - (dk != 0) - (dj != 0)
            kk, jj = k + dk, j + dj
            if reach < 0 or kk < 0 or jj < 0 or jj >= rows:
                continue
            reach = min(reach, 1)
            other = kk * rows + jj
            a, b = first[row], first[other]
            while a < first[row + 1] and b < first[other + 1]:
                touch = start[a] < stop[b] + reach and start[b] < stop[a] + reach
                if touch and (not multivalued or x[k, j, start[a]] == x[kk, jj, start[b]]):
                    unite(parent, a, b)
                if stop[a] == stop[b] and reach and a + 1 < first[row + 1]:
                    side = start[a + 1] == stop[b]  # then the values on its two sides differ
                    if side and x[k, j, start[a + 1]] == x[kk, jj, start[b]]:
                        unite(parent, a + 1, b)
                if stop[a] < stop[b]:
                    a += 1
                else:
                    b += 1
    roots = 0
    for n in range(first[-1]):
        if parent[n] == n:
            roots += 1
            parent[n] = roots
        else:
            parent[n] = parent[parent[n]]
    count[0] = roots
    for row in prange(planes * rows):
        k, j = row // rows, row % rows
        i = 0
        for n in range(first[row], first[row + 1]):
            y[k, j, i : start[n]] = 0
            y[k, j, start[n] : stop[n]] = parent[n]
            i = stop[n]
        y[k, j, i:] = 0


@_label.on("cuda")
def _plan(
    gpu: Any, x: Any, y: Any, background: int, connectivity: int, multivalued: int, count: Any
) -> None:
    kind, node = gpu.name_of(x.dtype), node_type(x.size)
    parent = gpu.empty(x.size + 1, node)
    node = gpu.name_of(node)
    blocks = gpu.blocks(x.size)
    gpu.launch(f"label_begin<{kind},{node}>", blocks, 256, x, parent, x.size, background)
    join_regions(gpu, x, parent, x.shape, connectivity, multivalued=multivalued)
    share = 4096
    shares = -(-x.size // share)
    counts = gpu.empty(shares, np.int64)
    grid = gpu.blocks(x.size, share)
    gpu.launch(f"label_count<{node}>", grid, 256, parent, counts, x.size, share)
    found = np.cumsum(gpu.get(counts))
    count[0] = found[-1]
    if count[0] > np.iinfo(y.dtype).max:
        return
    before = gpu.put(np.concatenate([[0], found[:-1]]).astype(np.int64))
    kind = gpu.name_of(y.dtype)
    gpu.launch(f"label_number<{node},{kind}>", grid, 256, parent, before, y, x.size, share)
    gpu.launch(f"label_write<{node},{kind}>", blocks, 256, parent, y, x.size)


def node_type(size: int) -> Any:
    """Return the type that numbers the voxels of a volume, and one more."""
    return np.int32 if size < np.iinfo(np.int32).max else np.int64


def join_regions(
    gpu: Any, x: Any, parent: Any, shape: Any, connectivity: int, *,
    planes_apart: int = 0, multivalued: int = 0,
) -> None:  # fmt: skip
    """Join neighbouring voxels in the forest `parent` on a GPU, and point each at its root."""
    size, node = x.size, gpu.name_of(parent.dtype)
    name = f"label_join<{gpu.name_of(x.dtype)},{node}>"
    gpu.launch(
        name,
        gpu.blocks(size),
        256,
        x,
        parent,
        tuple(shape),
        connectivity,
        planes_apart,
        multivalued,
    )
    gpu.launch(f"label_flatten<{node}>", gpu.blocks(size + 1), 256, parent, size + 1)


@_label.example
def _(rng: np.random.Generator, shape: tuple[int, int, int], dtype: str) -> tuple[Any, ...]:
    x = (rng.random(shape) < rng.choice([0.2, 0.5, 0.9])) * rng.integers(1, 4, shape)
    y = np.empty(shape, rng.choice(["int32", "int64"]))
    flags = int(rng.integers(1, 4)), int(rng.integers(2))
    return x.astype(dtype), y, int(rng.integers(2)), *flags, np.zeros(1, np.int64)


def label(
    image: Any,
    connectivity: int | None = None,
    *,
    background: int = 0,
    return_num: bool = False,
    multivalued: bool = True,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """Number the connected regions of an image.

    Parameters
    ----------
    image : array, shape ([..., planes,] [rows,] columns)
        Mask or labels: bool or any integer type, on any device.
    connectivity : int, optional
        Voxels are neighbours if they differ by one along at most this many axes: 1 to
        the number of axes, by default all. In a volume 1, 2 and 3 are 6, 18 and 26
        neighbours, in a plane 1 and 2 are 4 and 8.
    background : int
        The value that belongs to no region.
    return_num : bool
        Return the number of regions as well.
    multivalued : bool
        Whether neighbours of different values are in different regions. If not, all
        that is not the background counts as equal.
    out : array, optional
        Where to write; shape of `image`, int32 or int64, not overlapping it.
    workers : int, optional
        Most threads to use.

    Returns
    -------
    labels : array of int32
        0 in the background, and 1, 2, ... in the regions, in the raster order of their
        first voxels. int64 where there are more than 2147483647 regions.
    num : int
        The number of regions, if `return_num`. With leading axes, an array of one a volume.

    Raises
    ------
    TypeError
        If `image` is neither of bool nor of integers, or `out` not of int32 or int64.
    ValueError
        If `connectivity` is less than 1 or more than the axes, or `out` does not fit.

    Notes
    -----
    The answer is that of `skimage.measure.label`, with these differences. scikit-image
    returns int64 (int32 for masks), needs three axes at most, cuts floats to integers, and
    reorders axes of length one, which changes its numbering. Here leading axes beyond
    three are labelled volume by volume, and floats are refused. `scipy.ndimage.label` and
    `cc3d.connected_components` number in the same order; SciPy's default connectivity is 1.

    References
    ----------
    .. [1] M. M. A. Patwary, J. Blair, F. Manne, "Experiments on union-find algorithms for
       the disjoint-set data structure", SEA 2010. https://doi.org/10.1007/978-3-642-13193-6_35

    Examples
    --------
    >>> mask = np.array([[1, 1, 0], [0, 0, 1], [1, 0, 1]], bool)
    >>> label(mask, 1)
    array([[1, 1, 0],
           [0, 0, 2],
           [3, 0, 2]], dtype=int32)
    """
    x, give = _arrays.adopt(image)
    dtype = _args.as_dtype(x, _AS)
    ndim = min(_args.as_ndim(x), 3)
    near = as_connectivity(connectivity, ndim, default=ndim)
    value = _args.as_int(background, "background")
    workers = _args.as_workers(workers)
    x, value = _as_plain(x, dtype, value)
    multi = int(bool(multivalued) and dtype != "bool")
    counts: list[int] = []

    def run(volume: Any, answer: Any) -> None:
        count = np.zeros(1, np.int64)
        _label(volume, answer, value, near, multi, count, workers=workers)
        counts.append(int(count[0]))

    kind = "int32"
    if out is not None:
        kind = _args.as_dtype(_arrays.adopt(out, "out")[0], ("int32", "int64"), "out")
    labels = _arrays.run_volumes(run, x, out, kind, give)
    if kind == "int32" and max(counts, default=0) > np.iinfo(np.int32).max:
        if out is not None:
            raise ValueError(f"out must be int64 to hold {max(counts)} labels; got int32")
        counts.clear()
        labels = _arrays.run_volumes(run, x, None, "int64", give)
    if not return_num:
        return labels
    if ndim == 3 and x.ndim > 3:
        return labels, np.array(counts, np.int64).reshape(x.shape[:-3])
    return labels, counts[0] if counts else 0


def as_connectivity(connectivity: Any, ndim: int, default: int) -> int:
    """Return how many axes neighbours may differ along, of `ndim`."""
    number = default if connectivity is None else _args.as_int(connectivity, "connectivity")
    if not 1 <= number <= ndim:
        raise ValueError(
            f"connectivity must be in [1, {ndim}] for {ndim} axes; got {number}: 1 joins at faces, "
            f"{ndim} at corners too"
        )
    return number


def _as_plain(x: Any, dtype: str, background: int) -> tuple[Any, int]:
    """Return the image as a type that the kernel takes, and the background as it is there."""
    kind = np.dtype(bool if dtype == "bool" else dtype)
    least, most = (0, 1) if dtype == "bool" else (np.iinfo(kind).min, np.iinfo(kind).max)
    if not least <= background <= most:  # then every voxel is in a region
        wide = np.iinfo(np.int64)
        if kind.itemsize == 8 or not wide.min <= background <= wide.max:
            raise ValueError(
                f"background must be in [{least}, {most}] for {dtype}; got {background}"
            )
        return x.astype(np.int64), background
    plain = np.dtype(_AS[dtype])
    if not kind.isnative or (type(x) is np.ndarray and not x.dtype.isnative):
        x = x.astype(x.dtype.newbyteorder("="))
    return x.view(plain), int(np.array(background, kind).view(plain))
