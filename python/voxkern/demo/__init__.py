"""The whole chain of medical image processing on two scans, judged and shown.

``voxkern demo`` runs it. From Python:

>>> from voxkern import demo                                            # doctest: +SKIP
>>> record = demo.run(demo.Settings(quick=True), "report")              # doctest: +SKIP
>>> record["reached"]["registration_error_mm"]                          # doctest: +SKIP
0.05
"""

from ._chain import run
from ._record import differences, load
from ._settings import Settings

__all__ = ["Settings", "differences", "load", "run"]
