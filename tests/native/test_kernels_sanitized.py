"""Every CPU kernel on its example arguments, built with the sanitizers."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import builds
import pytest

ROOT = Path(__file__).parents[2]
LEVEL = "v2" if platform.machine() in ("x86_64", "AMD64") else "base"

# Under a sanitized module. ThreadSanitizer takes long, and sees a race at any shape, of any type.
PROGRAM = """
import importlib, sys
import numpy as np
from parity import outputs
from test_parity import SHAPES
import voxkern
from voxkern._kernel import kernels

module = importlib.import_module("voxkern._cpu_" + sys.argv[1])
races = sys.argv[2] == "thread"
shapes = [(11, 18, 37)] if races else [*SHAPES, (11, 18, 37)]
ran = 0
for name, kernel in kernels().items():
    run = getattr(module, name, None)
    if run is None:
        continue
    for dtype in kernel.dtypes[-1:] if races else kernel.dtypes:
        for shape in shapes:
            args = kernel.sample(np.random.default_rng(3), shape, dtype)
            written = outputs(kernel, args)
            before = [a.copy() for a in written]
            answers = []
            for threads in (1, 4):
                for a, b in zip(written, before):
                    a[...] = b
                run(threads, *args)
                answers.append([a.copy() for a in written])
            for one, four in zip(*answers):
                np.testing.assert_array_equal(one, four, err_msg=name)
    ran += 1
print("ran", ran)
"""


@pytest.mark.sanitize
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("variant", ["address", "thread"])
def test_no_sanitizer_has_a_word_to_say(variant):
    reason = builds.missing_tool("the module") or builds.missing_sanitizer(variant)
    if reason:
        pytest.skip(reason)
    site = builds.site(
        f"sanitized/{variant}",
        f"-DVOXKERN_LEVELS={LEVEL}",
        "-DVOXKERN_OPTIMIZE=-O0",
        f"-DVOXKERN_SANITIZE={builds.SANITIZERS[variant]}",
    )
    paths = os.pathsep.join(map(str, (site, ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, LEVEL, "all" if builds.THOROUGH else variant],
        env=os.environ | builds.sanitized_environment(variant) | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-6000:]
    assert int(done.stdout.split()[-1]) > 50
