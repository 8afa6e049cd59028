"""Every kernel compiles as CuPy would compile it, without a GPU, and fits the processor."""

from pathlib import Path

import pytest
from budget import assert_it_fits

from voxkern import _jit

nvrtc = pytest.importorskip("cuda.bindings.nvrtc", reason="pip install 'cuda-bindings==13.0.*'")

pytestmark = pytest.mark.slow

# What CuPy adds by itself.
CUPY = ("-ftz=true", "--device-as-default-execution-space")
FILES = [Path(__file__).parent / "probe.cu", *sorted(set(_jit.instances().values()))]


def compile_file(path, arch):
    names = [_jit.expression(name) for name in _jit.exported(path.read_text(encoding="utf-8"))]
    text = _jit.flatten(path).encode()
    _, program = nvrtc.nvrtcCreateProgram(text, path.name.encode(), 0, [], [])
    for name in names:
        nvrtc.nvrtcAddNameExpression(program, name.encode())
    more = (f"-arch={arch}", "--ptxas-options=-v")
    options = [option.encode() for option in (*_jit.OPTIONS, *CUPY, *more)]
    (result,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    assert result == nvrtc.nvrtcResult.NVRTC_SUCCESS, log.decode()
    lowered = {name: nvrtc.nvrtcGetLoweredName(program, name.encode())[0] for name in names}
    return lowered, log.decode()


@pytest.fixture(scope="module", autouse=True)
def _library():
    try:
        nvrtc.nvrtcVersion()
    except RuntimeError as error:
        pytest.skip(f"pip install 'nvidia-cuda-nvrtc==13.0.*': {error}")


@pytest.mark.parametrize("arch", ["sm_75", "sm_90"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_instance_compiles(path, arch):
    lowered, log = compile_file(path, arch)
    assert lowered
    assert set(lowered.values()) == {nvrtc.nvrtcResult.NVRTC_SUCCESS}
    assert_it_fits(log, len(lowered))


def test_the_lists_in_the_texts_are_what_is_compiled(emulator):
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    listed = {name for text in texts for name in _jit.exported(text)}
    assert listed == {name for name in emulator.kernels() if not name.startswith("wrong_")}
