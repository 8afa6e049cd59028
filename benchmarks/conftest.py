"""One test for each case of the family that a module names in FAMILY."""

import pytest

from voxkern import bench


def pytest_addoption(parser):
    group = parser.getgroup("voxkern")
    group.addoption("--size", type=int, default=128, help="voxels a side of a volume")
    group.addoption("--threads", type=int, default=None, help="for us and for the rivals")
    group.addoption("--backend", default="native", help="native or numba")


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        cases = bench.cases(metafunc.module.FAMILY)
        names = [f"{c.op}-{c.kind}-{c.dtype}-{c.label.replace(', ', '-')}" for c in cases]
        metafunc.parametrize("case", cases, ids=names)


@pytest.fixture
def settings(request):
    option = request.config.getoption
    return bench.Settings(
        size=option("--size"), threads=option("--threads"), backend=option("--backend"), quick=True
    )


@pytest.fixture
def beside_rivals(benchmark, settings):
    """Measure a case in turn with its rivals, then let pytest-benchmark time ours alone.

    The ratios go into ``extra_info``, so that ``--benchmark-json`` keeps them.
    """

    def go(case):
        rows = bench.measure(case, settings)
        status = {row.status for row in rows if row.who == "voxkern"}
        if status <= {"absent", "unavailable"}:
            pytest.skip(f"{case.op} is not available on {settings.backend}: {rows[0].note}")
        assert "differs" not in status
        assert not [f"{r.who}: {r.note}" for r in rows if r.status in ("differs", "failed")]
        benchmark.group = rows[0].case
        benchmark.extra_info["rows"] = [row.as_dict() for row in rows]
        benchmark.pedantic(bench.our_call(case, settings), rounds=5, warmup_rounds=1)

    return go
