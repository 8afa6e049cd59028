"""What a cell of eight voxels adds to the surface and the volume of a mesh around a mask."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np

# The corner (z, y, x) of a cell is bit 4 x + 2 z + y of its code.
_CORNERS = list(itertools.product((0, 1), repeat=3))


def _bit(corner: tuple[int, ...]) -> int:
    z, y, x = corner
    return 4 * x + 2 * z + y


def _faces() -> list[list[tuple[int, ...]]]:
    """Return the corners of the six faces, turning one way as seen from outside."""
    faces = []
    for axis in range(3):
        for side in (0, 1):
            turn = [(0, 0), (0, 1), (1, 1), (1, 0)]
            ring = [tuple(np.insert(at, axis, side).tolist()) for at in turn]
            faces.append(ring[::-1] if (side + axis) % 2 else ring)
    return faces


@functools.cache
def _loops() -> list[list[Any]]:
    """Return, for each code, the closed lines in which the surface leaves the cell's faces."""
    faces = _faces()
    found = []
    for code in range(256):
        after = {}
        for ring in faces:
            is_in = [code >> _bit(c) & 1 for c in ring]
            for a in range(4):  # from where the ring comes in to where it next goes out
                if not is_in[a] and is_in[(a + 1) % 4]:
                    b = next(k % 4 for k in range(a + 1, a + 4) if not is_in[(k + 1) % 4])
                    start, stop = (
                        tuple(np.add(ring[k], ring[(k + 1) % 4]).tolist()) for k in (a, b)
                    )
                    after[start] = stop
        loops = []
        while after:
            line = [next(iter(after))]
            while line[-1] in after:
                line.append(after.pop(line[-1]))
            loops.append(np.array(line[:-1]) / 2)
        found.append(loops)
    return found


@functools.cache
def _fillings(n: int) -> Any:
    """Return all ways to fill a line of n vertices by triangles, shape (ways, n - 2, 3)."""

    def between(i: int, j: int) -> list[list[tuple[int, int, int]]]:
        if j - i < 2:
            return [[]]
        return [
            [*a, *b, (i, k, j)]
            for k in range(i + 1, j)
            for a in between(i, k)
            for b in between(k, j)
        ]

    return np.array(between(0, n - 1))


@functools.cache
def _triangles() -> list[Any]:
    """Return, for each code and each of its lines, the corners of the best fillings' triangles."""
    found = []
    for code, loops in enumerate(_loops()):
        for line in loops:
            ways = line[_fillings(len(line))]
            areas = np.sqrt((_normals(ways) ** 2).sum(-1)).sum(-1)
            found.append((code, ways[areas > areas.max() - 1e-9]))
    return found


def _normals(triangles: Any) -> Any:
    a, b, c = (triangles[..., n, :] for n in range(3))
    return np.cross(b - a, c - a) / 2


@functools.lru_cache(16)
def cell_tables(spacing: tuple[float, ...]) -> tuple[Any, Any]:
    """Return the area of each of the 256 codes, and its volume: at the origin, and what places add.

    A vertex lies halfway between a voxel inside and one outside. The lines that the surface draws
    on the faces of a cell part voxels that touch in a diagonal. Each is filled by the triangles
    that in a cube have the largest area, as in the usual tables of marching cubes; where several
    fillings do, by their mean, so that turning a mask changes nothing.
    """
    area, volume, vector = np.zeros(256), np.zeros(256), np.zeros((256, 3))
    for code, ways in _triangles():
        triangles = ways * np.array(spacing)
        normals = _normals(triangles)
        area[code] += np.sqrt((normals**2).sum(-1)).sum() / len(ways)
        vector[code] += normals.sum((0, 1)) / len(ways)
        volume[code] += (normals * triangles[..., 0, :]).sum() / 3 / len(ways)
    return area, np.column_stack([volume, vector * spacing / 3])
