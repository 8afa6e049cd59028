"""The command `voxkern`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import voxkern

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from voxkern._cli import app


def voxkern_(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "160", "TERM": "dumb"})


def test_the_version_is_the_package_s() -> None:
    done = voxkern_("--version")
    assert done.exit_code == 0
    assert done.output.strip() == f"voxkern {voxkern.__version__}"


def test_info_says_what_is_ready_and_what_is_missing() -> None:
    done = voxkern_("info")
    assert done.exit_code == 0
    found = voxkern.info()
    for word in ("native", "numba", "cupy", found["python"], found["numpy"]):
        assert word in done.output


def test_info_and_the_readme_list_what_runs_on_the_cpu_alone() -> None:
    shown = re.sub(r"\s+", " ", voxkern_("info").output)
    assert ", ".join(voxkern.info()["cpu_only"]) in shown
    readme = Path(__file__).parents[1] / "README.md"
    listed = re.search(r"^On the CPU alone: (.*)\.$", readme.read_text("utf-8"), re.M)
    assert listed
    assert re.findall(r"`(\w+)`", listed[1]) == voxkern.info()["cpu_only"]


@pytest.mark.parametrize("command", ["demo", "info", "bench"])
def test_help_teaches(command: str) -> None:
    done = voxkern_(command, "--help")
    assert done.exit_code == 0
    assert len(done.output) > 300
    if command != "bench":
        assert f"voxkern {command}" in done.output
        assert "Example" in done.output


def test_all_commands_are_listed() -> None:
    done = voxkern_("--help")
    for command in ("demo", "info", "bench"):
        assert command in done.output


def test_a_missing_file_is_one_line() -> None:
    done = voxkern_("demo", "nowhere.nii.gz")
    assert done.exit_code == 1
    assert "nowhere.nii.gz" in done.output
    assert "Traceback" not in done.output


def test_an_unknown_device_is_refused() -> None:
    done = voxkern_("demo", "--device", "tpu")
    assert done.exit_code == 1
    assert "device must be cpu or cuda" in done.output


def test_without_typer_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['typer'] = None\nfrom voxkern.__main__ import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "pip install 'voxkern[cli]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_runs_and_replays(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, 24)] * 3, indexing="ij")
    r = np.sqrt(z**2 + 1.3 * y**2 + 1.6 * x**2) + 0.2 * np.sin(4 * z + 2 * y)
    data = (40 * (r < 0.9) + 40 * (r < 0.75) + 30 * (r < 0.5)).astype(np.float32)
    data = voxkern.gaussian_filter(data, 0.6)
    voxkern.write(tmp_path / "head.nii.gz", voxkern.Image(data, 4.0))
    done = voxkern_("demo", str(tmp_path / "head.nii.gz"), "--out", str(tmp_path / "a"))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "a" / "report.html").exists()
    for stage in ("denoise", "register", "segment", "show"):
        assert stage in done.output
    record = str(tmp_path / "a" / "run.json")
    again = voxkern_("demo", "--replay", record, "--out", str(tmp_path / "b"))
    assert again.exit_code == 0, again.output
    assert "the same came out" in again.output
    voxkern.write(tmp_path / "head.nii.gz", voxkern.Image(1.5 * data, 4.0))
    other = voxkern_("demo", "--replay", record, "--out", str(tmp_path / "c"))
    assert other.exit_code == 1
    assert "differs: inputs" in other.output
