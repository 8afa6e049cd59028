"""A case: our call, the rivals' calls for the same work, how the answers are compared."""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voxkern._kernel import FAMILIES
from voxkern.bench._agree import Agree, exact

Call = Callable[[], Any]
Prepare = Callable[..., Call]


@dataclass(frozen=True)
class Rival:
    """Somebody else's way to the same answer.

    `prepare` gets the inputs, turns them into the peer's own image type and returns the call that
    is timed. `differs` says in a few words why the answer is another one, and is empty where it is
    the same; only rivals with the same answer count.
    """

    peer: str
    prepare: Prepare
    how: str = ""
    out: bool = False
    differs: str = ""
    agree: Agree | None = None
    device: str = "cpu"

    @property
    def name(self) -> str:
        """How the tables call it."""
        return f"{self.peer} {self.how}" if self.how else self.peer


@dataclass
class Work:
    """One case made concrete: inputs, our call, the comparison and the rivals.

    `call` is ``call(op, *inputs, out)`` where the op takes ``out=``, else ``call(op, *inputs)``.
    `moved` is the bytes that any implementation must read or write; left out, it is the size of the
    inputs and of the answer.
    """

    inputs: tuple[Any, ...]
    call: Callable[..., Any]
    agree: Agree = field(default_factory=exact)
    out: bool = True
    moved: int | None = None
    rivals: list[Rival] = field(default_factory=list)

    def rival(
        self,
        peer: str,
        how: str = "",
        *,
        out: bool = False,
        differs: str = "",
        agree: Agree | None = None,
        device: str = "cpu",
    ) -> Callable[[Prepare], Prepare]:
        """Add the decorated function as a rival."""

        def add(prepare: Prepare) -> Prepare:
            self.rivals.append(Rival(peer, prepare, how, out, differs, agree, device))
            return prepare

        return add


@dataclass(frozen=True)
class Case:
    """An op with one set of parameters on one kind of image."""

    family: str
    op: str
    kind: str
    dtype: str
    params: Mapping[str, Any]
    target: float | None
    build: Callable[..., Work]
    share: int = 1

    @property
    def label(self) -> str:
        """The parameters as the tables print them."""
        return _label(self.params)

    @property
    def call(self) -> str:
        """Op and parameters."""
        return f"{self.op}({self.label})" if self.params else self.op

    def shape(self, size: int) -> tuple[int, ...]:
        """Volumes have `size` voxels a side, or a share; planes eight times as many pixels."""
        side = max(size // self.share, min(size, 16))
        return (side,) * 3 if self.kind == "volume" else (8 * side,) * 2

    def work(self, size: int) -> Work:
        """Make the inputs and the calls."""
        return self.build(self.shape(size), self.dtype, **self.params)


def _label(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v}" for k, v in params.items())


def _aim(targets: Mapping[str, float] | None, params: Mapping[str, Any]) -> float | None:
    aims = targets or {}
    return aims.get(_label(params), aims.get(""))


_cases: list[Case] = []


def case(
    op: str,
    *,
    kind: str = "volume",
    dtypes: Iterable[str] = ("float32",),
    targets: Mapping[str, float] | None = None,
    share: int = 1,
    **params: Iterable[Any],
) -> Callable[[Callable[..., Work]], Callable[..., Work]]:
    """Declare cases of `op`: one for each dtype and each combination of `params`.

    `targets` maps a label such as ``"sigma=2"`` to the time we ask of ourselves, in times of a
    plain copy of the float32 volume; the empty label means every combination. What takes minutes
    is given one in `share` of the voxels along each side.
    """

    def declare(build: Callable[..., Work]) -> Callable[..., Work]:
        family = _family(build.__module__)
        made = []
        for dtype, values in itertools.product(tuple(dtypes), itertools.product(*params.values())):
            chosen = dict(zip(params, values, strict=True))
            made.append(Case(family, op, kind, dtype, chosen, _aim(targets, chosen), build, share))
        unused = set(targets or {}) - {one.label for one in made} - {""}
        if unused:
            raise ValueError(f"targets of {op} name no case: {', '.join(sorted(unused))}")
        _cases.extend(made)
        return build

    return declare


def _family(module: str) -> str:
    """The family whose cases a module has: `filters` for filters.py and filters_intensity.py."""
    return module.rpartition(".")[2].partition("_")[0]


def _modules() -> list[str]:
    """The public modules of this package."""
    package = importlib.import_module("voxkern.bench")
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name[0] != "_")


def families() -> list[str]:
    """Every family that has cases."""
    return sorted({_family(name) for name in _modules()})


def cases(family: str | None = None, op: str | None = None) -> list[Case]:
    """The declared cases; only one family's, one op's, or those whose call begins with `op`."""
    for name in _modules():
        importlib.import_module(f"voxkern.bench.{name}")
    of_family = [c for c in _cases if family in (None, c.family)]
    return [c for c in of_family if op in (None, c.op) or ("(" in op and c.call.startswith(op))]


def without_case(public: Iterable[str] | None = None) -> list[str]:
    """Which of our public functions, or of the names in `public`, nobody measures."""
    if public is None:
        voxkern = importlib.import_module("voxkern")
        public = [name for name in voxkern.__all__ if _is_op(getattr(voxkern, name))]
    return sorted(set(public) - {c.op for c in cases()})


def _is_op(thing: Any) -> bool:
    """Whether it is a function of a family of kernels, not of the house."""
    family = str(getattr(thing, "__module__", "")).split(".")[1:2]
    return inspect.isfunction(thing) and bool({*family} & {*FAMILIES})
