"""What lies outside an image: the Python twin of Edge in base.hpp."""

REFLECT, MIRROR, NEAREST, WRAP, CONSTANT = range(5)

# SciPy's names, its aliases included.
CODES = {
    "reflect": REFLECT,
    "mirror": MIRROR,
    "nearest": NEAREST,
    "wrap": WRAP,
    "constant": CONSTANT,
    "grid-mirror": REFLECT,
    "grid-wrap": WRAP,
    "grid-constant": CONSTANT,
}


def inside(i: int, n: int, edge: int) -> int:
    """Return the index that stands in for `i` in [0, n), or -1 for the fill value."""
    if 0 <= i < n:
        return i
    if edge == NEAREST:
        return 0 if i < 0 else n - 1
    if edge == WRAP:
        return i % n
    if edge == REFLECT:
        r = i % (2 * n)
        return r if r < n else 2 * n - 1 - r
    if edge == MIRROR:
        if n == 1:
            return 0
        p = 2 * n - 2
        r = i % p
        return r if r < n else p - r
    return -1
