"""That the demo reached what the README promises, by its own record."""

import json
import sys
from pathlib import Path

folder = Path(sys.argv[1])
record = json.loads((folder / "run.json").read_text())
reached = record["reached"]
print(json.dumps(reached, indent=1))
assert reached["registration_error_mm"] < 0.5
assert reached["white_matter_dice"] > 0.85
for name in ("report.html", "features.csv"):
    assert (folder / name).stat().st_size > 1000, name
assert list(folder.glob("*.nii.gz")), "no volumes were written"
