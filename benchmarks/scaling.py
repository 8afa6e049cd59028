"""Time of some ops by the size of the volume: `python benchmarks/scaling.py --plot FILE`.

An op that scales has a flat line: so many nanoseconds a voxel, however many voxels there are.
"""

import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import voxkern
from voxkern.bench._inputs import head

OPS = {
    "gaussian_filter(sigma=2)": lambda x, y: voxkern.gaussian_filter(x, 2, out=y),
    "uniform_filter(9)": lambda x, y: voxkern.uniform_filter(x, 9, out=y),
    "median_filter(3)": lambda x, y: voxkern.median_filter(x, 3, out=y),
    "minimum_filter(9)": lambda x, y: voxkern.minimum_filter(x, 9, out=y),
    "denoise_bilateral(1, 80)": lambda x, y: voxkern.denoise_bilateral(x, 1, 80, out=y),
    "anisotropic_diffusion(1)": lambda x, y: voxkern.anisotropic_diffusion(x, 1, out=y),
    "sato(sigmas=[2])": lambda x, y: voxkern.sato(x, [2], out=y),
    "equalize_adapthist": lambda x, y: voxkern.equalize_adapthist(x, out=y),
    "shift(1.5, order=1)": lambda x, y: voxkern.shift(x, 1.5, order=1, out=y),
    "ncc": lambda x, y: voxkern.ncc(x, y),
    "label": lambda x, y: voxkern.label(x > 300),
    "distance_transform_edt": lambda x, y: voxkern.distance_transform_edt(x > 300, out=y),
}


def seconds(op, x: np.ndarray, y: np.ndarray) -> float:
    """The best of enough runs."""
    best, spent = float("inf"), 0.0
    while spent < 0.6 or best == float("inf"):
        start = time.perf_counter()
        op(x, y)
        took = time.perf_counter() - start
        best, spent = min(best, took), spent + took
    return best


def main(
    sizes: Annotated[str, typer.Option(help="Voxels a side.")] = "64,96,128,192,256,384,512",
    plot: Annotated[Path | None, typer.Option(help="Draw into this picture.")] = None,
    file: Annotated[Path | None, typer.Option("--json", help="Write the numbers here.")] = None,
) -> None:
    """Measure every op at every size, on this machine's processor."""
    sides = [int(n) for n in sizes.split(",")]
    rows: dict[str, list[float]] = {name: [] for name in OPS}
    for n in sides:
        x = head((n, n, n), "float32")
        y = np.empty_like(x)
        for name, op in OPS.items():
            rows[name].append(seconds(op, x, y) / n**3 * 1e9)
        print(n, *(f"{name} {row[-1]:.2f}" for name, row in rows.items()), sep="  ", flush=True)
    if file:
        file.write_text(json.dumps({"sizes": sides, "ns_per_voxel": rows}, indent=1) + "\n")
    if plot:
        draw(plot, sides, rows)


def draw(path: Path, sides: list[int], rows: dict[str, list[float]]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5.2), layout="constrained")
    colors = plt.colormaps["tab20"].colors
    for k, (name, row) in enumerate(rows.items()):
        axes.loglog(sides, row, "o-", color=colors[k], ms=3.5, lw=1.4)
        axes.annotate(name, (sides[-1], row[-1]), (6, 0), textcoords="offset points",
                      va="center", fontsize=8, color=colors[k])  # fmt: skip
    axes.set_xticks(sides, [f"{n}³" for n in sides])
    axes.minorticks_off()
    axes.set(xlabel="voxels of a float32 volume", ylabel="ns a voxel")
    axes.set_xlim(sides[0] * 0.9, sides[-1] * 2.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"Time a voxel, voxkern {voxkern.__version__}", loc="left")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    typer.run(main)
