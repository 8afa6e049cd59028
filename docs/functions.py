"""List every function by family: its call, what it does, and where it is written.

Usage: python docs/functions.py
Writes docs/functions.md.
"""

import importlib
import inspect
from pathlib import Path

import voxkern
from voxkern._kernel import FAMILIES

HERE = Path(__file__).parent
# Of so many that they are said once.
COMMON = {"out", "workers", "progress"}


def call(name, function):
    """Return how a function is called, without types."""
    parts, keywords = [], False
    for p in inspect.signature(function).parameters.values():
        if p.name in COMMON or p.name == "self":
            continue
        if p.kind is p.KEYWORD_ONLY and not keywords:
            keywords = True
            parts.append("*")
        text = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "") + p.name
        parts.append(text if p.default is p.empty else f"{text}={p.default!r}")
    return f"{name}({', '.join(parts)})"


def row(name, thing):
    """Return a line of a table for a function or a class."""
    package = Path(voxkern.__file__).parent
    path = Path(inspect.getsourcefile(inspect.unwrap(thing))).relative_to(package)
    first = inspect.getdoc(thing).split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    return (
        f"| `{call(name, thing)}` | {first} | [{path.name}](../python/voxkern/{path.as_posix()}) |"
    )


def names_of(family):
    """Return the public names of a family."""
    if family == "io":
        return ["Image", "read", "read_dicom_series", "write"]
    module = importlib.import_module(f"voxkern.{family}")
    return [name for name in module.__all__ if callable(getattr(module, name))]


def text():
    """Return the page."""
    lines = [
        "# Every function",
        "",
        "Drawn from the docstrings by `python docs/functions.py`; `help(voxkern.median_filter)`",
        "says all about one. Left out below, as most functions take them: `out=`, an array to",
        "write to; `workers=`, the most threads; `progress=`, `True` for a bar or a callable that",
        "is told.",
    ]
    for family in ("io", *FAMILIES, "show"):
        about = inspect.getdoc(importlib.import_module(f"voxkern.{family}")).split("\n")[0]
        lines += ["", f"## {family}", "", about, "", "| call | | source |", "|---|---|---|"]
        home = voxkern.show if family == "show" else voxkern
        prefix = "show." if family == "show" else ""
        names = sorted(names_of(family), key=str.lower)
        lines += [row(prefix + name, getattr(home, name)) for name in names]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "functions.md").write_text(text(), encoding="utf-8")
