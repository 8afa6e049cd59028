"""The chain on a head of 48 voxels a side, whose tissues and motion are known."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import voxkern
from voxkern import demo, io
from voxkern.demo import _enhance, _inputs, _live, _record, _second
from voxkern.demo._device import Ops, has_cuda

pytest.importorskip("matplotlib")

FILES = [
    "brain_mask.nii.gz", "features.csv", "first.nii.gz", "fused.nii.gz", "report.html",
    "run.json", "second.nii.gz", "second_registered.nii.gz", "white_matter_first.nii.gz",
    "white_matter_second.nii.gz",
]  # fmt: skip


def head(n: int = 48) -> voxkern.Image:
    """An egg of three tissues that has no symmetry, 3 mm voxels, off the world's axes."""
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, n)] * 3, indexing="ij")
    r = np.sqrt((z / 0.75) ** 2 + (y / 0.85) ** 2 + (x / 0.65) ** 2) + 0.12 * z * y
    waves = 0.05 * np.sin(7 * z + 3 * y) * np.cos(6 * x - 2 * z)
    data = np.zeros((n, n, n), np.float32)
    data[r < 1] = 40
    data[r + waves < 0.93] = 80
    data[r + 2 * waves < 0.62] = 110
    data[np.hypot(np.hypot(z - 0.1, y + 0.15), x - 0.05) < 0.16] = 30
    turn = np.array([[0.0, 0.6, 0.8], [0.0, -0.8, 0.6], [1.0, 0.0, 0.0]])
    smooth = voxkern.gaussian_filter(data, 0.6)
    return voxkern.Image(smooth, (3.0, 3.0, 3.0), (-50.0, 20.0, 10.0), turn)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "head.nii.gz"
    io.write(path, head())
    return path


@pytest.fixture(scope="module")
def done(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("report")
    return out, demo.run(demo.Settings(fixed=str(scan)), out)


def test_everything_that_is_promised_is_written(done: tuple[Path, dict[str, Any]]) -> None:
    out, _ = done
    assert sorted(p.name for p in out.iterdir()) == FILES


def test_the_known_motion_is_found(done: tuple[Path, dict[str, Any]]) -> None:
    reached = done[1]["reached"]
    assert reached["registration_error_mm"] < 1  # a third of a voxel
    assert reached["registration_error_mm"] <= reached["registration_error_max_mm"]
    assert reached["correlation_after"] > reached["correlation_before"]


def test_what_has_no_truth_is_not_judged(done: tuple[Path, dict[str, Any]]) -> None:
    out, record = done
    assert not [name for name in record["reached"] if "dice" in name or "hd95" in name]
    assert "the segmentation is not judged" in (out / "report.html").read_text("utf-8")


def test_volumes_lie_where_the_first_scan_lies(done: tuple[Path, dict[str, Any]]) -> None:
    out, _ = done
    wanted = head()
    for path in out.glob("*.nii.gz"):
        image = io.read(path)
        assert image.same_grid(wanted), path.name
    mask = io.read(out / "white_matter_first.nii.gz").data
    assert set(np.unique(mask)) == {0, 1}


def test_white_matter_is_the_bright_tissue(done: tuple[Path, dict[str, Any]]) -> None:
    mask = io.read(done[0] / "white_matter_first.nii.gz").data.astype(bool)
    truth = head().data > 95
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.9


def test_the_record_says_what_was_done(done: tuple[Path, dict[str, Any]], scan: Path) -> None:
    out, record = done
    assert json.loads((out / "run.json").read_text()) == json.loads(json.dumps(record))
    assert record["inputs"][0]["sha256"] == _inputs._sha256(scan)
    assert record["settings"]["seed"] == 0
    assert record["versions"]["voxkern"] == voxkern.__version__
    names = [stage["name"] for stage in record["stages"]]
    assert names == [
        "read", "second scan", "denoise", "enhance", "register", "resample", "fuse", "segment",
        "measure", "judge", "show",
    ]  # fmt: skip


def test_features_are_those_of_the_regions(done: tuple[Path, dict[str, Any]]) -> None:
    with (done[0] / "features.csv").open(newline="") as file:
        rows = {row["feature"]: row for row in csv.DictReader(file)}
    mask = io.read(done[0] / "white_matter_first.nii.gz").data.astype(bool)
    image = io.read(done[0] / "first.nii.gz").data
    assert float(rows["mean"]["first_scan"]) == pytest.approx(float(image[mask].mean()), rel=1e-5)
    assert float(rows["approximate_volume"]["first_scan"]) == pytest.approx(27.0 * mask.sum())


def test_the_page_needs_nothing_else(done: tuple[Path, dict[str, Any]]) -> None:
    page = (done[0] / "report.html").read_text("utf-8")
    assert 'src="data:image/jpeg;base64,' in page
    assert "http:" not in page
    assert "https:" not in page
    assert 'name="viewport"' in page
    assert page.count("<section") == page.count("</section>")


def test_a_replay_gives_the_same(done: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    settings, before = demo.load(done[0] / "run.json")
    again = demo.run(dataclasses.replace(settings, threads=1), tmp_path / "again")
    assert demo.differences(before, again) == []
    for name in before["outputs"]:
        assert (tmp_path / "again" / name).read_bytes() == (done[0] / name).read_bytes()


def test_another_seed_is_another_motion(done: tuple[Path, dict[str, Any]]) -> None:
    one, two = (
        _second.make(head(), demo.Settings(seed=seed), Ops("cpu")).motion for seed in (0, 1)
    )
    assert not np.allclose(one.matrix, two.matrix)
    assert np.allclose(one.matrix, done[1]["found"]["truth"])


def test_the_made_motion_has_the_size_asked_for() -> None:
    motion = _second.make(head(), demo.Settings(turn=5, shift=7), Ops("cpu")).motion
    angle = np.degrees(np.arccos((np.trace(motion.linear) - 1) / 2))
    middle = head().index_to_world([(n - 1) / 2 for n in head().shape])
    assert angle == pytest.approx(5)
    assert np.linalg.norm(motion.apply(middle) - middle) == pytest.approx(7)


def test_two_given_scans_are_not_judged(scan: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.nii.gz"
    other = head()
    io.write(moved, voxkern.Image(other.data, other.spacing, (-46, 15, 12), other.direction))
    settings = demo.Settings(fixed=str(scan), moving=str(moved))
    record = demo.run(settings, tmp_path / "out")
    assert set(record["reached"]) == {"correlation_before", "correlation_after"}
    shift = np.array(record["found"]["transform"])[:3, 3]
    centre = head().index_to_world([23.5] * 3)
    found = np.array(record["found"]["transform"])[:3, :3] @ centre + shift
    assert np.abs(found - centre - (4, -5, 2)).max() < 0.3
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "No truth is known for these images" in page


def test_tissue_levels_part_three_tissues() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(m, 2, 1000) for m in (20, 60, 100)]).astype(np.float32)
    lower, upper = _enhance.tissue_levels(values, Ops("cpu"))
    assert 25 < lower < 55
    assert 65 < upper < 95


def test_a_known_bias_field_is_found() -> None:
    image = head()
    z = np.linspace(-0.2, 0.2, 48, dtype=np.float32)[:, None, None]
    done = [
        _enhance.enhance(x, image.spacing, Ops("cpu")) for x in (image.data, image.data * np.exp(z))
    ]
    brain = done[0].brain & done[1].brain
    added = np.log(done[1].field[brain] / done[0].field[brain])
    true = np.broadcast_to(z, image.shape)[brain]
    added, true = added - added.mean(), true - true.mean()
    assert np.corrcoef(added, true)[0, 1] > 0.95
    assert np.std(added - true) < 0.5 * np.std(true)


def test_promises_are_made_of_the_known_brain_alone() -> None:
    assert _record.promised(demo.Settings()) == {
        "registration_error_mm": 0.5,
        "white_matter_dice": 0.85,
    }
    assert _record.promised(demo.Settings(fixed="mine.nii.gz")) == {}


def test_where_nothing_is_promised_no_column_says_so(done: tuple[Path, dict[str, Any]]) -> None:
    pytest.importorskip("rich")
    out, record = done
    heads = [str(column.header) for column in _live.summary(record).columns]
    assert heads == ["", "reached"]
    assert "<th>promised</th>" not in (out / "report.html").read_text("utf-8")
    known = record | {"promised": _record.promised(demo.Settings())}
    assert [str(c.header) for c in _live.summary(known).columns] == ["", "reached", "promised"]


def test_differences_name_what_changed() -> None:
    one = {"inputs": [1], "found": {"a": 1}, "reached": {"dice": 0.9}, "outputs": {}}
    assert demo.differences(one, json.loads(json.dumps(one))) == []
    two = one | {"reached": {"dice": 0.8}, "inputs": [2]}
    lines = demo.differences(one, two)
    assert lines == ["inputs: [1] before, [2] now", "reached: dice: 0.9 before, 0.8 now"]


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"settings": {"colour": 1}}')
    with pytest.raises(ValueError, match="not the record of a demo run"):
        demo.load(tmp_path)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"device": "tpu"}, "device"),
        ({"moving": "b.nii"}, "moving"),
        ({"threads": 0}, "threads"),
    ],
)
def test_settings_are_checked(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        demo.Settings(**fields)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((4, 20, 20), np.float32), "8 voxels"),
        (np.full((9, 9, 9), np.nan, np.float32), "finite"),
        (np.zeros((9, 9, 9), np.float32), "stands out"),
    ],
)
def test_images_that_cannot_be_used_are_refused(
    data: np.ndarray[Any, Any], words: str, tmp_path: Path
) -> None:
    io.write(tmp_path / "bad.nii.gz", voxkern.Image(data))
    with pytest.raises(ValueError, match=words):
        demo.run(demo.Settings(fixed=str(tmp_path / "bad.nii.gz")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_refused_before_the_work(
    scan: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    names: set[str] = set()
    settings = demo.Settings(fixed=str(scan), moving=str(scan))
    for out in (tmp_path / "file", tmp_path / "file" / "report"):
        with pytest.raises(NotADirectoryError, match="file: wanted a folder"):
            demo.run(settings, out, watch=lambda stage: names.add(stage.name))
    assert not names


def test_threads_are_given_back(scan: Path, tmp_path: Path) -> None:
    before = voxkern.info()["threads"]
    with pytest.raises(FileNotFoundError):
        demo.run(demo.Settings(fixed=str(tmp_path / "none.nii"), threads=1), tmp_path)
    assert voxkern.info()["threads"] == before


def test_an_op_goes_to_the_gpu_only_with_a_schedule() -> None:
    assert has_cuda(voxkern.median_filter)
    assert not has_cuda(voxkern.info)


def test_percent_is_left_out_where_it_means_nothing() -> None:
    assert _record.percent(2, 3) == 50
    assert _record.percent(-2, -3) == -50
    assert _record.percent(0, 3) is None
    assert _record.percent(1, float("nan")) is None


@pytest.mark.slow
def test_the_brain_that_nilearn_carries_is_found(tmp_path: Path) -> None:
    pytest.importorskip("nilearn")
    record = demo.run(demo.Settings(quick=True), tmp_path)
    assert record["reached"]["registration_error_mm"] < 0.5
    assert record["reached"]["white_matter_dice_first"] > 0.85
    assert record["reached"]["white_matter_hd95_first_mm"] < 4  # two voxels


@pytest.mark.slow
def test_the_readme_runs_on_what_the_demo_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nilearn")
    demo.run(demo.Settings(), tmp_path / "report")
    monkeypatch.chdir(tmp_path)
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", readme, re.S):
        exec(code, names)
    dice, distance = map(float, capsys.readouterr().out.split())
    assert dice > 0.9
    assert distance < 4
    assert names["registered"].same_grid(names["fixed"])
