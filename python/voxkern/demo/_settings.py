"""What a run is made from: every number that has a say in the answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Settings:
    """Inputs and parameters of a run.

    Attributes
    ----------
    fixed, moving : str, optional
        Files or DICOM folders. Without `moving` a second scan is made from the first; without
        `fixed` the first is the MNI152 T1 brain.
    device : {'cpu', 'cuda'}
        Where operations run.
    threads : int, optional
        Threads on the CPU. They never change the answer.
    quick : bool
        Halve the resolution first.
    seed : int
        For the motion, noise and bias field of a made scan, and the samples of the registration.
    turn, shift : float
        Size of the made motion: degrees about a skew axis, mm along a skew direction.
    gain, noise, bias : float
        Of the made scan: intensity factor; Rician sigma as a part of the brightest intensity;
        standard deviation of the log of the bias field.
    transform, metric : str
        As in `voxkern.register`.
    levels : int
        Grey levels of the co-occurrence matrix.
    """

    fixed: str | None = None
    moving: str | None = None
    device: str = "cpu"
    threads: int | None = None
    quick: bool = False
    seed: int = 0
    turn: float = 8.0
    shift: float = 10.0
    gain: float = 0.8
    noise: float = 0.03
    bias: float = 0.06
    transform: str = "rigid"
    metric: str = "mi"
    levels: int = 32

    def __post_init__(self) -> None:
        if self.device not in ("cpu", "cuda"):
            raise ValueError(f"device must be cpu or cuda; got {self.device!r}")
        if self.moving is not None and self.fixed is None:
            raise ValueError("moving needs a fixed image to go with")
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads must be at least 1; got {self.threads}")

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON keeps them."""
        return asdict(self)
