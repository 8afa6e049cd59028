"""A call takes one more volume of memory at most, or its documentation says how many.

Each is measured in a child of one process that has done a small call before: what the libraries
take is there already. The count holds their pages too, which a short machine takes away and brings
back: what exceeds is measured again, and the least of three holds.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

import voxkern

HERE = Path(__file__).parent
ROOM = 12 << 20  # bytes for tables, stacks and the tiles of two threads

PROGRAM = (
    f"ROOM = {ROOM}"
    + """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import voxkern
import test_every_function as every

voxkern.set_threads(2)
SHAPE, SMALL = (96, 104, 112), (16, 18, 20)

def status(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(field))

def shapes_of(name):
    return ((24, 28, 26, 12), (8, 9, 10, 12)) if name in every.SERIES else (SHAPE, SMALL)

def measure(name):
    shape, small = shapes_of(name)
    every.call(name, **every.images(name, small), **every.rest(name, small))
    given, more = every.images(name, shape), every.rest(name, shape)
    before = status("VmRSS")
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    answer = every.call(name, **given, **more)
    bytes_out = sum(a.nbytes for a in every.arrays_in(answer))
    volume = max(np.prod(shape) * 4, bytes_out, *(a.nbytes for a in given.values()))
    return [status("VmHWM") - before - bytes_out, int(volume)]

def in_child(name):
    here, there = os.pipe()
    if not os.fork():
        os.write(there, json.dumps(measure(name)).encode())
        os._exit(0)
    os.close(there)
    found = os.read(here, 1000)
    os.close(here)
    os.wait()
    return json.loads(found or b"[Infinity, 1]")

for name in every.NAMES:
    found, said = in_child(name), " of memory" in (getattr(voxkern, name).__doc__ or "")
    for _ in range(0 if said else 2):
        if not 0 <= found[0] <= found[1] + ROOM:
            found = min(found, in_child(name))
    print(json.dumps([name, *found]), flush=True)
"""
)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="measured by Linux's /proc"
)
def test_no_call_takes_more_memory_than_it_says():
    package = Path(voxkern.__file__).parents[1]  # and its kernels, wherever it was installed
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (HERE, package)))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    wrong = []
    for name, extra, volume in map(json.loads, done.stdout.splitlines()):
        said = " of memory" in (getattr(voxkern, name).__doc__ or "")
        if extra == math.inf or (extra - ROOM > 1.25 * volume and not said):
            wrong.append(f"{name}: {extra / volume:.1f} volumes")
    assert not wrong, "\n".join(wrong)
