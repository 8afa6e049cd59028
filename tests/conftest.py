"""What holds for all tests."""

from __future__ import annotations

import os

# Numba compiles in a third of the time where it optimises little, and that was most of what the
# tests took. The answers are the same; `.ci/smoke.py` runs what users run.
os.environ.setdefault("NUMBA_OPT", "1")
