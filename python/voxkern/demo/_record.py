"""What a run leaves in numbers: run.json and features.csv."""

from __future__ import annotations

import csv
import datetime
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import voxkern

from ._clock import Stage
from ._settings import Settings

if TYPE_CHECKING:
    from ._chain import Work

METRICS = {"mi": "mutual information", "ncc": "correlation", "ssd": "squared differences"}
# Of the brain that comes along, at its full resolution.
PROMISED = {"registration_error_mm": 0.5, "white_matter_dice": 0.85}


def make(work: Work, stages: Sequence[Stage], out: Path, volumes: Sequence[str]) -> dict[str, Any]:
    """Return what is needed to know what was done, and to do it again."""
    info = voxkern.info()
    versions = {"voxkern": voxkern.__version__, "python": info["python"], "numpy": info["numpy"]}
    return {
        "format": 1,
        "versions": versions | info["installed"],
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": info["machine"],
        "device": work.settings.device,
        "backend": backend(info, work.settings.device),
        "ran_on_the_cpu": sorted(work.ops.on_cpu),
        "threads": info["threads"],
        "settings": work.settings.as_dict(),
        "inputs": [one.record() for one in work.inputs],
        "found": {
            "transform": work.found.matrix.tolist(),
            "truth": None if work.motion is None else work.motion.matrix.tolist(),
            "thresholds": [[region.lower, region.upper] for region in work.regions],
            "seeds": [list(region.seed) for region in work.regions],
        },
        "reached": work.reached,
        "promised": promised(work.settings),
        "stages": [{"name": s.name, "seconds": round(s.seconds or 0.0, 4)} for s in stages],
        "outputs": {
            name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in volumes
        },
    }


def promised(settings: Settings) -> dict[str, float]:
    """Return what the run is to reach: for images of others nobody can know."""
    return {} if settings.fixed or settings.quick else dict(PROMISED)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def backend(info: Mapping[str, Any], device: str) -> str:
    """Return which kernels a run uses, in words."""
    if info["forced"]:
        return str(info["forced"])
    order = ("cuda", "cupy") if device == "cuda" else ("native", "numba")
    for name in order:
        if info["backends"][name] == "ready":
            return f"{name} ({info['level']})" if name == "native" else name
    return "none"


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON."""
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def load(path: str | Path) -> tuple[Settings, dict[str, Any]]:
    """Read a run.json.

    Parameters
    ----------
    path : path
        The file, or the folder with a run.json in it.

    Returns
    -------
    settings : Settings
        To run the same again.
    record : dict
        All of it, to compare with by `differences`.

    Raises
    ------
    ValueError
        If it is no record of a run.
    """
    file = Path(path)
    file = file / "run.json" if file.is_dir() else file
    try:
        record = json.loads(file.read_text("utf-8"))
        return Settings(**record["settings"]), record
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is not the record of a demo run: {error}") from None


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say where two records of the same run differ in inputs, answers or files.

    Parameters
    ----------
    before, now : mapping
        Two records; times, versions and machines may differ.

    Returns
    -------
    list of str
        One line for each difference; empty if the runs gave the same.
    """
    lines = []
    for part in ("inputs", "found", "reached", "outputs"):
        one, two = before.get(part), now.get(part)
        if one == two:
            continue
        if isinstance(one, dict) and isinstance(two, dict):
            lines += [
                f"{part}: {name}: {one.get(name)} before, {two.get(name)} now"
                for name in sorted(one.keys() | two.keys())
                if one.get(name) != two.get(name)
            ]
        else:
            lines.append(f"{part}: {one} before, {two} now")
    return lines


def write_features(path: Path, features: Mapping[str, Mapping[str, tuple[float, float]]]) -> None:
    """Write a table: family, feature, first scan, second scan, change in percent."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["family", "feature", "first_scan", "second_scan", "change_percent"])
        for family, rows in features.items():
            for name, (first, second) in rows.items():
                change = percent(first, second)
                cells = [repr(float(first)), repr(float(second))]
                table.writerow([family, name, *cells, "" if change is None else f"{change:.3f}"])


def percent(first: float, second: float) -> float | None:
    """Return the change from the first to the second, where that means something."""
    if not first or not math.isfinite(first) or not math.isfinite(second):
        return None
    return 100 * (second - first) / abs(first)
