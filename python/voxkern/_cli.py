"""What the command line says and takes; the work is elsewhere."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import voxkern
from voxkern.bench import _cli as bench

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Medical images, filtered, registered, segmented and measured.",
)
app.command("bench")(bench.app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"voxkern {voxkern.__version__}")
        raise typer.Exit


@app.callback()
def voxkern_(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say which, and stop."),
    ] = False,
) -> None:
    """Start here: `voxkern demo` shows what it does, `voxkern info` what is installed."""


@app.command()
def demo(
    fixed: Annotated[
        str | None,
        typer.Argument(
            help="First scan: a NIfTI, NRRD or MetaImage file or a DICOM folder. "
            "Left out: the MNI152 T1 brain that nilearn carries.",
            show_default=False,
        ),
    ] = None,
    moving: Annotated[
        str | None,
        typer.Argument(
            help="Second scan of the same head. Left out: made from the first, with a known "
            "motion, a bias field and noise.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the report, volumes and tables.")] = Path(
        "report"
    ),
    device: Annotated[str, typer.Option(help="cpu, or cuda (needs CuPy).")] = "cpu",
    threads: Annotated[
        int | None, typer.Option(min=1, help="All that are allowed, unless given.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="At half the resolution.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the made motion, field and noise.")] = 0,
    replay: Annotated[
        Path | None,
        typer.Option(help="A run.json: run the same again and compare.", show_default=False),
    ] = None,
) -> None:
    """Run the whole chain on two scans of a head and write a report.

    Denoise and enhance, register and resample, fuse, segment white matter, measure it, judge
    what can be judged, show everything: `report/report.html`.

    **Examples**

    `voxkern demo`: the brain that nilearn carries, and a second scan with a known motion

    `voxkern demo before.nii.gz after/ --out change`: your own scans, files or DICOM folders

    `voxkern demo --replay report/run.json --out again`: the same once more, compared
    """
    from voxkern import demo as chain
    from voxkern.demo import _live

    console = Console()
    before: dict[str, Any] | None = None
    try:
        settings = chain.Settings(
            fixed=fixed, moving=moving, device=device, threads=threads, quick=quick, seed=seed
        )
        if replay is not None:
            settings, before = chain.load(replay)
            settings = dataclasses.replace(settings, threads=threads or settings.threads)
        with _live.Progress(console, settings) as progress:
            record = chain.run(settings, out, watch=progress.watch)
    except (ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        Console(stderr=True).print(f"voxkern demo: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    console.print(_live.summary(record))
    console.print(f"report: {out / 'report.html'}", highlight=False, soft_wrap=True)
    if before is not None:
        _compare(console, chain.differences(before, record))


def _compare(console: Console, lines: list[str]) -> None:
    for line in lines:
        console.print(f"differs: {line}", style="red", markup=False, soft_wrap=True)
    if lines:
        raise typer.Exit(1)
    console.print("the same came out as in the run replayed", style="green")


@app.command()
def info() -> None:
    """Say what is installed, what is used, and what would add more.

    **Example**

    `voxkern info`: which backends are ready, and the pip command for each that is missing
    """
    from rich.table import Table

    found = voxkern.info()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name in ("version", "python", "numpy", "machine"):
        table.add_row(name, str(found[name]))
    table.add_row("CPU build", str(found["level"] or "none: pure Python"))
    table.add_row("threads", str(found["threads"]))
    if found["forced"]:
        table.add_row("forced", f"every kernel runs on {found['forced']}")
    for name, state in found["backends"].items():
        ready = state == "ready"
        table.add_row(f"{name}", f"[{'green' if ready else 'yellow'}]{_escaped(state)}[/]")
    table.add_row("CPU only", ", ".join(found["cpu_only"]))
    for name, version in found["installed"].items():
        table.add_row(name, version)
    for name, cure in found["missing"].items():
        table.add_row(name, f"[dim]missing: {_escaped(cure)}[/]")
    Console().print(table)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
