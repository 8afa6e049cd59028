"""The benchmark on a GPU; its file is rewritten after each family, so a time limit costs the rest.

python benchmarks/gpu_bench.py bench.json
"""

import sys
from pathlib import Path

from voxkern import _backends, bench
from voxkern.bench import _show


def main(path):
    reasons = [backend.why_not() for backend in _backends.FOR["cuda"]]
    if all(reasons):
        print(f"nothing to measure: {'; '.join(reasons)}")
        return 3
    rows, wrong = [], 0
    for family in bench.families():
        print(f"-- {family}", flush=True)
        new = bench.run(family=family, device="cuda", quick=True)
        for row in new:
            print(f"{row.case}: {row.who} {row.status} {row.as_dict().get('ms')} ms", flush=True)
        rows += new
        wrong += sum(row.who == "voxkern" and row.status in ("differs", "failed") for row in new)
        _show.write_json(rows, Path(path))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
