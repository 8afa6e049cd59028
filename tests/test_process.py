"""Life in a real process: forks, threads, Ctrl-C, memory, odd arrays."""

from __future__ import annotations

import gc
import os
import resource
import signal
import subprocess
import sys
import sysconfig
import textwrap
import threading

import numpy as np
import pytest

import voxkern
from voxkern import _arrays, _backends
from voxkern._kernel import kernels

KERNELS = kernels()

needs_native = pytest.mark.skipif(
    _backends.native() is None, reason="no compiled module here: build with a C++ compiler"
)


def run(code: str, *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


@needs_native
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_computes_what_its_parent_does() -> None:
    done = run("""
        import os, warnings
        import numpy as np, voxkern
        warnings.simplefilter("ignore", DeprecationWarning)
        x = np.random.default_rng(0).random((40, 50, 60), np.float32)
        wanted = voxkern.median_filter(x, 3, workers=4)
        for _ in range(5):
            child = os.fork()
            if child == 0:
                same = np.array_equal(voxkern.median_filter(x, 3, workers=4), wanted)
                os._exit(0 if same else 1)
            assert os.waitpid(child, 0)[1] == 0
    """)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_runs_numba_while_its_parent_does() -> None:
    pytest.importorskip("numba")
    done = run("""
        import os, signal, warnings
        import numpy as np, voxkern
        from voxkern import _backends
        warnings.simplefilter("ignore", DeprecationWarning)
        x = np.arange(24, dtype=np.float32).reshape(4, 6)
        with voxkern.use_backend("numba"):
            wanted = voxkern.local_maxima(x)
            with _backends.Numba._one_at_a_time:  # as another thread would
                child = os.fork()
                if child == 0:
                    signal.alarm(20)
                    os._exit(0 if np.array_equal(voxkern.local_maxima(x), wanted) else 1)
                assert os.waitpid(child, 0)[1] == 0
    """)
    assert done.returncode == 0, done.stderr


@needs_native
def test_many_python_threads_get_the_same_answer() -> None:
    x = np.random.default_rng(0).random((20, 30, 40), np.float32)
    wanted = voxkern.median_filter(x, 3)
    answers: list[bool] = []

    def work() -> None:
        answers.extend(
            np.array_equal(voxkern.median_filter(x, 3, workers=3), wanted) for _ in range(10)
        )

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(answers) == 80
    assert all(answers)


@needs_native
def test_the_lock_of_the_interpreter_is_free_during_a_call() -> None:
    x = np.zeros((60, 200, 200), np.float32)
    count, done = [0], threading.Event()

    def count_up() -> None:
        while not done.is_set():
            count[0] += 1

    other = threading.Thread(target=count_up)
    other.start()
    before = count[0]
    voxkern.median_filter(x, 5, workers=1)
    during = count[0] - before
    done.set()
    other.join()
    assert during > 100


@needs_native
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_a_long_call(workers: int) -> None:
    done = run(f"""
        import os, signal, threading, time
        import numpy as np, voxkern
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
        x = np.random.default_rng(0).random((300, 256, 256), np.float32)
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        start = time.monotonic()
        try:
            for _ in range(1000):
                voxkern.median_filter(x, 9, workers={workers})
        except KeyboardInterrupt:
            print(time.monotonic() - start)
    """)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 20


@needs_native
@pytest.mark.parametrize("workers", [1, 2])
def test_python_may_end_while_daemon_threads_are_in_calls(workers: int) -> None:
    done = run(f"""
        import threading
        import numpy as np, voxkern
        x, begun = np.zeros((40, 64, 64), np.float32), threading.Barrier(4)
        def work():
            voxkern.median_filter(x, 5, workers={workers})
            begun.wait()
            while True:
                voxkern.median_filter(x, 5, workers={workers})
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        begun.wait()
    """)
    assert (done.returncode, done.stderr) == (0, "")


@needs_native
def test_a_pending_ctrl_c_leaves_the_pool_usable() -> None:
    x = np.zeros((80, 128, 128), np.float32)
    fired = []

    def ring(*_: object) -> None:
        fired.append(1)
        raise OSError("alarm")

    old = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(OSError, match="alarm"):
            _filter_for_long(x)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert fired
    assert not voxkern.median_filter(x, 3).any()


def _filter_for_long(x: np.ndarray) -> None:
    for _ in range(10_000):
        voxkern.median_filter(x, 5)


@needs_native
def test_repeated_calls_do_not_grow_the_process() -> None:
    x = np.ones((64, 128, 128), np.float32)

    def peak() -> int:
        for _ in range(20):
            voxkern.median_filter(x, 1)
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    peak()
    first = peak()
    assert peak() - first < 20_000  # kilobytes; one leaked answer a call would be 84 000


@needs_native
def test_an_answer_outlives_everything_it_came_from() -> None:
    x = np.ones((64, 64, 128), np.float32)
    y = voxkern.median_filter(x, 3)
    view = y[3:5, ::2]
    del x, y
    for _ in range(4):
        voxkern.median_filter(np.zeros((64, 64, 128), np.float32), 3)
    assert (view == 1).all()


@needs_native
def test_memory_that_is_not_there_is_a_memory_error() -> None:
    done = run("""
        import resource
        import numpy as np, voxkern
        voxkern.median_filter(np.zeros((8, 8, 8), np.float32), 3)
        x = np.zeros((128, 128, 128), np.float32)
        now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + (4 << 20), -1))
        try:
            voxkern.median_filter(x, 3)
        except MemoryError:
            resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
            print(voxkern.median_filter(x, 3).sum())
    """)
    assert done.stdout.strip() == "0.0", done.stderr


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=2)[:, :, ::2],
        lambda x: x[::-1, ::-1, ::-1][::-1, ::-1, ::-1],
        lambda x: np.ascontiguousarray(x[::-1])[::-1],
        lambda x: np.ascontiguousarray(x[:, :, ::-1])[:, :, ::-1],
        lambda x: x.astype(x.dtype.newbyteorder(">")),
        lambda x: _unaligned(x),
        lambda x: np.require(x, requirements="W").view(),
        lambda x: x.tolist() and np.array(x.tolist(), x.dtype),
    ],
    ids=["fortran", "strided", "reversed twice", "reversed z", "reversed x", "swapped bytes",
         "unaligned", "view", "list"],
)  # fmt: skip
def test_odd_memory_gives_the_same_answer(make) -> None:
    x = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    np.testing.assert_array_equal(voxkern.median_filter(make(x), 3), voxkern.median_filter(x, 3))


def _unaligned(x: np.ndarray) -> np.ndarray:
    raw = np.empty(x.nbytes + 1, np.uint8)[1:]
    y = raw.view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


def test_an_answer_can_go_to_a_strided_place() -> None:
    x = np.random.default_rng(0).random((5, 6, 7))
    place = np.zeros((5, 7, 12))[:, :6].transpose(0, 1, 2)[:, :, ::2][:, :, :]
    place = np.zeros((7, 6, 5)).T
    assert voxkern.median_filter(x, 3, out=place) is place
    np.testing.assert_array_equal(place, voxkern.median_filter(x, 3))


@pytest.mark.parametrize(
    ("bad", "error", "text"),
    [
        (np.array([{}, 1], object), TypeError, "image must be .*; got object"),
        (np.array("2020", "M8[D]"), TypeError, "image must be"),
        (np.zeros(3, "U4"), TypeError, "image must be"),
        (np.zeros(3, [("a", "f4")]), TypeError, "image must be"),
        (np.zeros((2, 2), complex), TypeError, "image must be .*; got complex128"),
        (np.float32(3), ValueError, "image must have at least 1 axes; got 0"),
        (np.ma.masked_array([1.0, 2.0], [0, 1]), TypeError, "masked"),
        ("text", TypeError, "image must be an array"),
        (None, TypeError, "image must be an array"),
    ],
    ids=str,
)
def test_what_is_no_image_is_refused_by_name(bad, error, text) -> None:
    with pytest.raises(error, match=text):
        voxkern.median_filter(bad, 3)


@pytest.mark.parametrize("shape", [(0,), (0, 4), (3, 0, 4), (2, 0, 3, 4)])
def test_an_empty_image_gives_an_empty_answer(shape) -> None:
    y = voxkern.median_filter(np.zeros(shape, np.uint8), 3)
    assert y.shape == shape
    assert y.dtype == np.uint8


def test_ten_axes_are_volumes_in_a_row() -> None:
    x = np.random.default_rng(0).random((1, 2, 1, 1, 1, 2, 1, 3, 4, 5))
    y = voxkern.median_filter(x, 3)
    np.testing.assert_array_equal(
        y[0, 1, 0, 0, 0, 1, 0], voxkern.median_filter(x[0, 1, 0, 0, 0, 1, 0], 3)
    )


def test_nothing_is_written_when_a_call_is_refused() -> None:
    x, out = np.ones((4, 4)), np.full((4, 4), 7.0)
    with pytest.raises(ValueError, match="mode must be one of"):
        voxkern.median_filter(x, 3, mode="sideways", out=out)
    assert (out == 7).all()


def test_an_output_has_to_fit() -> None:
    x = np.ones((4, 4))
    for out, error, text in [
        (np.ones((4, 5)), ValueError, r"out must have shape \(4, 4\); got \(4, 5\)"),
        (np.ones((4, 4), np.float32), TypeError, "out must be float64; got float32"),
        (x, ValueError, "out must not overlap"),
        (x[::-1], ValueError, "out must not overlap"),
        (np.broadcast_to(0.0, (4, 4)), ValueError, "out must be writeable"),
        ([[0.0]], TypeError, "out must be an array"),
    ]:
        with pytest.raises(error, match=text):
            voxkern.median_filter(x, 3, out=out)


def test_torch_in_torch_out_without_a_copy() -> None:
    torch = pytest.importorskip("torch", reason="pip install 'voxkern[torch]' to run this")
    x = torch.arange(60.0).reshape(3, 4, 5)
    y = voxkern.median_filter(x, 3)
    assert isinstance(y, torch.Tensor)
    out = torch.zeros_like(x)
    assert voxkern.median_filter(x, 3, out=out) is out
    assert torch.equal(out, y)
    with pytest.raises(TypeError, match="gradient"):
        voxkern.median_filter(x.requires_grad_(), 3)


def test_anything_with_dlpack_or_array_comes_in() -> None:
    x = np.random.default_rng(0).random((3, 4, 5))

    class Capsule:
        def __dlpack__(self, **kw):
            return x.__dlpack__(**kw)

        def __dlpack_device__(self):
            return x.__dlpack_device__()

    class Array:
        def __array__(self, dtype=None, copy=None):
            return x

    for thing in (Capsule(), Array()):
        np.testing.assert_array_equal(voxkern.median_filter(thing, 3), voxkern.median_filter(x, 3))


def test_a_backend_can_be_forced_or_refuses() -> None:
    x = np.random.default_rng(0).random((3, 4, 5))
    with voxkern.use_backend("python"):
        y = voxkern.median_filter(x, 3)
    np.testing.assert_array_equal(y, voxkern.median_filter(x, 3))
    with (
        voxkern.use_backend("cuda"),
        pytest.raises(NotImplementedError, match="runs on cuda arrays; got one on cpu"),
    ):
        voxkern.median_filter(x, 3)
    with pytest.raises(ValueError, match="name must be one of"):
        voxkern.use_backend("abacus")  # at once, not when the block begins


def test_numba_compiles_once_for_arrays_that_are_read_only_and_others() -> None:
    pytest.importorskip("numba")
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    with voxkern.use_backend("numba"):
        wanted = voxkern.local_maxima(x)
        rule = KERNELS["local_extrema"].overrides.get("numba", KERNELS["local_extrema"].rule)
        known = len(_backends.compile_rule(rule).signatures)
        x.flags.writeable = False
        np.testing.assert_array_equal(voxkern.local_maxima(x), wanted)
    assert len(_backends.compile_rule(rule).signatures) == known > 0


def test_numba_takes_the_numbers_of_numpy_for_numbers() -> None:
    pytest.importorskip("numba")
    x, kernel = np.arange(24, dtype=np.float32).reshape(1, 4, 6), KERNELS["clip"]
    first, second = np.empty_like(x), np.empty_like(x)
    with voxkern.use_backend("numba"):
        kernel(x, first, 5.0, 9.0)
        known = len(_backends.compile_rule(kernel.rule).signatures)
        kernel(x, second, *np.array([5.0, 9.0]))
    np.testing.assert_array_equal(second, first)
    assert len(_backends.compile_rule(kernel.rule).signatures) == known > 0


def test_threads_can_be_set_and_are_checked() -> None:
    before = _backends.threads()
    try:
        voxkern.set_threads(3)
        assert voxkern.info()["threads"] == 3
        for bad in (0, -1, 1.5, True):
            with pytest.raises(ValueError, match="n must be a positive integer"):
                voxkern.set_threads(bad)
        with pytest.raises(ValueError, match="workers must be at least 1"):
            voxkern.median_filter(np.ones(3), 3, workers=0)
    finally:
        voxkern.set_threads(before)


def test_without_compiled_code_and_numba_the_cures_are_named() -> None:
    done = run("""
        import sys
        sys.modules["numba"] = None
        for name in ("_level", "_cpu_v2", "_cpu_v3", "_cpu_v4", "_cpu_base"):
            sys.modules["voxkern." + name] = None
        import importlib.util
        find = importlib.util.find_spec
        importlib.util.find_spec = lambda n, *a: None if n == "numba" else find(n, *a)
        import numpy as np, voxkern
        try:
            voxkern.median_filter(np.ones(3), 3)
        except ImportError as error:
            print(error)
    """)
    assert "C++ compiler" in done.stdout, done.stderr
    assert "voxkern[numba]" in done.stdout


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"),
    reason="needs a free-threaded Python, such as python3.14t",
)
def test_importing_leaves_the_lock_off() -> None:
    assert not sys._is_gil_enabled()


def test_large_outputs_reuse_warm_memory_and_start_aligned() -> None:
    y = _arrays.empty((64, 64, 128), np.float32)
    assert y.shape == (64, 64, 128)
    assert y.flags.c_contiguous
    assert y.flags.writeable
    assert y.ctypes.data % 64 == 0
