"""What `voxkern bench` is: options in, tables out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voxkern.bench import main


def app(
    family: Annotated[
        str | None, typer.Option(help="Only this family of ops: filters, warp, regions, ...")
    ] = None,
    op: Annotated[
        str | None,
        typer.Option(help="Only this op, such as label, or some of it: 'label(image=brain'."),
    ] = None,
    device: Annotated[
        str, typer.Option(help="cpu: NumPy arrays; cuda: CuPy arrays, timed with events.")
    ] = "cpu",
    backend: Annotated[
        str | None,
        typer.Option(help="Only native or numba (cpu), cuda or cupy (cuda); all unless given."),
    ] = None,
    size: Annotated[
        int, typer.Option(min=16, help="Voxels a side of a volume; planes have 8 times as many.")
    ] = 256,
    threads: Annotated[
        int | None, typer.Option(min=1, help="For us and for the rivals alike; all unless given.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer runs; good to a tenth.")] = False,
    rivals: Annotated[bool, typer.Option(help="Run the other libraries that are here too.")] = True,
    limit: Annotated[
        float,
        typer.Option(help="Seconds a rival's call may take; a slower one is estimated."),
    ] = 60.0,
    json: Annotated[
        Path | None, typer.Option(help="Write every number, the machine and versions here.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the ratios into this picture (needs matplotlib).")
    ] = None,
) -> None:
    """Measure every op beside the libraries that do the same work.

    Answers are compared before anything is timed, everybody gets the same threads and takes turns,
    and times are also given in plain copies of the volume, which no machine makes look good.
    Rivals that are not installed are listed: install them with pip install 'voxkern[bench]'.
    """
    code = main(
        family=family,
        op=op,
        device=device,
        backend=backend,
        size=size,
        threads=threads,
        quick=quick,
        rivals=rivals,
        limit=limit,
        json=json,
        plot=plot,
    )
    raise typer.Exit(code)
