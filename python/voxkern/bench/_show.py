"""Tables, JSON and a chart of rows."""

from __future__ import annotations

import datetime
import json
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from voxkern.bench import _gpu, _machine
from voxkern.bench._run import OURS, Row


def document(rows: Sequence[Row]) -> dict[str, Any]:
    """Rows with the machine and the versions they belong to."""
    machine = _machine.machine()
    if any(r.device == "cuda" for r in rows):
        machine |= _gpu.describe()
    return {
        "machine": machine,
        "versions": _machine.versions(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "rows": [r.as_dict() for r in rows],
    }


def write_json(rows: Sequence[Row], path: Path) -> None:
    """Write `document` to a file."""
    path.write_text(json.dumps(document(rows), indent=1) + "\n")


def check(path: Path, *, drawn: bool = False) -> Any:
    """Refuse before anything is measured what could not be written after; return what draws."""
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{path}: there is no such folder")
    if not drawn:
        return None
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("--plot needs matplotlib: pip install 'voxkern[show]'") from error
    known = Figure().canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in known:
        raise ValueError(f"{path}: a picture must end in one of {', '.join(sorted(known))}")
    return Figure


def by_case(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each case together, in the order in which they ran."""
    return [list(group) for _, group in groupby(rows, key=lambda r: (r.family, r.case))]


def _number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.{digits}g}"


def _times(row: Row) -> str:
    if row.times_copy is None:
        return ""
    text = _number(row.times_copy)
    if row.who != OURS or row.target is None:
        return f"{text}x"
    missed = row.times_copy > row.target
    return f"[{'red' if missed else 'green'}]{text}[/] of {row.target:g}x"


def _ratio(row: Row) -> str:
    """Red: somebody with the same answer is faster. Green: three times ahead, or near the floor."""
    if row.ratio is None:
        return ""
    colour = "red" if row.ratio < 1 and row.same else ""
    if row.alone:
        return f"{_number(row.ratio)}x"
    if row.who == OURS and row.ratio >= 1:
        colour = "green" if row.ratio >= 3 or (row.share or 0) >= 0.5 else "yellow"
    text = f"{_number(row.ratio)}x"
    return f"[{colour}]{text}[/]" if colour else text


# Of a table that fits into 80 columns: heads and widths, but for who it is.
_HEADS = (("out=", 4), ("ms", 8), ("GB/s", 6), ("of\ncopy", 5), ("in\ncopies", 11), ("ratio", 6))
_WHO = 32


def tables(rows: Sequence[Row]) -> list[Any]:
    """Rich tables, one for each case; our rows first, then the rivals by speed."""
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    made: list[Any] = []
    for family, of_family in groupby(rows, key=lambda r: r.family):
        made.append(Text(f"\n{family}", style="bold italic"))
        for index, group in enumerate(by_case(of_family)):
            first = group[0]
            noisy = "  [yellow]disturbed[/]" if any(r.disturbed for r in group) else ""
            made.append(Text.from_markup(f"\n[bold]{escape(first.call)}[/] {first.image}{noisy}"))
            table = Table(
                box=None,
                show_header=index == 0,
                header_style="bold",
                pad_edge=False,
                collapse_padding=True,
            )
            table.add_column("who", overflow="fold", width=_WHO)
            for name, width in _HEADS:
                table.add_column(name, justify="right", no_wrap=True, min_width=width)
            ordered = sorted(group, key=lambda r: (r.who != OURS, r.ms is None, r.ms or 0.0))
            for row in ordered:
                table.add_row(*_cells(row), style="" if row.who == OURS else "dim")
            made.append(table)
    return made


def _cells(row: Row) -> tuple[str, ...]:
    from rich.markup import escape

    who = f"  {row.who} {row.backend}".rstrip() + (", 1 thread" if row.alone else "")
    note = ": ".join(t for t in ("" if row.status == "ok" else row.status, row.note) if t)
    style = "red" if row.status in ("differs", "failed") else "dim"
    lines = textwrap.wrap(note, _WHO, initial_indent="    ", subsequent_indent="    ")
    return (
        who + "".join(f"\n[{style}]{escape(line)}[/]" for line in lines),
        "yes" if row.out else "no",
        ("~" if row.estimated else "") + _number(row.ms),
        _number(row.gbs),
        f"{100 * row.share:.0f} %" if row.share is not None else "",
        _times(row),
        _ratio(row),
    )


def losses(rows: Iterable[Row]) -> list[str]:
    """One line for each case in which a rival is faster, or a target is missed."""
    lines = []
    for row in rows:
        if row.who != OURS or row.alone:
            continue
        if row.ratio is not None and row.ratio < 1:
            lines.append(f"{row.case} {row.backend}: {row.ratio:.2f}x of the fastest rival")
        if row.out and row.target and row.times_copy and row.times_copy > row.target:
            lines.append(
                f"{row.case} {row.backend}: {row.times_copy:.1f} copies, asked {row.target:g}"
            )
    return lines


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw how many times longer each rival takes, on a log axis; left of the line we lose."""
    figure_of = check(path, drawn=True)
    groups = [g for g in by_case(rows) if any(r.ratio and r.who != OURS for r in g)]
    figure = figure_of(figsize=(9, 1.2 + 0.3 * max(1, len(groups))), layout="constrained")
    axes = figure.add_subplot()
    peers = sorted({r.who for g in groups for r in g if r.who != OURS and r.ratio})
    marks = "os^Dv<>PXhp*"
    for index, peer in enumerate(peers):
        points = [
            (r.ratio, line)
            for line, g in enumerate(groups)
            for r in g
            if r.who == peer and r.ratio and r.same
        ]
        if points:
            axes.plot(*zip(*points, strict=True), marks[index % len(marks)], ms=5, label=peer)
    for line, group in enumerate(groups):
        ratios = [r.ratio for r in group if r.who != OURS and r.same and r.ratio]
        if ratios:
            colour = "tab:red" if min(ratios) < 1 else "tab:green"
            axes.plot([1, min(ratios)], [line, line], color=colour, lw=2, zorder=0)
    axes.axvline(1, color="black", lw=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(groups)), [g[0].case for g in groups], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("rival's time / voxkern's time, same answer")
    axes.grid(axis="x", alpha=0.3, which="both")
    axes.legend(fontsize=7, loc="lower right")
    figure.savefig(path, dpi=150)
