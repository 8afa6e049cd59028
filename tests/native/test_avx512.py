"""The AVX-512 kernels, run on a processor that need not have AVX-512."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import builds
import pytest

HERE = Path(__file__).parent

# Level v3 with avx512.hpp in front is level v4, but for the compiler's choice of instructions.
PROGRAM = """
import numpy as np
from parity import hold, outputs
from test_parity import KERNELS, SHAPES
from voxkern import _cpu_v3

ran, wrong = 0, []
for name, kernel in KERNELS.items():
    run = getattr(_cpu_v3, name, None)
    for dtype in kernel.dtypes if run else ():
        for shape in (*SHAPES, (5, 17, 149)):
            args = kernel.sample(np.random.default_rng(5), shape, dtype)
            written = outputs(kernel, args)
            before = [a.copy() for a in written]
            kernel.rule(*args)
            wanted = [a.copy() for a in written]
            for a, b in zip(written, before):
                a[...] = b
            run(2, *args)
            try:
                for got, want in zip(written, wanted):
                    hold(kernel, got, want, f"{dtype} {shape}", args[0])
            except AssertionError as error:
                wrong.append(str(error))
            ran += 1
assert not wrong, "\\n".join(wrong)
print("ran", ran)
"""


def test_the_header_has_every_instruction_that_is_used():
    instructions = re.compile(r"_mm512_\w+")
    has = set(instructions.findall((HERE / "avx512.hpp").read_text(encoding="utf-8")))
    for path in (HERE.parents[1] / "cpp").rglob("*.?pp"):
        used = set(instructions.findall(path.read_text(encoding="utf-8")))
        assert used <= has, f"{path.name}: {used - has}"


@pytest.mark.sanitize
@pytest.mark.timeout(2400)
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="for x86-64")
def test_wide_registers_give_the_rules_answers():
    if reason := builds.missing_tool("the module"):
        pytest.skip(reason)
    site = builds.site(
        "avx512",
        "-DVOXKERN_LEVELS=v3",
        "-DVOXKERN_OPTIMIZE=-O1",
        f"-DCMAKE_CXX_FLAGS=-include {HERE / 'avx512.hpp'}",
    )
    paths = os.pathsep.join(map(str, (site, HERE.parent)))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-6000:]
    assert int(done.stdout.split()[-1]) > 500
