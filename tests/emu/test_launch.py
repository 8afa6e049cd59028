"""From a plan in Python to a kernel: arguments, geometry, refusals."""

import numpy as np
import pytest


def test_every_kind_of_argument_arrives(gpu):
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    y = gpu.empty(x.shape, x.dtype)
    gpu.launch(
        "probe_arguments<f32>", 1, 32, gpu.put(x), y, x.size, 0.5, x.shape, (100.0, 10.0, 1.0)
    )
    k, j, i = np.indices(x.shape)
    np.testing.assert_array_equal(gpu.get(y), x / 2 + 100 * k + 10 * j + i)


def test_none_is_a_null_pointer(gpu):
    y = gpu.empty((1, 1, 5), np.uint8)
    gpu.launch("probe_arguments<u8>", 2, 4, None, y, 5, 1.0, (1, 1, 5), (0.0, 0.0, 2.0))
    assert gpu.get(y).ravel().tolist() == [0, 2, 4, 6, 8]


def test_numpy_scalars_are_numbers(gpu):
    x = np.ones((1, 1, 3), np.float32)
    y = gpu.empty(x.shape, x.dtype)
    size = tuple(np.array(x.shape))
    gpu.launch(
        "probe_arguments<f32>", 1, 32, gpu.put(x), y, np.int32(3), np.float32(2), size, (0, 0, 0.5)
    )
    assert gpu.get(y).ravel().tolist() == [2, 2.5, 3]


def test_a_mask_is_read_as_bytes(gpu):
    mask = np.array([[[True, False, True]]])
    y = gpu.empty(mask.shape, np.uint8)
    gpu.launch("probe_arguments<u8>", 1, 32, gpu.put(mask), y, 3, 7.0, (1, 1, 3), (0.0, 0.0, 0.0))
    assert gpu.get(y).ravel().tolist() == [7, 0, 7]


def test_shared_memory_is_shared(gpu):
    x = np.arange(640, dtype=np.float32)
    y = gpu.empty(640, np.float32)
    gpu.launch("probe_reverse", 10, 64, gpu.put(x), y)
    np.testing.assert_array_equal(gpu.get(y), x.reshape(10, 64)[:, ::-1].ravel())


@pytest.mark.parametrize("threads", [32, 96, 1024])
def test_sums_are_exact(gpu, threads):
    x = np.random.default_rng(0).integers(-1000, 1000, 5000, dtype=np.int32)
    blocks, total = gpu.empty(3, np.float64), gpu.zeros(1, np.int64)
    gpu.launch("probe_sums", 3, threads, gpu.put(x), blocks, total, x.size)
    assert gpu.get(total)[0] == gpu.get(blocks).sum() == x.sum()


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 33), (2, 3, 16), (1, 40, 1)])
@pytest.mark.parametrize("most", [1 << 20, 3])
def test_tiles_cover_a_volume_once(gpu, shape, most):
    visits = gpu.zeros(shape, np.int32)
    grid = gpu.tiles(shape, (2, 3, 16), most)
    gpu.launch("probe_tiles<2,3,16>", grid, (2, 3, 16), visits, shape)
    assert (gpu.get(visits) == 1).all()


def test_an_empty_grid_launches_nothing(gpu):
    gpu.launch("probe_reverse", gpu.blocks(0), 64, None, None)


def test_types_have_the_names_that_kernels_have(gpu):
    assert gpu.name_of(np.float32) == "f32"
    assert gpu.name_of(np.dtype("uint16")) == "u16"
    assert gpu.name_of(bool) == "bool"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((1,), "takes 2 arguments, not 1"),
        ((np.zeros(64, np.float64), None), "argument 0 is const f32*, not an array of f64"),
        ((3, None), "argument 0 is const f32*, not int"),
        ((np.zeros(128, np.float32)[::2], None), "argument 0: the array is not contiguous"),
    ],
)
def test_wrong_arguments_are_refused(gpu, args, message):
    with pytest.raises(TypeError) as refusal:
        gpu.launch("probe_reverse", 1, 64, *args)
    assert message in str(refusal.value)


def test_numbers_are_not_converted(gpu):
    y = gpu.empty((1, 1, 1), np.float32)
    good = [None, y, 1, 1.0, (1, 1, 1), (0.0, 0.0, 0.0)]
    for at, bad, wanted in [
        (2, 1.0, "an int"),
        (3, 1, "a float"),
        (4, (1.0, 1, 1), "three ints"),
        (5, (1, 1, 1), "three floats"),
        (4, (1, 1), "three ints"),
    ]:
        args = [*good[:at], bad, *good[at + 1 :]]
        with pytest.raises(TypeError, match=wanted):
            gpu.launch("probe_arguments<f32>", 1, 32, *args)


def test_read_only_arrays_are_not_written(gpu):
    x = np.zeros(64, np.float32)
    x.flags.writeable = False
    with pytest.raises(TypeError, match="read-only"):
        gpu.launch("probe_reverse", 1, 64, x.copy(), x)
    gpu.launch("probe_reverse", 1, 64, x, x.copy())


def test_an_unknown_kernel_is_named(gpu):
    with pytest.raises(KeyError, match="nothing<f32>"):
        gpu.launch("nothing<f32>", 1, 1)


def test_a_block_too_large_is_refused(gpu):
    with pytest.raises(RuntimeError, match="at most 1024"):
        gpu.launch("probe_reverse", 1, (2, 32, 32), None, None)


def test_a_grid_too_large_is_refused(gpu):
    with pytest.raises(RuntimeError, match="at most 65535"):
        gpu.launch("probe_reverse", (65536, 1), 64, None, None)


def test_signatures_are_listed(emulator):
    parameters = ("const u8*", "u8*", "i64", "f64", "Size", "Vec3")
    assert emulator.kernels()["probe_arguments<u8>"] == parameters


def test_the_cpu_counts_as_one_device(emulator):
    assert emulator.device_count() == (1, "")
