"""The emulator finds planted mistakes, and finds none where there is none."""

import sys
from pathlib import Path

import emulate
import numpy as np
import pytest

# What one launch of each kernel takes: grid, block, arguments.
LAUNCHES = {
    "wrong_global_index": (1, 32, [np.zeros(32, np.int32)]),
    "wrong_shared_index": (1, 32, [np.zeros(32, np.int32)]),
    "wrong_overflow": (1, 32, [np.zeros(32, np.int32)]),
    "wrong_sum": (1, 64, [np.ones(128, np.int32), np.zeros(128, np.int32)]),
    "wrong_warp": (1, 32, [np.zeros(32, np.int32)]),
    "wrong_warp_twice": (1, 32, [np.zeros(32, np.int32)]),
    "wrong_count": (2, 64, [np.arange(64, dtype=np.uint8), np.zeros(4, np.int32)]),
    "wrong_blocks": (4, 32, [np.zeros(1, np.int32)]),
    "wrong_smallest": (2, 64, [np.arange(128, 0, -1, dtype=np.int32), np.full(1, 999, np.int32)]),
    "wrong_plain_store": (2, 64, [np.zeros(2, np.int32)]),
}


def launch(*names):
    """Launch kernels of wrong.cu, each after its name. What the sanitized process runs."""
    for name in names:
        print(f"<<{name}>>", file=sys.stderr, flush=True)
        grid, block, args = LAUNCHES[name.partition("<")[0]]
        emulate.gpu().launch(name, grid, block, *args)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wrong_early_return", "barrier divergence: 1 of 32 threads left"),
        ("wrong_deadlock", "deadlock: 16 of 32 threads wait at __syncthreads"),
        ("wrong_two_barriers", "different kinds of barrier"),
        ("wrong_mask", "a mask that leaves it out, in thread (0, 0, 16)"),
        ("wrong_too_much_shared", "more than 48 KB"),
    ],
)
def test_what_would_hang_is_named(emulator, name, message):
    with pytest.raises(RuntimeError) as error:
        emulate.gpu().launch(name, 1, 32, np.zeros(32, np.int32))
    assert message in str(error.value)


def test_the_emulator_goes_on_after_a_failure(emulator):
    with pytest.raises(RuntimeError):
        emulate.gpu().launch("wrong_deadlock", 1, 32, np.zeros(32, np.int32))
    y = np.zeros(32, np.int32)
    emulate.gpu().launch("wrong_warp<true>", 1, 32, y)
    assert y.tolist() == list(range(31, -1, -1))


def test_shared_memory_starts_as_garbage(emulator):
    y = np.zeros(32, np.float32)
    emulate.gpu().launch("wrong_uninitialised", 1, 32, y)
    assert (y[:31] == 1).all()
    assert y[31] < -1e6


def test_a_lane_that_is_absent_gives_garbage(emulator):
    y = np.zeros(16, np.int32)
    emulate.gpu().launch("wrong_lane", 1, 32, y)
    assert (y < -1e6).all()


def test_scratch_starts_as_garbage():
    assert (emulate.HostArrays().empty((2, 2), np.float32) < -1e6).all()


def smallest(emulator, kernel):
    answers = set()
    for seed in range(10):
        emulator.set_schedule("random", seed, 0.5, 2)
        x, y = np.random.default_rng(seed).permutation(128).astype(np.int32), np.array([999], "i4")
        emulate.gpu().launch(kernel, 2, 64, x, y)
        answers.add(int(y[0]))
    emulator.set_schedule(*emulate.SCHEDULES["forward"])
    return answers


def test_pauses_at_atomics_show_what_is_not_atomic(emulator):
    assert smallest(emulator, "wrong_smallest<true>") == {0}
    assert len(smallest(emulator, "wrong_smallest<false>")) > 1


RIGHT = [
    "wrong_sum<true,true>",
    "wrong_warp<true>",
    "wrong_warp_twice<true>",
    "wrong_count<true>",
    "wrong_blocks<true>",
    "wrong_smallest<true>",
    "wrong_plain_store<true>",
]
RACES = [
    "wrong_sum<false,true>",
    "wrong_sum<true,false>",
    "wrong_warp<false>",
    "wrong_warp_twice<false>",
    "wrong_count<false>",
    "wrong_blocks<false>",
    "wrong_plain_store<false>",
]


@pytest.fixture(scope="module")
def sanitized(in_sanitized):
    """``sanitized(variant, *kernels)``: launch kernels of wrong.cu in a process of their own."""

    def run(variant, *kernels, **more):
        here = [str(folder) for folder in Path(__file__).parents[:2]]
        text = f"import sys; sys.path[:0] = {here!r}; import test_wrong; test_wrong.launch"
        return in_sanitized(variant, "-c", f"{text}(*{kernels!r})", **more)

    return run


@pytest.mark.sanitize
@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("wrong_global_index", "heap-buffer-overflow"),
        ("wrong_shared_index", "use-after-poison"),
        ("wrong_overflow", "signed integer overflow"),
    ],
)
def test_address_sanitizer_sees(sanitized, name, report):
    done = sanitized("address", name)
    assert done.returncode != 0
    assert report in done.stderr
    assert "wrong.cu:" in done.stderr


@pytest.mark.sanitize
def test_address_sanitizer_is_silent_where_all_is_right(sanitized):
    done = sanitized("address", *RIGHT)
    assert done.returncode == 0, done.stderr


# ThreadSanitizer by itself says nothing twice of one place in memory.
REPORT_ALL = "halt_on_error=0 suppress_equal_addresses=0 suppress_equal_stacks=0"


@pytest.fixture(scope="module")
def races(sanitized):
    """What ThreadSanitizer says of each kernel, from one process that goes on after a report."""
    done = sanitized("thread", *RIGHT, *RACES, TSAN_OPTIONS=REPORT_ALL)
    parts = done.stderr.split("<<")[1:]
    return dict(part.split(">>\n", 1) for part in parts)


@pytest.mark.sanitize
@pytest.mark.parametrize("name", RACES)
def test_thread_sanitizer_sees_a_race(races, name):
    assert "data race" in races[name]
    assert "wrong.cu:" in races[name]


@pytest.mark.sanitize
@pytest.mark.parametrize("name", RIGHT)
def test_thread_sanitizer_is_silent_where_all_is_right(races, name):
    assert races[name] == ""
