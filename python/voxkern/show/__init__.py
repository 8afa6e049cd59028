"""Pictures of volumes: slices, overlays, comparisons, projections and figures.

Functions take arrays and return RGB arrays made with NumPy alone; those whose names end in
``_figure`` return Matplotlib figures: ``pip install 'voxkern[show]'``. Planes are shown as they lie
in the array: for radiological pictures write ``ortho(image.reorient("LPI"))``. Whatever writes RGB
arrays to files saves them, such as ``matplotlib.image.imsave("planes.png", picture)``.
"""

from ._color import COLORS, overlay, to_rgb
from ._compare import blend, checkerboard
from ._figures import histogram_figure, times_figure
from ._project import project
from ._slices import montage, ortho, planes

__all__ = [
    "COLORS",
    "blend",
    "checkerboard",
    "histogram_figure",
    "montage",
    "ortho",
    "overlay",
    "planes",
    "project",
    "times_figure",
    "to_rgb",
]
