"""What tests need that compile: the tools, modules built apart, sanitizers in a plain Python."""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NINJA = ["-G", "Ninja"] if shutil.which("ninja") else []
# Of -fsanitize=undefined what AddressSanitizer does not see as well: the rest takes half the time
# to compile.
_UNDEFINED = (
    "bool,bounds,builtin,enum,integer-divide-by-zero,nonnull-attribute,return,shift,"
    "signed-integer-overflow,unreachable,vla-bound"
)
# All that can be looked for, however long it takes.
THOROUGH = os.environ.get("VOXKERN_SANITIZE") == "all"
SANITIZERS = {
    "plain": "",
    "address": "address,undefined" if THOROUGH else f"address,{_UNDEFINED}",
    "thread": "thread",
}


def missing_tool(what):
    """Why `what` cannot be compiled here, or None."""
    for tool in ("cmake", "c++"):
        if shutil.which(tool) is None:
            return f"{what} is compiled when tested: install {tool}"
    if importlib.util.find_spec("pybind11") is None:
        return f"{what} is compiled when tested: pip install pybind11"
    return None


def run(*command):
    """Run a command; what it printed is in the error if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")


def site(name, *options):
    """Put CPU modules beside a copy of the package, and return the copy's folder."""
    folder = ROOT / "build" / name
    package = folder / "site" / "voxkern"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(
        ROOT / "python" / "voxkern", package, ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    run(
        *("cmake", "-S", ROOT, "-B", folder / "build", *NINJA, "-DVOXKERN_CUDA=OFF"),
        f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={package}",
        f"-DPython_EXECUTABLE={sys.executable}",
        *options,
    )
    run("cmake", "--build", folder / "build", "--parallel", str(os.cpu_count()))
    return package.parent


@functools.cache
def library(name):
    """The path of a library of the compiler, or None."""
    found = subprocess.run(
        ["c++", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return found if Path(found).is_file() else None


def missing_sanitizer(variant):
    """Why a sanitized build cannot run here, or None."""
    name = "libtsan.so" if variant == "thread" else "libasan.so"
    return None if library(name) else f"the compiler has no {name}"


def sanitized_environment(variant):
    """What a Python that loads a sanitized build needs around it."""
    if variant == "thread":
        return {"LD_PRELOAD": library("libtsan.so"), "TSAN_OPTIONS": "halt_on_error=1 exitcode=66"}
    preload = " ".join(filter(None, map(library, ("libasan.so", "libstdc++.so"))))
    options = "detect_leaks=0:detect_stack_use_after_return=0"
    return {"LD_PRELOAD": preload, "ASAN_OPTIONS": options, "UBSAN_OPTIONS": "print_stacktrace=1"}
