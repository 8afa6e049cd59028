"""Write the speed tables from the JSON of `voxkern bench`.

Usage: python benchmarks/table.py results.json README.md docs/speed.md

The README shows a case of each op that most people come for, and then every loss; the other file
shows all.
"""

import json
import sys
from itertools import groupby
from pathlib import Path

HEADLINES = {
    "gaussian_filter",
    "median_filter",
    "uniform_filter",
    "minimum_filter",
    "binary_erosion",
    "grey_erosion",
    "denoise_nl_means",
    "denoise_bilateral",
    "anisotropic_diffusion",
    "denoise_tv",
    "n4_bias_correction",
    "frangi",
    "equalize_adapthist",
    "affine_transform",
    "zoom",
    "resample",
    "ncc",
    "mutual_information",
    "label",
    "connected_threshold",
    "distance_transform_edt",
    "glcm",
    "register",
    "dice",
    "hausdorff_distance",
}
BEGIN, END = "<!-- speed table -->", "<!-- end of speed table -->"


def number(value):
    """Three digits, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def verdicts(rows):
    """For each case: our best row, and the rival with the same answer that comes closest."""
    for name, group in groupby(rows, key=lambda row: row["case"]):
        group = list(group)
        ours = [r for r in group if r["who"] == "voxkern" and r["ms"] and not r["alone"]]
        if not ours:
            continue
        first = [r for r in ours if r["backend"] == ours[0]["backend"]]
        rivals = [r for r in group if r["who"] != "voxkern" and r["same"] and r["ms"]]
        yield name, first, min(rivals, key=lambda r: r["ratio"], default=None)


def line(name, ours, rival):
    """One row of the table; losses are bold."""
    best = min(ours, key=lambda r: r["ms"])
    alike = next((r for r in ours if rival and r["out"] == rival["out"]), best)
    copies = f"{number(alike['times_copy'])}"
    if alike["target"]:
        missed = alike["times_copy"] > alike["target"]
        copies = f"**{copies}**" if missed else copies
        copies += f" (asked {alike['target']:g})"
    cells = [f"`{name}`", number(alike["ms"]), copies]
    if rival is None:
        return [*cells, "none", "", ""]
    about = "~" if rival["estimated"] else ""
    ratio = f"{about}{number(rival['ratio'])}x"
    cells += [rival["who"] + ("" if rival["out"] else ", allocates"), about + number(rival["ms"])]
    return [*cells, f"**{ratio}**" if rival["ratio"] < 1 else ratio]


def is_behind(ours, rival):
    """Whether the fastest rival is faster, or a target is missed."""
    missed = any(r["target"] and r["times_copy"] > r["target"] for r in ours)
    return missed or (rival is not None and rival["ratio"] < 1)


def grid(verdicts):
    """A table of some cases."""
    head = ["case", "voxkern ms", "in copies", "fastest rival", "its ms", "ratio"]
    lines = ["| " + " | ".join(head) + " |", "|---|--:|--:|---|--:|--:|"]
    return "\n".join(lines + ["| " + " | ".join(line(*verdict)) + " |" for verdict in verdicts])


def heading(document):
    """What was measured, where, and how to read it."""
    machine, versions, rows = document["machine"], document["versions"], document["rows"]
    where = machine.get("gpu") or f"{machine['processor']}, {rows[0]['threads']} threads"
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Measured on {where}, {document['date'][:10]}, with {used}.\n"
        "Rivals are those with the same answer; a rival that allocates its answer is compared\n"
        "with our call that allocates too. *In copies*: times of a plain copy of the float32\n"
        "volume. Bold: a loss, or a target missed. A time with ~ is estimated from a volume of 64\n"
        "voxels a side, because one call takes too long."
    )


GROWTH = """## Growth with the volume

Time a voxel from 64 to 512 voxels a side, drawn by `python benchmarks/scaling.py --plot FILE`: a
level line is an op whose time grows as the voxels do.

![Time a voxel of twelve ops, by the side of the volume](scaling.png)"""


def short(document):
    """The first case of each headline, and all losses."""
    found = list(verdicts(document["rows"]))
    ops = {row["case"]: row["op"] for row in document["rows"]}
    behind = [v for v in found if is_behind(*v[1:])]
    first = {ops[v[0]]: v for v in reversed(found) if ops[v[0]] in HEADLINES}
    ahead = [v for v in found if v in first.values() and v not in behind]
    return (
        f"{heading(document)}\n\n{grid(ahead)}\n\n"
        f"Behind a rival or a target, of all {len(found)} cases ([all of them](docs/speed.md)):\n\n"
        f"{grid(behind)}"
    )


def whole(document):
    """All cases, family by family."""
    families = {row["case"]: row["family"] for row in document["rows"]}
    found = sorted(verdicts(document["rows"]), key=lambda v: families[v[0]])
    parts = [
        f"## {family}\n\n{grid(group)}"
        for family, group in groupby(found, key=lambda v: families[v[0]])
    ]
    return "\n\n".join(["# Speed", heading(document), GROWTH, *parts]) + "\n"


def rewrite(text, block):
    """`text` with `block` between the markers."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"the file must hold one line {BEGIN!r} and one line {END!r}")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"


def main(results, readme, everything):
    """Rewrite the table in `readme`, and all of `everything`."""
    document = json.loads(Path(results).read_text())
    path = Path(readme)
    path.write_text(rewrite(path.read_text(), short(document)))
    Path(everything).write_text(whole(document))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
