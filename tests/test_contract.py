"""The rules of the house, read off the imports, the symbols and the file names."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import voxkern
from voxkern import _backends
from voxkern._kernel import kernels

KERNELS = kernels()
ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "voxkern"
CPP = ROOT / "cpp"
HAVE_SOURCES = CPP.is_dir()
needs_sources = pytest.mark.skipif(not HAVE_SOURCES, reason="needs a checkout with cpp/ and src/")

FAMILIES = sorted(
    p.parent.name for p in PACKAGE.glob("*/__init__.py") if p.parent.name not in {"bench", "demo"}
)
WORDS = {"In", "Out", "ListIn", "ListOut", "Size", "Vec3", "Edge", "Scalar"}
# What a family may import of the core, beside other families' public functions.
CORE = {"_kernel", "_args", "_arrays", "_edge"}
OPTIONAL = {
    "numba", "cupy", "torch", "scipy", "skimage", "SimpleITK", "itk", "nibabel", "pydicom",
    "nrrd", "matplotlib", "typer", "rich", "nilearn", "monai", "dask", "cv2", "cc3d", "edt",
}  # fmt: skip


def sources(folder: Path, *endings: str) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix in endings)


def imports(path: Path, *, top_level: bool) -> set[str]:
    """The modules that a file imports, relative ones with their dots."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {base} if node.module else {base + alias.name for alias in node.names}
    return found


def public() -> list[str]:
    return sorted(n for n in voxkern.__all__ if inspect.isfunction(getattr(voxkern, n)))


@needs_sources
def test_kernels_include_nothing_but_themselves_and_the_standard_library() -> None:
    for path in sources(CPP, ".hpp", ".cpp", ".cu", ".cuh"):
        for target in re.findall(r"#include\s+[<\"]([^>\"]+)[>\"]", path.read_text()):
            assert "python" not in target.lower(), f"{path.name} includes {target}"
            assert "pybind11" not in target, f"{path.name} includes {target}"
            if path.is_relative_to(CPP / "include"):
                assert not target.startswith(("cpu/", "cuda/")), f"{path.name} includes {target}"


@needs_sources
def test_families_know_no_other_family_s_sources() -> None:
    for side in ("cpu", "cuda"):
        for folder in (p for p in (CPP / side).iterdir() if p.is_dir()):
            for path in sources(folder, ".cpp", ".cu", ".hpp"):
                for other in re.findall(r"#include\s+[<\"]cpu/(\w+)/", path.read_text()):
                    assert other == folder.name, f"{path} includes sources of {other}"


@needs_sources
def test_only_bindings_know_python() -> None:
    for path in sources(CPP, ".hpp", ".cpp", ".cu", ".cuh"):
        assert "PYBIND11" not in path.read_text(), path
    for path in sources(PACKAGE, ".py"):
        assert "pybind11" not in path.read_text(), path


@needs_sources
def test_what_nvrtc_reads_has_no_standard_header_outside_a_guard() -> None:
    for path in sources(CPP / "cuda", ".cu"):
        kernels = path.read_text().split("#ifndef __CUDACC_RTC__")[0]
        assert not re.findall(r"#include\s+<(?!voxkern/)", kernels), path


@needs_sources
def test_no_float_atomics_no_fast_math_no_orphaned_todo() -> None:
    everything = sources(ROOT / "src", ".cpp", ".hpp") + sources(CPP, ".hpp", ".cpp", ".cu", ".cuh")
    for path in [*everything, *sources(PACKAGE, ".py"), ROOT / "CMakeLists.txt"]:
        text = path.read_text()
        assert not re.search(r"\bTODO(?!\(#\d+\))", text), f"{path} has a TODO without an issue"
        assert "-ffast-math" not in text, path
        assert not re.search(r"atomicAdd\(\s*\(?(float|double|f32|f64)", text), path


def test_only_backends_import_compiled_code_numba_and_cupy() -> None:
    allowed = {"_backends.py", "_jit.py", "_gpu.py"}
    for path in sources(PACKAGE, ".py"):
        if path.name in allowed or path.parent.name == "bench":
            continue
        for name in imports(path, top_level=False):
            assert name.split(".")[0] not in {"numba", "cupy"}, f"{path.name} imports {name}"
            assert not re.search(r"_cpu_|_cuda|_level", name), f"{path.name} imports {name}"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_imports_the_core_and_public_functions(family: str) -> None:
    if family in {"io", "show"}:
        pytest.skip("io and show are not made of kernels: they may use other libraries")
    for path in sources(PACKAGE / family, ".py"):
        for name in imports(path, top_level=False):
            if name.startswith(".."):
                part = name.lstrip(".").split(".")
                if part[0].startswith("_"):
                    assert part[0] in CORE, f"{path.name} imports {name}"
                else:
                    private = [p for p in part[1:] if p.startswith("_")]
                    assert not private, f"{path.name} imports {name}, private to {part[0]}"


def test_importing_voxkern_brings_numpy_alone() -> None:
    code = f"import voxkern, sys; print(*sorted({OPTIONAL!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_a_kernel_is_called_the_same_in_every_tree(name: str) -> None:
    kernel = KERNELS[name]
    family = kernel.rule.__module__.split(".")[1]
    assert kernel.rule.__name__ == "_" + name
    if not HAVE_SOURCES:
        pytest.skip("needs a checkout with cpp/")
    here = [CPP / "cpu" / family]
    found = [p for folder in here for p in sources(folder, ".cpp") if _defines(p, name)]
    assert len({p.parent for p in found}) <= 1, f"{name} is defined in {found}"


def _defines(path: Path, name: str) -> bool:
    return re.search(rf"\bvoid {re.escape(name)}\(", path.read_text()) is not None


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_a_signature_reads_the_same_in_python_and_cpp(name: str) -> None:
    words = [w for w in KERNELS[name].rule.__annotations__.values() if w != "None"]
    parameters = list(inspect.signature(KERNELS[name].rule).parameters)
    assert len(words) == len(parameters), f"{name}: every parameter needs its word"
    assert set(words) <= WORDS
    compiled = _backends.native()
    if compiled is None or not hasattr(compiled, name):
        pytest.skip(f"{name} has no compiled kernel here")
    assert list(compiled.signatures[name]) == words


def test_every_compiled_kernel_is_declared() -> None:
    compiled = _backends.native()
    if compiled is None:
        pytest.skip("no compiled module here: build with a C++ compiler")
    assert set(compiled.signatures) <= set(KERNELS)


@pytest.mark.parametrize("name", public())
def test_a_public_function_is_typed_and_documented(name: str) -> None:
    function = getattr(voxkern, name)
    text = inspect.getdoc(function) or ""
    assert text, f"{name} has no docstring"
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty, f"{name}: {parameter.name}"
        assert parameter.kind is not inspect.Parameter.VAR_KEYWORD, f"{name} takes **kwargs"
        assert re.search(rf"(^|[\s,*`]){parameter.name}\b", text), (
            f"{name} does not document {parameter.name}"
        )
    if name not in {"use_backend", "set_threads", "info"}:
        gives = () if signature.return_annotation == "None" else ("Returns",)
        for section in ("Parameters", *gives, "Raises", "Examples"):
            assert f"{section}\n{'-' * len(section)}" in text, f"{name} has no {section}"


def _examples() -> list[str]:
    names = public()
    return [n for n in names if ">>>" in (inspect.getdoc(getattr(voxkern, n)) or "")]


@pytest.mark.parametrize("name", _examples())
def test_examples_run_as_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import doctest

    monkeypatch.chdir(tmp_path)

    function = getattr(voxkern, name)
    space: dict[str, Any] = {"np": np, "voxkern": voxkern}
    space.update({n: getattr(voxkern, n) for n in public()})
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for test in finder.find(function, name, globs=space, module=False):
        runner.run(test)
    assert runner.failures == 0, f"the examples of {name} do not run as written; see the output"


def test_every_op_has_a_benchmark() -> None:
    bench = pytest.importorskip("voxkern.bench")
    if not hasattr(bench, "without_case"):
        pytest.skip("voxkern.bench does not list the ops without a case")
    assert bench.without_case() == []


@needs_sources
def test_the_page_of_functions_says_what_there_is() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "functions.py"))["text"]()
    written = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")
    assert written == page, "docs/functions.md is old: python docs/functions.py"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_exports_what_it_says(family: str) -> None:
    module = importlib.import_module(f"voxkern.{family}")
    for name in getattr(module, "__all__", []):
        assert hasattr(module, name), f"voxkern.{family}.__all__ names {name}"
