"""The chain: read, denoise, enhance, register, fuse, segment, measure, judge, show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import voxkern

from .. import io
from ..image import Image
from ..warp import Transform
from . import _inputs, _pictures, _record, _report
from ._clock import Clock, Stage
from ._device import Ops
from ._enhance import Enhanced, Mask, Volume, enhance
from ._inputs import Input
from ._second import between, make
from ._segment import Segmented, white_matter
from ._settings import Settings

Features = dict[str, dict[str, tuple[float, float]]]


@dataclass
class Work:
    """All that the chain has made so far; the report is drawn from it."""

    settings: Settings
    ops: Ops
    first: Image
    second: Image
    inputs: list[Input]
    white: Mask | None  # truth: the white matter of the first scan
    motion: Transform | None = None  # truth: from the first scan's world to the second's
    made_field: Volume | None = None  # truth: the bias field of the second scan
    denoised: list[Volume] = field(default_factory=list)
    enhanced: list[Enhanced] = field(default_factory=list)
    found: Transform = field(default_factory=Transform.identity)
    before: Volume = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    after: Volume = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    fused: Volume = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    regions: list[Segmented] = field(default_factory=list)
    features: Features = field(default_factory=dict)
    reached: dict[str, float] = field(default_factory=dict)

    @property
    def scans(self) -> tuple[Volume, Volume]:
        """Both scans, enhanced, on the grid of the first."""
        return self.enhanced[0].data, self.after


def run(
    settings: Settings, out: str | Path = "report", *, watch: Callable[[Stage], None] | None = None
) -> dict[str, Any]:
    """Run the chain and write the report.

    Parameters
    ----------
    settings : Settings
        Inputs and parameters.
    out : path
        The folder to write to; made if it is not there.
    watch : callable, optional
        Called with a stage when it begins and when it ends.

    Returns
    -------
    dict
        What ``run.json`` holds; ``"reached"`` has the errors and overlaps that were judged.

    Raises
    ------
    ImportError
        If an image or a chart needs a library that is missing.
    ValueError
        If an image cannot be used.
    """
    before = voxkern.info()["threads"]
    if settings.threads:
        voxkern.set_threads(settings.threads)
    try:
        return _run(settings, Path(out), Clock(watch))
    finally:
        voxkern.set_threads(before)


def _run(settings: Settings, out: Path, clock: Clock) -> dict[str, Any]:
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir():  # better said now than after the work
        raise NotADirectoryError(f"{there}: wanted a folder for the report, this is a file")
    work = _read(settings, clock)
    _denoise(work, clock)
    _enhance(work, clock)
    _register(work, clock)
    _resample(work, clock)
    _fuse(work, clock)
    _segment(work, clock)
    _measure(work, clock)
    _judge(work, clock)
    out.mkdir(parents=True, exist_ok=True)
    with clock.stage("show", "volumes, tables, pictures and the report") as stage:
        volumes = _volumes(work)
        for name, image in volumes.items():
            io.write(out / name, image)
        _record.write_features(out / "features.csv", work.features)
        pictures = _pictures.draw(work)
        stage.came = f"{len(volumes)} volumes, {sum(map(len, pictures.values()))} pictures"
    record = _record.make(work, clock.stages, out, list(volumes))
    _record.write(out / "run.json", record)
    (out / "report.html").write_text(_report.page(work, clock.stages, record, pictures), "utf-8")
    return record


def _read(settings: Settings, clock: Clock) -> Work:
    ops = Ops(settings.device)
    with clock.stage("read", "scans and their place in the patient") as stage:
        found = _inputs.load(settings)
        first = found.first.image
        everything = [one for one in (found.first, found.second, found.white) if one is not None]
        white = None if found.white is None else _half_of_full(found.white.image)
        second = first if found.second is None else found.second.image
        work = Work(settings, ops, first, second, everything, white)
        stage.came = " x ".join(map(str, first.shape)) + " voxels"
    if found.second is None:
        with clock.stage("second scan", "known motion, bias field and Rician noise") as stage:
            made = make(first, settings, ops)
            work.second, work.motion, work.made_field = made.image, made.motion, made.field
            stage.came = f"turned {settings.turn:g}°, shifted {settings.shift:g} mm"
    return work


def _half_of_full(image: Image) -> Mask:
    """Return where a tissue map that ends at 255 says more than one half."""
    truth: Mask = image.data > 127.5
    return truth


def _denoise(work: Work, clock: Clock) -> None:
    cross = np.abs(np.indices((3, 3, 3)) - 1).sum(axis=0) < 2
    with clock.stage("denoise", "median of each voxel and its six neighbours") as stage:
        work.denoised = [
            work.ops.median_filter(scan.data, footprint=cross) for scan in (work.first, work.second)
        ]
        change = np.abs(work.denoised[1] - work.second.data).mean() / work.second.data.mean()
        stage.came = f"second scan changed by {100 * change:.1f} % on average"


def _enhance(work: Work, clock: Clock) -> None:
    with clock.stage("enhance", "brain mask, bias field, one intensity scale") as stage:
        for scan, data in zip((work.first, work.second), work.denoised, strict=True):
            work.enhanced.append(enhance(data, scan.spacing, work.ops))
        spread = np.std(np.log(work.enhanced[1].field[work.enhanced[1].brain]))
        stage.came = f"field of the second scan: ±{100 * spread:.1f} %"


def _register(work: Work, clock: Clock) -> None:
    how = work.settings
    with clock.stage("register", f"{how.transform}, by {_record.METRICS[how.metric]}") as stage:
        first, second = work.first, work.second
        found = voxkern.register(
            work.enhanced[0].data,
            work.enhanced[1].data,
            how.transform,
            how.metric,
            fixed_spacing=first.spacing,
            fixed_origin=first.origin,
            fixed_direction=first.direction,
            moving_spacing=second.spacing,
            moving_origin=second.origin,
            moving_direction=second.direction,
            seed=how.seed,
        )
        work.found = Transform(found.matrix)
        stage.came = f"{len(found.history)} steps"


def _resample(work: Work, clock: Clock) -> None:
    with clock.stage("resample", "second scan on the first one's grid, cubic splines") as stage:
        second = work.second.with_data(work.enhanced[1].data)
        work.before = between(work.ops, second, work.first, Transform.identity(), order=1)
        moved = between(work.ops, second, work.first, work.found, order=3)
        work.after = np.maximum(moved, np.float32(0))
        stage.came = f"{work.after.size / 1e6:.1f} million voxels"


def _fuse(work: Work, clock: Clock) -> None:
    with clock.stage("fuse", "mean of both scans; checkerboards and blends") as stage:
        work.fused = np.float32(0.5) * (work.scans[0] + work.scans[1])
        inside = work.enhanced[0].brain
        likeness = [
            np.corrcoef(work.scans[0][inside], moved[inside])[0, 1]
            for moved in (work.before, work.after)
        ]
        stage.came = f"correlation {likeness[0]:.3f} before, {likeness[1]:.3f} after"
        work.reached["correlation_before"], work.reached["correlation_after"] = map(float, likeness)


def _segment(work: Work, clock: Clock) -> None:
    with clock.stage("segment", "white matter grown from a seed, cleaned") as stage:
        brain, spacing = work.enhanced[0].brain, work.first.spacing
        work.regions = [white_matter(scan, brain, spacing, work.ops) for scan in work.scans]
        litres = [_litres(work, region.mask) for region in work.regions]
        stage.came = f"{1000 * litres[0]:.0f} and {1000 * litres[1]:.0f} ml"


def _litres(work: Work, mask: Mask) -> float:
    return float(mask.sum() * np.prod(work.first.spacing) / 1e6)


def _measure(work: Work, clock: Clock) -> None:
    with clock.stage("measure", "intensity, shape and texture of the white matter") as stage:
        pairs = [
            _features(work, scan, region.mask)
            for scan, region in zip(work.scans, work.regions, strict=True)
        ]
        for kind, first in pairs[0].items():
            second = pairs[1][kind]
            work.features[kind] = {name: (first[name], second[name]) for name in first}
        stage.came = f"{sum(map(len, work.features.values()))} features of each scan"


def _features(work: Work, scan: Volume, mask: Mask) -> dict[str, dict[str, float]]:
    """Measure in the box around the region, where all of it is."""
    filled = [np.flatnonzero(mask.any(axis=other)) for other in ((1, 2), (0, 2), (0, 1))]
    box = tuple(slice(int(at[0]), int(at[-1]) + 1) for at in filled)
    image, region = np.ascontiguousarray(scan[box]), np.ascontiguousarray(mask[box])
    spacing, levels = work.first.spacing, work.settings.levels
    return {
        "first order": work.ops.first_order_features(image, region, spacing=spacing),
        "shape": work.ops.shape_features(region, spacing=spacing),
        "texture (GLCM)": work.ops.glcm_features(image, region, levels=levels),
    }


def _judge(work: Work, clock: Clock) -> None:
    with clock.stage("judge", "against what is known to be true") as stage:
        if work.motion is not None:
            error = _misplaced(work)
            work.reached["registration_error_mm"] = float(error.mean())
            work.reached["registration_error_max_mm"] = float(error.max())
            stage.came = f"{error.mean():.3f} mm"
        if work.white is not None:
            for region, name in zip(work.regions, ("_first", ""), strict=True):
                dice = work.ops.dice(region.mask, work.white)
                far = work.ops.hausdorff_distance(
                    region.mask, work.white, percentile=95, spacing=work.first.spacing
                )
                work.reached[f"white_matter_dice{name}"] = float(dice)
                work.reached[f"white_matter_hd95{name}_mm"] = float(far)
            stage.came += f", Dice {work.reached['white_matter_dice']:.3f}"
        if not stage.came:
            stage.came = "no truth is known for these images"


def _misplaced(work: Work) -> np.ndarray[Any, Any]:
    """Return how far each voxel of the brain is from where it belongs, in mm."""
    assert work.motion is not None
    off = (work.found.matrix - work.motion.matrix) @ work.first.affine
    index = np.argwhere(work.enhanced[0].brain)
    return np.linalg.norm(index @ off[:3, :3].T + off[:3, 3], axis=1)


def _volumes(work: Work) -> dict[str, Image]:
    """Return the volumes that are written, by the names of their files."""
    first, second = work.first, work.second
    return {
        "first.nii.gz": first.with_data(work.scans[0]),
        "second.nii.gz": second.with_data(second.data),
        "second_registered.nii.gz": first.with_data(work.scans[1]),
        "fused.nii.gz": first.with_data(work.fused),
        "brain_mask.nii.gz": first.with_data(work.enhanced[0].brain),
        "white_matter_first.nii.gz": first.with_data(work.regions[0].mask),
        "white_matter_second.nii.gz": first.with_data(work.regions[1].mask),
    }
