"""What every measure asks of its two segmentations."""

from __future__ import annotations

import reprlib
from typing import Any

from .. import _args, _arrays

_MASK = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def as_pair(pred: Any, ref: Any, most: int = 32) -> tuple[Any, Any]:
    """Return two adopted segmentations of one shape, on one device."""
    pair = []
    for name, given in (("pred", pred), ("ref", ref)):
        x = _arrays.adopt(given, name)[0]
        _args.as_dtype(x, _MASK, name)
        _args.as_ndim(x, 1, most, name)
        pair.append(x)
    if pair[0].shape != pair[1].shape:
        raise ValueError(f"ref must have the shape of pred, {pair[0].shape}; got {pair[1].shape}")
    _arrays.same_device(pred=pair[0], ref=pair[1])
    return pair[0], pair[1]


def as_empty(empty: Any) -> float:
    """Return the answer for two empty masks."""
    if isinstance(empty, str):
        if empty != "nan":
            raise ValueError(f"empty must be 'nan' or a number; got {empty!r}")
        return float("nan")
    try:
        return float(empty)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"empty must be 'nan' or a number; got {reprlib.repr(empty)}") from None
