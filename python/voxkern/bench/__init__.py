"""Each op beside its rivals: same work, same threads, in turn, answers checked first."""

from __future__ import annotations

from pathlib import Path

from voxkern.bench._case import Case, Rival, Work, case, cases, families, without_case
from voxkern.bench._run import Row, Settings, measure, our_call, run

__all__ = [
    "Case",
    "Rival",
    "Row",
    "Settings",
    "Work",
    "case",
    "cases",
    "families",
    "main",
    "measure",
    "our_call",
    "run",
    "without_case",
]


def main(
    *,
    family: str | None = None,
    op: str | None = None,
    device: str = "cpu",
    backend: str | None = None,
    size: int = 256,
    threads: int | None = None,
    quick: bool = False,
    rivals: bool = True,
    limit: float = 60.0,
    json: Path | None = None,
    plot: Path | None = None,
) -> int:
    """Run the cases, print the tables, write what is asked for; return the exit status."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from voxkern.bench import _machine, _show

    console = Console()
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn())
    try:
        if json:
            _show.check(json)
        if plot:
            _show.check(plot, drawn=True)
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
            task = bar.add_task("looking for cases", total=None)

            def tell(one: Case, index: int, count: int) -> None:
                title = f"{one.op} {one.label} {one.dtype}"
                bar.update(task, description=title, completed=index, total=count)

            rows = run(
                family=family,
                op=op,
                device=device,
                backend=backend,
                size=size,
                threads=threads,
                quick=quick,
                rivals=rivals,
                limit=limit,
                progress=tell,
            )
    except (ValueError, ImportError) as error:
        console.print(str(error), style="red", markup=False)
        return 2
    for table in _show.tables(rows):
        console.print(table)
    here = _machine.machine()
    console.print(
        f"{here['processor']}, {rows[0].threads} threads; ms: the middle run; of copy: share of "
        "the bandwidth of a plain copy; in copies: times of a plain copy of the float32 volume; "
        "ratio: the rival's time over ours with out= used alike, for us the fastest rival's; ~: "
        "estimated from a small volume, because one call takes too long"
    )
    if missing := sorted({r.who for r in rows if r.status == "not installed"}):
        cure = "pip install 'voxkern[bench]'"
        console.print(f"not installed: {', '.join(missing)} ({cure})", markup=False)
    if absent := sorted({r.op for r in rows if r.status == "absent"}):
        console.print(f"absent: {', '.join(absent)}")
    for line in _show.losses(rows):
        console.print(f"[red]behind[/] {escape(line)}", soft_wrap=True)
    if json:
        _show.write_json(rows, json)
    if plot:
        _show.plot(rows, plot)
    return 1 if any(r.status in ("differs", "failed") and r.who == "voxkern" for r in rows) else 0
