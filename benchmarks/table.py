"""Write the speed table of the README from the JSON of `voxkern bench`.

Usage: python benchmarks/table.py results.json README.md
"""

import json
import sys
from itertools import groupby
from pathlib import Path

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
    ratio = f"{number(rival['ratio'])}x"
    cells += [rival["who"] + ("" if rival["out"] else ", allocates"), number(rival["ms"])]
    return [*cells, f"**{ratio}**" if rival["ratio"] < 1 else ratio]


def table(document):
    """The block between the markers."""
    machine, versions, rows = document["machine"], document["versions"], document["rows"]
    where = machine.get("gpu") or f"{machine['processor']}, {rows[0]['threads']} threads"
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    head = ["case", "voxkern ms", "in copies", "fastest rival", "its ms", "ratio"]
    lines = [
        f"Measured on {where}, {document['date'][:10]}, with {used}.",
        "Rivals are those with the same answer; a rival that allocates its answer is compared with",
        "our call that allocates too. *In copies*: times of a plain copy of the float32 volume.",
        "Bold: a loss, or a target missed.",
        "",
        "| " + " | ".join(head) + " |",
        "|---|--:|--:|---|--:|--:|",
    ]
    lines += ["| " + " | ".join(line(*verdict)) + " |" for verdict in verdicts(rows)]
    return "\n".join(lines)


def rewrite(text, block):
    """`text` with `block` between the markers."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"the file must hold one line {BEGIN!r} and one line {END!r}")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"


def main(results, readme):
    """Rewrite the table in `readme`."""
    document = json.loads(Path(results).read_text())
    path = Path(readme)
    path.write_text(rewrite(path.read_text(), table(document)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
