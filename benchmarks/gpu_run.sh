#!/bin/bash
# Everything there is to find out on a machine with a GPU, in one command of about ten minutes:
#   bash benchmarks/gpu_run.sh                     all stages: env build test sanitize bench
#   STAGES="build bench" bash benchmarks/gpu_run.sh
# It needs nvcc, CuPy, pybind11, scikit-build-core, cmake and pytest, and no network. Each stage has
# its own time limit. $OUT (build/gpu unless set) gets gpu.json, rewritten after each stage, one log
# a stage, and bench.json. The exit status is 0 only if all stages passed.
set -u -o pipefail
cd "$(dirname "$0")/.."

export OUT=${OUT:-$PWD/build/gpu} SITE=${SITE:-$PWD/build/gpu-site} PYTHON=${PYTHON:-python3}
export PYTHONUNBUFFERED=1
STAGES=${STAGES:-"env build test sanitize bench"}
ARCHS=${ARCHS:-native} LEVELS=${LEVELS:-v3}
mkdir -p "$OUT"
failed=0

note() { # note STAGE KEY=VALUE...: add to gpu.json
  "$PYTHON" - "$OUT/gpu.json" "$@" <<'PY'
import json, pathlib, sys

path, stage, *pairs = sys.argv[1:]
path = pathlib.Path(path)
facts = json.loads(path.read_text()) if path.exists() else {}
facts.setdefault(stage, {}).update(pair.split("=", 1) for pair in pairs)
path.write_text(json.dumps(facts, indent=1) + "\n")
PY
}

stage() { # stage NAME SECONDS: run the function stage_NAME under a time limit
  local name=$1 limit=$2 began=$SECONDS status
  [[ " $STAGES " == *" $name "* ]] || return 0
  echo "== $name (at most $limit s)"
  timeout -k 5 "$limit" bash -c "stage_$name" > "$OUT/$name.log" 2>&1
  status=$?
  note "$name" "status=$status" "seconds=$((SECONDS - began))"
  tail -n 5 "$OUT/$name.log"
  echo "== $name: status $status after $((SECONDS - began)) s"
  [ $status -eq 0 ] || failed=1
  return $status
}

stage_env() {
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem --format=csv,noheader ||
    { echo "no GPU here: nvidia-smi does not answer"; return 3; }
  nvcc --version | tail -n 2
  "$PYTHON" -c "
import sys, numpy, cupy
print('python', sys.version.split()[0], 'numpy', numpy.__version__, 'cupy', cupy.__version__)"
  git rev-parse HEAD 2> /dev/null
  nproc
}

# Into a folder of its own: the checkout may be read-only, and what is installed stays as it is.
stage_build() {
  rm -rf "$SITE"
  "$PYTHON" -m pip install -q --no-index --no-build-isolation --no-deps --target "$SITE" . \
    --config-settings=build-dir="$SITE.build" \
    --config-settings=cmake.define.VOXKERN_CUDA=ON \
    --config-settings=cmake.define.VOXKERN_CUDA_ARCHS="$ARCHS" \
    --config-settings=cmake.define.VOXKERN_LEVELS="$LEVELS"
  local status=$?
  ls -l "$SITE"/voxkern/*.so
  return $status
}

stage_test() {
  (cd "$SITE" && "$PYTHON" -c "import voxkern; print(voxkern.info()['backends'])")
  # Without pyproject.toml, which asks for plugins that a bare machine may lack.
  local report
  report=$("$PYTHON" -m pytest -q -c /dev/null --rootdir "$PWD" -p no:cacheprovider -rs tests/gpu)
  local status=$?
  echo "$report"
  [ $status -eq 0 ] || return $status
  tail -n 1 <<< "$report" | grep -q passed || { echo "nothing was tested"; return 3; }
}

stage_sanitize() {
  local worst=0 tool status
  for tool in memcheck racecheck initcheck synccheck; do
    echo "-- $tool"
    timeout 60 compute-sanitizer --tool "$tool" --error-exitcode 9 "$PYTHON" benchmarks/gpu_smoke.py
    status=$?
    note sanitize "$tool=$status"
    [ $status -eq 0 ] || worst=$status
  done
  return $worst
}

stage_bench() {
  "$PYTHON" benchmarks/gpu_bench.py "$OUT/bench.json"
}

export -f note stage_env stage_build stage_test stage_sanitize stage_bench
export ARCHS LEVELS
stage env 60
if [ $? -eq 3 ]; then
  echo "no GPU, so there is nothing to find out; gpu.json says so"
  exit 3
fi
stage build 240 || exit 1
export PYTHONPATH=$SITE
stage test 150
stage sanitize 250
stage bench 200
cat "$OUT/gpu.json"
exit $failed
