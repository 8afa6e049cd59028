"""SciPy's own tests of its ndimage, with voxkern's functions in place of SciPy's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

scipy = pytest.importorskip("scipy", reason="pip install 'voxkern[test]' to run SciPy's tests")
pytest.importorskip("hypothesis")

HERE = Path(__file__).parent
SUITE = Path(scipy.__file__).parent / "ndimage" / "tests"

# Tests that SciPy's functions pass and ours do not, each with the reason why that is right.
NOT_OURS: dict[str, str] = {
    r"test_gauss_memory_overlap": "float32 is summed in float32: 2e-7 of the range, not 1.5e-6",
    r"test_gaussian_laplace0[12].*float32": "the same, made larger by differences",
    r"test_multiple_modes_gaussian_(laplace|gradient_magnitude)": "an axis keeps its own mode",
    r"test_multiple_modes_sequentially": "equal to rounding: axes are summed in another order",
    r"test_affine_transform_output_shape": "an output that does not fit is a ValueError",
    r"test_zoom_grid_mode_warnings": "no warning: every mode means what it says",
    r"test_binary_erosion38": "a whole number written as a float is taken",
    r"test_map_coordinates_dts": "float32 splines are evaluated in float32: 4e-7, not 1.5e-6",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    ["test_filters.py", "test_interpolation.py", "test_morphology.py", "test_measurements.py",
     "test_datatypes.py", "test_splines.py"],
)  # fmt: skip
def test_scipy_s_own_tests_pass(file: str, tmp_path: Path) -> None:
    if not (SUITE / file).exists():
        pytest.skip(f"this SciPy came without {file}")
    record = tmp_path / "record.json"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(SUITE / file), "-q", "-p", "stand_in",
         "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(SUITE), "-W", "ignore"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
             "VOXKERN_CONFORMANCE": str(record)},
        capture_output=True, text=True, timeout=900, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert record.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    lines = json.loads(record.read_text())
    ours = [line for line in lines if line["ours"]]
    reasons = {reason for line in lines for reason in line["refused"]}
    passed = sum(line["outcome"] == "passed" for line in ours)
    print(f"\n{file}: {passed} of {len(ours)} tests that voxkern answers pass; {len(lines)} in all")
    for reason in sorted(reasons):
        print("  left to SciPy:", reason)
    failed = [line for line in ours if line["outcome"] == "failed"]
    unexplained = [line for line in failed if not any(re.search(p, line["test"]) for p in NOT_OURS)]
    assert not unexplained, "\n\n".join(f"{x['test']}\n{x['message']}" for x in unexplained)
