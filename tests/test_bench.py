"""The benchmark is fair: turns, equal terms, answers first. Nothing here asserts a time."""

import contextlib
import importlib.util
import io
import json
import pathlib
import sys
import time
import types

import numpy as np
import pytest

from voxkern import bench
from voxkern.bench import _agree, _case, _clock, _gpu, _inputs, _machine, _run, _show

PATIENCE = _clock.Patience(seconds=1.0, runs=3, shortest=0.0)


def doubled(x, out=None):
    return np.multiply(x, 2, out=out)


def case_of(*rivals, call=None, out=True, target=None):
    """A case of an op `doubled`, with rivals given as (peer, function, out)."""

    def build(shape, dtype):
        x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        standard = (lambda op, x, out: op(x, out=out)) if out else (lambda op, x: op(x))
        work = bench.Work((x,), call or standard, out=out)
        for peer, function, with_out in rivals:
            work.rival(peer, out=with_out)(lambda x, f=function: lambda: f(x))
        return work

    return bench.Case("filters", "doubled", "volume", "float32", {}, target, build)


@pytest.fixture
def measure(monkeypatch):
    """Run one case against a namespace that has `doubled` and two backends."""

    used = []

    def go(one, op=doubled, **options):
        ready = {"backends": {"native": "ready", "numba": "no Numba"}}
        ops = types.SimpleNamespace(
            doubled=op,
            info=lambda: ready,
            use_backend=lambda name: contextlib.nullcontext(),
            set_threads=lambda count: used.append(count),
        )
        monkeypatch.setattr(_run, "cases", lambda family, op: [one])
        monkeypatch.setattr(_machine, "wait_for_cores", lambda count: float(count))
        monkeypatch.setattr(_machine, "cores", float)
        options = {"size": 16, "threads": 1, "quick": True, **options}
        return bench.run(ops=ops, **options)

    go.threads_used = used
    return go


def test_contenders_take_turns():
    order = []
    a = _clock.Contender("a", [lambda: order.append("a")])
    b = _clock.Contender("b", [lambda: order.append("b")])
    _clock.in_turn([a, b], lambda call, times: call() or 0.1, PATIENCE, 0.0)
    assert order == ["a", "a", "b", "b"] + ["a", "b"] * 3
    assert a.samples == b.samples == [0.1] * 3


def test_a_call_longer_than_patience_runs_once():
    calls = []
    slow = _clock.Contender("slow", [lambda: calls.append(1)])
    _clock.in_turn([slow], lambda call, times: call() or 9.0, PATIENCE, 0.0)
    assert slow.samples == [9.0]
    assert len(calls) == 1


def test_a_short_call_is_timed_many_at_a_time():
    patience = _clock.Patience(seconds=1.0, runs=2, shortest=1e-3)
    quick = _clock.Contender("quick", [lambda: None])
    seen = []
    _clock.in_turn([quick], lambda call, times: seen.append(times) or times * 1e-5, patience, 0.0)
    assert seen == [1, 1, 100, 100]
    assert quick.samples == pytest.approx([1e-5, 1e-5])


def test_several_sets_of_buffers_take_turns():
    used = []
    one = _clock.Contender("one", [lambda i=i: used.append(i) for i in range(3)])
    one.samples = [1.0]
    assert one.next()() is None
    assert used == [1]


def test_a_failure_while_timing_is_one_row(measure):
    calls = []

    def fails_later(x):
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError("out of luck")
        return x * 2

    rows = measure(case_of(("NumPy", fails_later, False)))
    assert [r.status for r in rows] == ["ok", "ok", "failed"]
    assert rows[2].note == "RuntimeError: out of luck"


def test_ours_runs_with_out_and_without(measure):
    rows = measure(case_of())
    assert [(r.who, r.backend, r.out) for r in rows] == [
        ("voxkern", "native", True),
        ("voxkern", "native", False),
    ]
    assert all(r.ms > 0 and r.runs > 0 and r.times_copy > 0 for r in rows)
    # 16 x 16 x 16 float32 read and written, whatever the time was
    assert rows[0].gbs * rows[0].ms == pytest.approx(2 * 4 * 16**3 * 1e-6)


def test_one_thread_is_shown_beside_all(measure, monkeypatch):
    monkeypatch.setattr(_machine, "available_cpus", lambda: 2)
    rows = measure(case_of(("NumPy", doubled, False)), threads=2)
    alone = next(r for r in rows if r.alone)
    all_of_us = next(r for r in rows if r.who == "voxkern" and r.out and not r.alone)
    assert alone.ratio == pytest.approx(alone.ms / all_of_us.ms)
    assert measure.threads_used[:2] == [1, 2]
    assert measure.threads_used[-1] == 2


def test_a_wrong_answer_is_no_rival(measure):
    rows = measure(case_of(("SciPy", lambda x: x * 3, False)))
    wrong = rows[2]
    assert (wrong.status, wrong.same) == ("differs", False)
    assert "4095 of 4096 voxels differ" in wrong.note
    assert rows[0].ratio is rows[1].ratio is None


def test_a_rival_over_the_limit_is_estimated(measure):
    def slow(x):
        seen.append(x.shape)
        time.sleep(x.size * 1e-7)
        return x * 2

    seen = []
    rows = measure(case_of(("SciPy", slow, False)), size=128, limit=0.1)
    mine = next(r for r in rows if r.who == "voxkern" and not r.out)
    rival = rows[-1]
    assert set(seen) == {(64, 64, 64)}
    assert (rival.estimated, rival.same, rival.shape) == (True, True, (128, 128, 128))
    assert rival.ms >= 128**3 * 1e-7 * 1e3
    assert mine.ratio == pytest.approx(rival.ms / mine.ms)
    assert "~" in _show._cells(rival)[2]


def test_a_rival_within_the_limit_is_measured_at_size(measure):
    seen = []
    rows = measure(case_of(("SciPy", lambda x: seen.append(x.shape) or x * 2, False)), size=80)
    assert seen[0] == (64, 64, 64)
    assert set(seen[1:]) == {(80, 80, 80)}
    assert not rows[-1].estimated


def test_a_wrong_answer_over_the_limit_is_no_rival(measure):
    rows = measure(
        case_of(("SciPy", lambda x: time.sleep(0.02) or x * 3, False)), size=128, limit=0.1
    )
    assert (rows[-1].status, rows[-1].same) == ("differs", False)
    assert rows[0].ratio is None


def test_rivals_that_allocate_meet_us_allocating():
    def row(who, out, ms, same=True):
        return bench.Row("f", "op", "", (9,), "u1", who, out=out, ms=ms, same=same)

    rows = [
        row("voxkern", True, 1.0),
        row("voxkern", False, 2.0),
        row("SciPy", True, 5.0),
        row("edt", False, 8.0),
        row("OpenCV", False, 0.5, same=False),
    ]
    _run._compare(rows)
    assert [r.ratio for r in rows] == [5.0, 4.0, 5.0, 4.0, 0.25]


def test_an_op_without_out_meets_everybody():
    rows = [
        bench.Row("f", "op", "", (9,), "u1", "voxkern", ms=2.0),
        bench.Row("f", "op", "", (9,), "u1", "SciPy", out=True, ms=6.0),
    ]
    _run._compare(rows)
    assert [r.ratio for r in rows] == [3.0, 3.0]


def test_an_op_that_is_not_there_is_absent(measure):
    one = case_of()
    gone = bench.Case("filters", "tripled", "volume", "float32", {}, None, one.build)
    assert [r.status for r in measure(gone)] == ["absent"]


def test_what_is_not_installed_is_listed(measure, monkeypatch):
    monkeypatch.setitem(_machine.PEERS, "cc3d", ("no_such_module", "no-such-module"))
    rows = measure(case_of(("cc3d", doubled, False)))
    assert (rows[-1].status, rows[-1].note) == ("not installed", "pip install no-such-module")


def test_our_own_refusal_is_a_row(measure):
    def refuses(x, out=None):
        raise NotImplementedError("doubled cannot run on 'native'")

    rows = measure(case_of(("NumPy", lambda x: x * 2, False)), op=refuses)
    assert rows[-1].status == "unavailable"
    assert "cannot run on 'native'" in rows[-1].note


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "device must be 'cpu' or 'cuda', not 'tpu'"),
        ({"size": 8}, "size must be at least 16"),
        ({"threads": 10**6}, "threads must be 1 to"),
        ({"op": "labl"}, "op must be one that is measured, such as label; got 'labl'"),
        ({"family": "warp", "op": "xyz"}, "such as affine_transform to zoom; got 'xyz'"),
        ({"family": "warps"}, "family must be one of evaluate, .*, warp; got 'warps'"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        bench.run(**options)


def test_answers_are_compared_where_they_can_be():
    a = np.arange(100.0).reshape(10, 10)
    edge = a.copy()
    edge[0, 0] = 50
    assert _agree.exact()(a, a) == ""
    assert _agree.exact()(a, edge) == "1 of 100 voxels differ"
    assert _agree.exact(border=1)(a, edge) == ""
    assert _agree.exact(border=99)(a, edge) == ""
    assert _agree.exact(border=99)(a, a + 1) == "4 of 4 voxels differ"
    assert _agree.exact()(a, a[1:]) == "shape (10, 10) against (9, 10)"
    assert _agree.close(1e-3)(a, a + 0.05) == ""
    assert _agree.close(1e-3)(a, a + 0.2) == "off by 2.0e-03 of the range"
    assert _agree.within(1)(a, a + 1) == ""
    assert _agree.within(1)(a, a + 2) == "off by 2"


def test_numbers_of_regions_do_not_matter_but_regions_do():
    a = np.array([[1, 1, 0, 2, 2]])
    assert _agree.same_partition()(a, np.array([[7, 7, 0, 3, 3]])) == ""
    assert _agree.same_partition()(a, np.array([[7, 7, 0, 7, 7]])) != ""
    assert _agree.same_partition()(a, np.array([[7, 8, 0, 3, 3]])) != ""


def test_every_case_makes_its_inputs_without_a_rival(monkeypatch):
    for peer in ("SimpleITK", "skimage", "cv2", "cc3d", "edt", "mahotas", "pywt", "torch"):
        monkeypatch.setitem(sys.modules, peer, None)
    declared = bench.cases()
    assert {c.family for c in declared} == set(bench.families())
    for one in declared:
        work = one.work(16)
        assert work.inputs[0].shape == one.shape(16), one
        assert work.inputs[0].dtype == one.dtype, one
        assert {r.peer for r in work.rivals} <= set(_machine.PEERS), one


def test_cases_are_chosen_by_op_or_by_the_beginning_of_the_call():
    assert {c.op for c in bench.cases(op="label")} == {"label"}
    brains = bench.cases(op="label(image=brain")
    assert [c.params["connectivity"] for c in brains] == [1, 2, 3]
    assert bench.cases("filters", "label") == []


def test_no_case_is_declared_twice():
    names = [(c.op, c.kind, c.dtype, c.label) for c in bench.cases()]
    assert len(names) == len(set(names))


def test_targets_name_cases_that_exist():
    with_target = {f"{c.op} {c.label}": c.target for c in bench.cases() if c.target}
    assert with_target["gaussian_filter sigma=2"] == 6
    assert with_target["median_filter size=5"] == 35
    assert with_target["distance_transform_edt image=brain"] == 15


def test_a_target_for_no_case_is_refused():
    with pytest.raises(ValueError, match="sigma=7"):
        _case.case("gaussian_filter", targets={"sigma=7": 1}, sigma=(1, 2))(lambda: None)


def test_ops_without_case_are_found():
    assert bench.without_case(["gaussian_filter", "brew_coffee"]) == ["brew_coffee"]


def test_images_are_the_same_every_time():
    first = _inputs.head((16, 16, 16)).copy()
    _inputs.head.cache_clear()
    again = _inputs.head((16, 16, 16))
    assert np.array_equal(first, again)
    assert not again.flags.writeable


def test_the_head_has_a_brain_in_it():
    tissue = _inputs.tissues((48, 48, 48))
    assert set(np.unique(tissue)) == {0, 1, 2, 3, 4, 5}
    white, grey = (_inputs.head((48, 48, 48))[tissue == t].mean() for t in (5, 4))
    assert white > grey > 500
    assert 0.1 < _inputs.brain_mask((48, 48, 48)).mean() < 0.25


def test_the_second_time_point_is_another():
    here, there = _inputs.brain_mask((32, 32, 32)), _inputs.brain_mask((32, 32, 32), moved=True)
    overlap = 2 * (here & there).sum() / (here.sum() + there.sum())
    assert 0.7 < overlap < 0.99


def test_json_holds_machine_versions_and_rows(measure, tmp_path):
    rows = measure(case_of(("NumPy", doubled, False)))
    _show.write_json(rows, tmp_path / "b.json")
    written = json.loads((tmp_path / "b.json").read_text())
    assert written["machine"]["cpus"] == _machine.available_cpus()
    assert written["versions"]["NumPy"] == np.__version__
    assert [r["who"] for r in written["rows"]] == ["voxkern", "voxkern", "NumPy"]
    assert written["rows"][0]["case"] == "doubled 16x16x16 float32"


def test_losses_are_told():
    row = bench.Row("f", "op", "a=1", (9,), "u1", "voxkern", backend="native", out=True)
    row.ms, row.ratio, row.times_copy, row.target = 1.0, 0.5, 9.0, 6.0
    assert _show.losses([row]) == [
        "op(a=1) 9 u1 native: 0.50x of the fastest rival",
        "op(a=1) 9 u1 native: 9.0 copies, asked 6",
    ]


def test_the_chart_is_drawn(measure, tmp_path):
    pytest.importorskip("matplotlib", reason="pip install matplotlib to draw")
    _show.plot(measure(case_of(("NumPy", doubled, False))), tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes()[:4] == b"\x89PNG"


@pytest.fixture(scope="module")
def table():
    path = pathlib.Path(__file__).parents[1] / "benchmarks" / "table.py"
    spec = importlib.util.spec_from_file_location("table", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row_of(who, ms, ratio, **more):
    row = bench.Row("f", "op", "", (9, 9, 9), "u1", who, **more)
    row.ms, row.ratio, row.times_copy = ms, ratio, ms * 2
    return row.as_dict()


def document(*rows):
    return {
        "machine": {"processor": "Abacus"},
        "versions": {"SciPy": "1.17"},
        "date": "2026-11-22T20:00:00+00:00",
        "rows": list(rows),
    }


def test_the_readme_table_shows_losses_in_bold(table):
    rows = [
        row_of("voxkern", 4.0, 0.5, backend="native", target=6.0),
        row_of("voxkern", 9.0, 0.2, backend="numba"),
        row_of("edt", 2.0, 0.5),
        row_of("SciPy", 80.0, 20.0),
        row_of("OpenCV", 0.1, 0.01, same=False),
    ]
    for text in (table.short(document(*rows)), table.whole(document(*rows))):
        assert "Abacus" in text
        assert (
            "| `op 9x9x9 u1` | 4 | **8** (asked 6) | edt, allocates | 2 | **0.5x** |"
            in text.splitlines()
        )
        assert "OpenCV" not in text.partition("| case")[2]


def test_only_what_is_between_the_markers_changes(table):
    readme = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
    once = table.rewrite(readme, "new")
    assert once == f"before\n{table.BEGIN}\n\nnew\n\n{table.END}\nafter\n"
    assert table.rewrite(once, "new") == once


def test_a_readme_without_markers_is_refused(table):
    with pytest.raises(SystemExit, match="speed table"):
        table.rewrite("nothing here", "new")


def test_main_writes_what_is_asked_and_tells_the_losses(measure, tmp_path, capsys, monkeypatch):
    pytest.importorskip("rich", reason="pip install rich to see tables")
    rows = measure(case_of(("NumPy", doubled, False)))
    monkeypatch.setattr(bench, "run", lambda **options: rows)
    assert bench.main(size=16, json=tmp_path / "b.json") == 0
    shown = capsys.readouterr().out
    assert "doubled" in shown
    assert "NumPy" in shown
    assert (tmp_path / "b.json").exists()


def test_main_explains_a_wrong_option(capsys, monkeypatch):
    pytest.importorskip("rich", reason="pip install rich to see tables")
    assert bench.main(device="tpu") == 2
    assert "device must be" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert bench.main(device="cuda") == 2
    assert "pip install 'voxkern[cuda13]'" in capsys.readouterr().out


def test_main_looks_first_whether_it_can_write(tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib", reason="pip install matplotlib to draw")
    monkeypatch.setattr(bench, "run", lambda **options: pytest.fail("measured all the same"))
    monkeypatch.chdir(tmp_path)
    for options, message in [
        ({"json": pathlib.Path("no/b.json")}, "no/b.json: there is no such folder"),
        ({"plot": pathlib.Path("no/b.png")}, "no/b.png: there is no such folder"),
        ({"plot": pathlib.Path("b.xyz")}, "b.xyz: a picture must end in one of"),
    ]:
        assert bench.main(**options) == 2
        assert message in capsys.readouterr().out


def test_a_table_is_read_on_a_terminal_of_80_columns(measure):
    rich = pytest.importorskip("rich.console", reason="pip install rich to see tables")
    rows = measure(case_of(("SimpleITK", doubled, False)))
    for row, ms in zip(rows, (1234.5, 0.0123, 56.78), strict=True):
        row.op, row.label = "n4_bias_correction", "image=brain, shrink=4"
        row.ms, row.gbs, row.share, row.times_copy, row.ratio = ms, 12.34, 0.56, 345.6, 0.123
        row.who = {"SimpleITK": "SimpleITK shrunken, field at full size"}.get(row.who, row.who)
        row.target, row.note = 300.0, "of [bool] it takes another way round"
    console = rich.Console(width=80, record=True, file=io.StringIO())
    for table in _show.tables(rows):
        console.print(table)
    text = console.export_text()
    assert "…" not in text
    for word in ("1,234", "0.0123", "56.8", "12.3", "56 %", "346 of 300x", "0.123x", "[bool]"):
        assert word in text


class Event:
    """A CUDA event that only counts."""

    recorded = 0

    def record(self):
        Event.recorded += 1

    def synchronize(self):
        pass


def test_a_gpu_is_timed_with_events_on_rotating_buffers(measure, monkeypatch):
    seen = []
    fake = types.SimpleNamespace(
        asarray=np.array,
        ones=np.ones,
        empty=np.empty,
        float32=np.float32,
        copyto=np.copyto,
        cuda=types.SimpleNamespace(Event=Event, get_elapsed_time=lambda start, end: 3.0),
    )
    monkeypatch.setattr(_gpu, "cupy", lambda: fake)

    def noting(x, out=None):
        seen.append(id(x))
        return doubled(x, out)

    rows = measure(case_of(), op=noting, device="cuda", backend="cuda")
    assert {r.ms for r in rows} == {3.0}
    assert rows[0].device == "cuda"
    assert rows[0].times_copy == 1.0
    assert Event.recorded > 0
    assert len(set(seen)) == _gpu.ROTATING


def test_a_gpu_without_cupy_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ImportError, match=r"needs CuPy: pip install 'voxkern\[cuda13\]'"):
        _gpu.cupy()
