"""Every kernel compiles ahead of time, and fits the processor: no spills, no more than it has."""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from voxkern import _jit

ROOT = Path(__file__).parents[2]
FILES = [Path(__file__).parent / "probe.cu", *sorted(set(_jit.instances().values()))]
ARCHS = (75, 90)
MOST_REGISTERS = 128  # two blocks of 256 threads on every GPU
MOST_SHARED = 48 << 10
# Splines are functions of their own in these, or NVRTC would take minutes over each file; what the
# caller holds goes to memory around the call.
CALLERS = re.compile("affine_spline|points_spline")

pytestmark = pytest.mark.slow


def find_nvcc():
    """Nvcc from the environment, from PATH, or from PyPI."""
    wheels = (f for p in sys.path for f in Path(p).glob("nvidia/cu*/bin/nvcc"))
    return os.environ.get("CUDACXX") or shutil.which("nvcc") or next(map(str, wheels), None)


def compile_file(path, folder):
    archs = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in ARCHS]
    include = [f"-I{ROOT / 'cpp' / 'include'}", f"-I{ROOT / 'cpp'}"]
    flags = ["-std=c++17", "-O3", "-ftz=true", "--fmad=false", "-Xptxas", "-v"]
    return subprocess.run(
        [find_nvcc(), *flags, *archs, *include, "-c", path, "-o", folder / f"{path.stem}.o"],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    if find_nvcc() is None:
        pytest.skip("no nvcc: pip install 'cuda-toolkit[nvcc,cudart,cccl]==13.0.*'")
    folder = tmp_path_factory.mktemp("nvcc")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(FILES, pool.map(lambda p: compile_file(p, folder), FILES), strict=True))


def resources(log):
    """(kernel, registers, bytes spilled, bytes of shared memory) of what ptxas compiled."""
    found = []
    for part in log.split("Compiling entry function ")[1:]:
        spilled = sum(map(int, re.findall(r"(\d+) bytes spill", part)))
        shared = re.search(r"(\d+) bytes smem", part)
        registers = int(re.search(r"Used (\d+) registers", part)[1])
        name, arch = re.match(r"'(\S+)' for '(\S+)'", part).groups()
        found.append((f"{name} on {arch}", registers, spilled, int(shared[1]) if shared else 0))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_kernels_compile_and_fit(compiled, path):
    done = compiled[path]
    assert done.returncode == 0, done.stderr
    found = resources(done.stderr)
    names = _jit.exported(path.read_text(encoding="utf-8"))
    assert len(found) == len(names) * len(ARCHS)
    for kernel, registers, spilled, shared in found:
        assert spilled == 0 or CALLERS.search(kernel), f"{kernel} spills {spilled} bytes"
        assert registers <= MOST_REGISTERS, f"{kernel} takes {registers} registers"
        assert shared <= MOST_SHARED, f"{kernel} takes {shared} bytes of shared memory"
