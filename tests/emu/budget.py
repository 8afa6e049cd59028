"""What a kernel may take of a GPU, read from what ptxas says of it."""

import re

MOST_REGISTERS = 128  # two blocks of 256 threads on every GPU
MOST_SHARED = 48 << 10
# Splines are functions of their own in these, or NVRTC would take minutes over each file; what the
# caller holds goes to memory around the call.
CALLERS = re.compile("affine_spline|points_spline")


def assert_it_fits(log, kernels):
    """Hold each of so many kernels to what a processor has, without a register in memory."""
    parts = log.split("Compiling entry function ")[1:]
    assert len(parts) == kernels
    for part in parts:
        kernel = re.match(r"'(\S+)'", part)[1]
        spilled = sum(map(int, re.findall(r"(\d+) bytes spill", part)))
        registers = int(re.search(r"Used (\d+) registers", part)[1])
        shared = sum(map(int, re.findall(r"(\d+) bytes smem", part)))
        assert spilled == 0 or CALLERS.search(kernel), f"{kernel} spills {spilled} bytes"
        assert registers <= MOST_REGISTERS, f"{kernel} takes {registers} registers"
        assert shared <= MOST_SHARED, f"{kernel} shares {shared} bytes"
