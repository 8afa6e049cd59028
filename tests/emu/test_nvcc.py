"""Every kernel compiles ahead of time, and fits the processor: no spills, no more than it has."""

import concurrent.futures
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from budget import assert_it_fits

from voxkern import _jit

ROOT = Path(__file__).parents[2]
FILES = [Path(__file__).parent / "probe.cu", *sorted(set(_jit.instances().values()))]

pytestmark = pytest.mark.slow


def find_nvcc():
    """Nvcc from the environment, from PATH, or from PyPI."""
    wheels = (f for p in sys.path for f in Path(p).glob("nvidia/cu*/bin/nvcc"))
    return os.environ.get("CUDACXX") or shutil.which("nvcc") or next(map(str, wheels), None)


def compile_file(path, folder):
    include = [f"-I{ROOT / 'cpp' / 'include'}", f"-I{ROOT / 'cpp'}"]
    flags = ["-std=c++17", "-O3", "-ftz=true", "--fmad=false", "-Xptxas", "-v", "-arch=sm_90"]
    return subprocess.run(
        [find_nvcc(), *flags, *include, "-c", path, "-o", folder / f"{path.stem}.o"],
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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_kernels_compile_and_fit(compiled, path):
    done = compiled[path]
    assert done.returncode == 0, done.stderr
    names = _jit.exported(path.read_text(encoding="utf-8"))
    assert_it_fits(done.stderr, len(names))
