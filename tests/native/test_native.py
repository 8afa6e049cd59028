"""The C++ under the kernels: its own test programs, plain and under the sanitizers."""

import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CXX = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
X86 = platform.machine() in ("x86_64", "AMD64")
HOUSE = [
    *("-std=c++17", "-pthread", "-Wall", "-Wextra", "-Werror", "-Wno-psabi"),
    *("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden"),
]
FLAVOURS = {
    "plain": ["-O2"],
    "v2": ["-O2", "-march=x86-64-v2"],
    "v3": ["-O2", "-march=x86-64-v3"],
    "v4": ["-O2", "-march=x86-64-v4"],
    "portable": ["-O2"],
    "thread": ["-O1", "-g1", "-fsanitize=thread"],
    "address": ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
}
PROGRAMS = {
    "pool": ["plain", "thread", "address"],
    "memory": ["plain", "thread", "address"],
    "sums": ["plain", "thread"],
    "simd": ["v2", "v3", "v4", "address"] if X86 else ["portable", "address"],
}
ENVIRONMENT = {
    "the_oldest_go_first_when_full": {"VOXKERN_CACHE_MB": "64"},
    "a_cache_of_nothing_keeps_nothing": {"VOXKERN_CACHE_MB": "0"},
}
# Cases that a sanitizer cannot run, and why; the plain build runs them.
NOT_WITH = {
    "address": {
        "the_cache_makes_room_when_memory_is_short": "its shadow memory does not fit the limit",
        "forks_find_the_lock_free": "a fork finds its allocator's lock held",
        "forks_during_regions_of_other_threads": "a fork finds its allocator's lock held",
    },
    "thread": {
        "the_cache_makes_room_when_memory_is_short": "its shadow memory does not fit the limit",
    },
}

pytestmark = pytest.mark.skipif(CXX is None, reason="no C++ compiler: install g++ or clang")


def cases(program):
    return re.findall(r"CASE\((\w+)\)[,}]", (HERE / f"{program}.cpp").read_text())


def cpu_runs(level):
    """Whether this processor has what an x86-64 level asks for."""
    flags = Path("/proc/cpuinfo")
    have = set(flags.read_text().split()) if flags.exists() else set()
    need = {"v3": {"avx2", "fma", "bmi2"}, "v4": {"avx512f", "avx512bw", "avx512dq", "avx512vl"}}
    return need.get(level, set()) <= have


@functools.cache
def folder():
    place = ROOT / "build" / "native"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        pytest.skip(f"{place} is not writable: the programs are built there")
    return place


@functools.cache
def sources():
    texts = [*ROOT.glob("cpp/include/voxkern/*.hpp"), *ROOT.glob("cpp/cpu/*.[ch]pp")]
    return b"".join(p.read_bytes() for p in sorted([*texts, HERE / "check.hpp"]))


def compiled(program, flavour, *more):
    """Path of a built program; one built before from the same text is used again."""
    own = HERE / f"{program}.cpp"
    command = [CXX, *HOUSE, *FLAVOURS[flavour], *more, f"-I{ROOT}/cpp/include", f"-I{ROOT}/cpp"]
    key = hashlib.sha256(sources() + own.read_bytes() + " ".join(command).encode()).hexdigest()[:16]
    out = folder() / f"{program}-{flavour}-{key}"
    if not out.exists():
        core = [] if program in ("simd", "instructions") else sorted(ROOT.glob("cpp/cpu/*.cpp"))
        part = out.with_suffix(f".{os.getpid()}")
        subprocess.run([*command, own, *core, "-o", part], check=True, timeout=240)
        part.rename(out)
    return out


@pytest.fixture(scope="module")
def programs():
    wanted = [(p, f) for p, flavours in PROGRAMS.items() for f in flavours]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(wanted, pool.map(lambda w: compiled(*w), wanted), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "flavour", "case"),
    [(p, f, c) for p, flavours in PROGRAMS.items() for f in flavours for c in cases(p)],
)
def test_native(programs, program, flavour, case):
    path = programs[program, flavour]
    if not cpu_runs(flavour):
        pytest.skip(f"compiled only: this processor does not run x86-64-{flavour}")
    if why := NOT_WITH.get(flavour, {}).get(case):
        pytest.skip(f"not with the {flavour} sanitizer: {why}; the plain build runs it")
    env = {
        **os.environ,
        "TSAN_OPTIONS": "die_after_fork=0:halt_on_error=1",
        "ASAN_OPTIONS": "allocator_may_return_null=1",
        **ENVIRONMENT.get(case, {}),
    }
    ran = subprocess.run([path, case], env=env, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr[-4000:]


@pytest.mark.skipif(not X86, reason="reads x86-64 assembly")
@pytest.mark.parametrize("level", ["v2", "v3", "v4"])
def test_a_minimum_is_one_instruction(level):
    text = compiled("instructions", level, "-S").read_text()
    names = {"u8": "ub", "i8": "sb", "i16": "sw", "u16": "uw", "i32": "sd", "f32": "s", "f64": "d"}
    for kind in ("min", "max"):
        for type_, suffix in names.items():
            stem = f"p{kind}{suffix}" if type_[0] != "f" else f"{kind}p{suffix}"
            body = re.search(rf"^{kind}_{type_}:(.*?)\tret", text, re.S | re.M)[1]
            assert len(re.findall(rf"\tv?{stem}\t", body)) == 1, body
            assert not re.search(r"\tv?p?(cmp|blend)", body), body
    clamp = re.search(r"^clamp_f32:(.*?)\tret", text, re.S | re.M)[1]
    assert re.search(r"\tv?maxps\t", clamp)
    assert re.search(r"\tv?minps\t", clamp)
    assert not re.search(r"\tv?cmp", clamp)
