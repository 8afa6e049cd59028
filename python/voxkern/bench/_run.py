"""Run cases: ours and the rivals in turn, the answer checked first, the machine watched."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from voxkern.bench import _gpu, _machine
from voxkern.bench._case import Case, Rival, Work, cases
from voxkern.bench._clock import QUICK, Clock, Contender, Patience, cpu_clock, in_turn

SMALL = 64  # voxels a side of the volume on which a rival shows how slow it is
REST = 0.005  # seconds between contenders: OpenMP threads spin a while after their work
OURS = "voxkern"


@dataclass
class Row:
    """One contender in one case.

    `ratio` is the rival's time over ours, ``out=`` used alike; in our own rows, that of the fastest
    rival with the same answer, so below 1 is a loss. A row of ours with `alone` set had one thread
    while everybody else had all; its ratio is its time over ours with all. `times_copy` is in times
    of a plain copy of the float32 volume. A rival with `estimated` set would have taken longer than
    the limit: its time is that on a small volume, scaled by the voxels. `status` is ``ok``,
    ``absent`` (no such op), ``not installed``, ``differs`` (claims the same answer, has another),
    ``failed`` or ``unavailable``.
    """

    family: str
    op: str
    label: str
    shape: tuple[int, ...]
    dtype: str
    who: str
    backend: str = ""
    out: bool = False
    alone: bool = False
    estimated: bool = False
    status: str = "ok"
    note: str = ""
    same: bool = True
    ms: float | None = None
    ms_min: float | None = None
    runs: int = 0
    gbs: float | None = None
    share: float | None = None
    times_copy: float | None = None
    target: float | None = None
    ratio: float | None = None
    device: str = "cpu"
    threads: int = 1
    cores: float = 1.0

    @property
    def call(self) -> str:
        """Op and parameters."""
        return f"{self.op}({self.label})" if self.label else self.op

    @property
    def image(self) -> str:
        """Shape and dtype."""
        return f"{'x'.join(str(n) for n in self.shape)} {self.dtype}"

    @property
    def case(self) -> str:
        """What is measured, in one line."""
        return f"{self.call} {self.image}"

    @property
    def disturbed(self) -> bool:
        """Whether the machine kept cores from us even after repeating."""
        return self.cores < 0.8 * self.threads

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "case": self.case, "disturbed": self.disturbed}


@dataclass(frozen=True)
class Settings:
    """How to measure; `run` says what each of them means."""

    device: str = "cpu"
    backend: str | None = None
    size: int = 256
    threads: int | None = None
    quick: bool = False
    rivals: bool = True
    limit: float = 60.0

    def __post_init__(self) -> None:
        if self.device not in ("cpu", "cuda"):
            raise ValueError(f"device must be 'cpu' or 'cuda', not {self.device!r}")
        if self.size < 16:
            raise ValueError(f"size must be at least 16 voxels a side, not {self.size}")
        if not self.limit > 0:
            raise ValueError(f"limit must be positive seconds, not {self.limit}")
        most = _machine.available_cpus()
        if not 1 <= self.workers <= most:
            raise ValueError(
                f"threads must be 1 to {most}, the processors here, not {self.threads}"
            )

    @property
    def workers(self) -> int:
        """Threads for everybody."""
        return _machine.available_cpus() if self.threads is None else self.threads

    @property
    def patience(self) -> Patience:
        """How long to go on."""
        return QUICK if self.quick else Patience()


def run(
    *,
    family: str | None = None,
    op: str | None = None,
    device: str = "cpu",
    backend: str | None = None,
    size: int = 256,
    threads: int | None = None,
    quick: bool = False,
    rivals: bool = True,
    limit: float = 60.0,
    ops: Any = None,
    progress: Callable[[Case, int, int], None] | None = None,
) -> list[Row]:
    """Measure every case that fits, and return one row for each contender.

    Parameters
    ----------
    family, op : str, optional
        Only these cases; ``op="label(image=brain"`` means the calls that begin so.
    device : {'cpu', 'cuda'}
        Where the arrays live.
    backend : str, optional
        Only this backend of ours; otherwise every one that is available for the device.
    size : int
        Voxels a side of a volume; planes have eight times as many pixels a side.
    threads : int, optional
        For us and for every rival; otherwise all processors that this process may use.
    quick : bool
        Fewer and shorter runs.
    rivals : bool
        Whether to run the rivals too.
    limit : float
        Seconds that one call of a rival may take. One that would take longer, by what it takes on
        a volume of 64 voxels a side, is run on that alone and its time is an estimate.
    ops : namespace, optional
        Where to look up our functions; `voxkern` itself if left out.
    progress : callable, optional
        Called as ``progress(case, index, count)`` before each case.

    Returns
    -------
    list of Row
    """
    chosen = cases(family, op)
    if not chosen:
        families = sorted({c.family for c in cases()})
        if family not in (None, *families):
            raise ValueError(f"family must be one of {', '.join(families)}; got {family!r}")
        ops = sorted({c.op for c in cases(family)})
        near = ", ".join(difflib.get_close_matches(str(op), ops)) or f"{ops[0]} to {ops[-1]}"
        raise ValueError(f"op must be one that is measured, such as {near}; got {op!r}")
    settings = Settings(device, backend, size, threads, quick, rivals, limit)
    rows: list[Row] = []
    for index, one in enumerate(chosen):
        if progress:
            progress(one, index, len(chosen))
        rows += measure(one, settings, ops)
    return rows


def measure(one: Case, settings: Settings, ops: Any = None) -> list[Row]:
    """Measure one case: a row for each contender."""
    ops = importlib.import_module("voxkern") if ops is None else ops
    return _Bench(one, ops, settings).rows()


def our_call(one: Case, settings: Settings) -> Callable[[], Any]:
    """Our call of a case on the CPU, with ``out=`` where the op has it; for other timers."""
    voxkern = importlib.import_module("voxkern")
    _machine.set_threads(settings.workers)
    work, op = one.work(settings.size), getattr(voxkern, one.op)
    backend = _backends(voxkern, "cpu", settings.backend)[0]
    with _using(voxkern, backend):
        out = (_like(work.call(op, *work.inputs, None)),) if work.out else ()

    def go() -> Any:
        with _using(voxkern, backend):
            return work.call(op, *work.inputs, *out)

    return go


def _backends(ops: Any, device: str, backend: str | None) -> list[str]:
    """Our backends that can run here, the best first."""
    if backend:
        return [backend]
    names = ["native", "numba"] if device == "cpu" else ["cuda", "cupy"]
    state = ops.info()["backends"]
    return [name for name in names if state[name] == "ready"] or names


@contextlib.contextmanager
def _using(ops: Any, backend: str) -> Iterator[None]:
    """Hold `backend` while measuring; choosing it costs a microsecond or two."""
    with ops.use_backend(backend):
        yield


@dataclass
class _Entry:
    """A row and what is timed for it."""

    row: Row
    contender: Contender


class _Bench:
    """One case on one device."""

    def __init__(self, one: Case, ops: Any, settings: Settings) -> None:
        self.case, self.ops, self.settings = one, ops, settings
        self.device, self.threads = settings.device, settings.workers
        self.patience = settings.patience
        self.shape = one.shape(settings.size)
        self.answer: Any = None

    def row(self, who: str, **more: Any) -> Row:
        one = self.case
        return Row(
            one.family,
            one.op,
            one.label,
            self.shape,
            one.dtype,
            who,
            device=self.device,
            threads=self.threads,
            **more,
        )

    def rows(self) -> list[Row]:
        """Everything about this case."""
        if not hasattr(self.ops, self.case.op):
            return [self.row(OURS, status="absent", note="no such function yet")]
        _machine.set_threads(self.threads)
        work = self.case.work(self.settings.size)
        entries: list[_Entry] = []
        others: list[Row] = []
        for name in _backends(self.ops, self.device, self.settings.backend):
            entries += self._ours(work, name, others)
        if self.settings.rivals:
            entries += self._rivals(work, others)
        _machine.set_threads(self.threads)  # again: the rivals' libraries are loaded now
        yardstick, cores = self._time(entries)
        moved = self._moved(work)
        for entry in entries:
            self._fill(entry, yardstick, moved, cores)
        rows = [e.row for e in entries] + others
        _compare(rows)
        return rows

    def _ours(self, work: Work, backend: str, others: list[Row]) -> list[_Entry]:
        """With ``out=`` and without."""
        op = getattr(self.ops, self.case.op)
        sets = self._sets(work.inputs)

        def call(inputs: tuple[Any, ...], out: tuple[Any, ...]) -> Callable[[], Any]:
            def go() -> Any:
                return work.call(op, *inputs, *out)

            return go

        fresh_out: tuple[Any, ...] = (None,) if work.out else ()
        try:
            with _using(self.ops, backend):
                answer = call(sets[0], fresh_out)()
        except Exception as error:  # shown in the table; the other contenders still run
            note = f"{type(error).__name__}: {error}".splitlines()[0]
            others.append(self.row(OURS, backend=backend, status="unavailable", note=note))
            return []
        differs = ""
        if self.answer is None:
            self.answer = answer
        else:
            differs = work.agree(self.answer, answer)
        modes: list[bool] = [True, False] if work.out else [False]
        kinds = [(with_out, False) for with_out in modes]
        if self.threads > 1 and self.device == "cpu":
            kinds.append((modes[0], True))
        entries = []
        for with_out, alone in kinds:
            row = self.row(OURS, backend=backend, out=with_out, alone=alone)
            row.target = None if alone else self.case.target
            if differs:
                row.status, row.note = "differs", differs
            calls = []
            for inputs in sets:
                out = (_like(answer),) if with_out else fresh_out
                calls.append(self._held(call(inputs, out), backend, alone))
            entries.append(_Entry(row, Contender(OURS, calls)))
        return entries

    def _held(self, call: Callable[[], Any], backend: str, alone: bool) -> Callable[[], Any]:
        """The call with its backend chosen, and with one thread if it is to be `alone`."""

        def go() -> Any:
            with _using(self.ops, backend):
                return call()

        def go_alone() -> Any:
            self.ops.set_threads(1)
            try:
                return go()
            finally:
                self.ops.set_threads(self.threads)

        return go_alone if alone else go

    def _rivals(self, work: Work, others: list[Row]) -> list[_Entry]:
        """Every rival on this device, those that take too long on a small volume only."""
        rivals = [r for r in work.rivals if r.device == self.device]
        if self.device == "cuda" or self.settings.size <= SMALL:
            return [e for rival in rivals for e in self._rival(work, rival, others)]
        entries = []
        small = _Bench(self.case, self.ops, replace(self.settings, size=SMALL))
        trial = self.case.work(SMALL)
        more = (self.settings.size / SMALL) ** len(self.shape)
        tried = {r.name: r for r in trial.rivals}
        if rivals:
            with _using(self.ops, _backends(self.ops, self.device, self.settings.backend)[0]):
                out: tuple[Any, ...] = (None,) if trial.out else ()
                small.answer = trial.call(getattr(self.ops, self.case.op), *trial.inputs, *out)
        for rival in rivals:
            found = small._rival(trial, tried[rival.name], [])
            seconds = more * found[0].contender.first if found else 0.0
            if seconds > self.settings.limit:  # of which the first call's own may be most
                again = cpu_clock(found[0].contender.next(), 1)
                seconds = min(seconds, more * again)
            if seconds <= self.settings.limit:
                entries += self._rival(work, rival, others)
                continue
            row = replace(found[0].row, shape=self.shape, ms=1e3 * seconds, estimated=True)
            row.cores = float(self.threads)
            row.note = row.note or f"estimated from a volume of {SMALL} voxels a side"
            others.append(row)
        return entries

    def _rival(self, work: Work, rival: Rival, others: list[Row]) -> list[_Entry]:
        row = self.row(rival.name, out=rival.out, same=not rival.differs, note=rival.differs)
        if not _machine.installed(rival.peer):
            row.status, row.note = "not installed", f"pip install {_machine.PEERS[rival.peer][1]}"
            others.append(row)
            return []
        try:
            calls = [rival.prepare(*inputs) for inputs in self._sets(work.inputs)]
            start = time.perf_counter()
            answer = calls[0]()
            first = time.perf_counter() - start
            if row.same and self.answer is not None:
                wrong = (rival.agree or work.agree)(self.answer, answer)
                if wrong:
                    row.status, row.same, row.note = "differs", False, wrong
        except Exception as error:  # shown in the table; the other contenders still run
            row.status, row.note = "failed", f"{type(error).__name__}: {error}".splitlines()[0]
            others.append(row)
            return []
        return [_Entry(row, Contender(rival.name, calls, first))]

    def _sets(self, inputs: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The inputs where the device wants them."""
        if self.device == "cpu":
            return [inputs]
        return [_gpu.to_device(inputs) for _ in range(_gpu.ROTATING)]

    def _time(self, entries: list[_Entry]) -> tuple[float, float]:
        """Time everybody in turn; once more if a core went away meanwhile."""
        contenders = [e.contender for e in entries]
        if self.device == "cuda":
            clock: Clock = _gpu.EventClock()
            yardstick = Contender("copy", _gpu.plain_copy(self.shape))
            in_turn([yardstick, *contenders], clock, self.patience, 0.0)
            return yardstick.median, float(self.threads)
        copy = _machine.PlainCopy(self.shape, self.threads)
        yardstick = Contender("copy", [copy])
        cores = 0.0
        try:
            for _ in range(2):
                before = _machine.wait_for_cores(self.threads)
                in_turn([yardstick, *contenders], cpu_clock, self.patience, REST)
                cores = min(before, _machine.cores(self.threads))
                if cores >= 0.8 * self.threads:
                    break
        finally:
            copy.close()
        return yardstick.median, cores

    def _moved(self, work: Work) -> int:
        """Bytes that cannot be avoided: inputs read once, the answer written once."""
        if work.moved is not None:
            return work.moved
        return sum(_nbytes(a) for a in work.inputs) + _nbytes(self.answer)

    def _fill(self, entry: _Entry, copy: float, moved: int, cores: float) -> None:
        row, timed = entry.row, entry.contender
        row.cores = round(cores, 2)
        if timed.error:
            row.status, row.note = "failed", timed.error
            return
        row.ms, row.ms_min = timed.median * 1e3, min(timed.samples) * 1e3
        row.runs = len(timed.samples)
        row.gbs = moved / timed.median / 1e9
        row.share = row.gbs * 1e9 / (8 * int(np.prod(self.shape)) / copy)
        row.times_copy = timed.median / copy


def _compare(rows: list[Row]) -> None:
    """Set the ratios: a rival that allocates its answer meets us doing the same."""
    timed = [r for r in rows if r.ms]
    ours = [r for r in timed if r.who == OURS and not r.alone]
    rivals = [r for r in timed if r.who != OURS]
    for row in rivals:
        mine = [r for r in ours if r.out == row.out] or ours
        row.ratio = _over(row, min(mine, key=_ms)) if mine else None
    for row in ours:
        only = not any(r.backend == row.backend and r.out != row.out for r in ours)
        alike = [r for r in rivals if r.same and (only or r.out == row.out)]
        row.ratio = _over(min(alike, key=_ms), row) if alike else None
    for row in timed:
        if row.alone:
            both = [r for r in ours if (r.backend, r.out) == (row.backend, row.out)]
            row.ratio = _over(row, both[0]) if both else None
            row.note = f"ratio: to our own time with {row.threads} threads"


def _ms(row: Row) -> float:
    return row.ms or 0.0


def _over(a: Row, b: Row) -> float:
    return _ms(a) / _ms(b)


def _like(answer: Any) -> Any:
    """A buffer for an answer, on the device where the answer is."""
    if isinstance(answer, np.ndarray):
        buffer = np.empty_like(answer)
        buffer.fill(0)
        return buffer
    return answer.copy()


def _nbytes(thing: Any) -> int:
    if isinstance(thing, tuple):
        return sum(_nbytes(part) for part in thing)
    return int(getattr(thing, "nbytes", 0))
