"""The command `voxkern`: imported, it needs typer; run without it, it says how to get it."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from voxkern._cli import app
    except ImportError as error:
        if error.name not in ("typer", "rich", "click"):
            raise
        print(
            f"the command voxkern needs {error.name}: pip install 'voxkern[cli]'", file=sys.stderr
        )
        raise SystemExit(1) from None
    app(prog_name="voxkern")


if __name__ == "__main__":
    main()
