"""The progress of a run in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import voxkern

from ._clock import Stage
from ._record import backend
from ._settings import Settings

MARKS = {
    "registration_error_mm": ("registration error, mean in the brain", "{:.3f} mm", "< {:g} mm"),
    "registration_error_max_mm": ("registration error, largest", "{:.3f} mm", ""),
    "white_matter_dice": ("white matter of the second scan, Dice", "{:.3f}", "> {:g}"),
    "white_matter_hd95_mm": ("white matter of the second scan, HD95", "{:.2f} mm", ""),
    "white_matter_dice_first": ("white matter of the first scan, Dice", "{:.3f}", ""),
    "white_matter_hd95_first_mm": ("white matter of the first scan, HD95", "{:.2f} mm", ""),
    "correlation_before": ("correlation of the scans before registration", "{:.3f}", ""),
    "correlation_after": ("correlation of the scans after registration", "{:.3f}", ""),
}


def kept(name: str, value: float, promised: Mapping[str, float]) -> bool | None:
    """Whether a promise is kept; None where nothing is promised."""
    if name not in promised:
        return None
    return value > promised[name] if name.endswith("dice") else value < promised[name]


def heads_of(promised: Mapping[str, float]) -> tuple[str, ...]:
    """Name the columns of what was reached: no promises, no column."""
    return ("", "reached", "promised") if promised else ("", "reached")


class Progress:
    """A table of stages that grows while the chain runs; plain lines where no terminal is."""

    def __init__(self, console: Any, settings: Settings) -> None:
        from rich.live import Live

        info = voxkern.info()
        self.console = console
        count = settings.threads or info["threads"]
        self.where = f"{backend(info, settings.device)}, {count} threads"
        self.stages: list[Stage] = []
        live = console.is_terminal
        self.live = Live(console=console, refresh_per_second=8) if live else None

    def __enter__(self) -> Progress:
        if self.live:
            self.live.__enter__()
        else:
            self.console.print(f"voxkern demo: {self.where}", highlight=False)
        return self

    def __exit__(self, *error: Any) -> None:
        if self.live:
            self.live.__exit__(*error)

    def watch(self, stage: Stage) -> None:
        """Show a stage that begins or ends."""
        if stage not in self.stages:  # by identity
            self.stages.append(stage)
        if self.live:
            self.live.update(self._table())
        elif stage.seconds is not None:
            self.console.print(
                f"{stage.name:12} {stage.seconds:7.2f} s  {stage.what}: {stage.came}",
                highlight=False, soft_wrap=True,
            )  # fmt: skip

    def _table(self) -> Any:
        from rich.spinner import Spinner
        from rich.table import Table

        table = Table(box=None, pad_edge=False, title=f"voxkern demo: {self.where}")
        table.title_justify = "left"
        for name, justify in (("", "left"), ("stage", "left"), ("what", "left"), ("s", "right")):
            table.add_column(name, justify=justify)
        table.add_column("what came out", style="dim")
        for stage in self.stages:
            done = stage.seconds is not None
            mark = "[green]✓[/]" if done else Spinner("dots")
            took = f"{stage.seconds:.2f}" if done else ""
            table.add_row(mark, f"[bold]{stage.name}[/]", stage.what, took, stage.came)
        return table


def summary(record: dict[str, Any]) -> Any:
    """Return a table of what was reached."""
    from rich.table import Table

    heads = heads_of(record["promised"])
    table = Table(*heads, box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for name, value in record["reached"].items():
        words, form, promise = MARKS[name]
        good = kept(name, value, record["promised"])
        color = {True: "green", False: "red", None: "default"}[good]
        promised = promise.format(record["promised"][name]) if good is not None else ""
        table.add_row(*(words, f"[{color}]{form.format(value)}[/]", promised)[: len(heads)])
    return table
