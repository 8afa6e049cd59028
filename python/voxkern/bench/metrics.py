"""How alike two images are: sums, correlation, mutual information, histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxkern.bench._agree import close, to_numpy
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head
from voxkern.bench._peers import load, sitk_image


def _pair(shape: Shape, dtype: str) -> tuple[Any, Any]:
    return head(shape, dtype), head(shape, dtype, moved=True)


def _registration(fixed: Any, moving: Any, choose: str, *args: Any) -> Call:
    """SimpleITK's value of a metric with every voxel and the identity."""
    sitk, f, m = load("SimpleITK"), sitk_image(fixed), sitk_image(moving)

    def go() -> Any:
        method = sitk.ImageRegistrationMethod()
        getattr(method, choose)(*args)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetInitialTransform(sitk.TranslationTransform(3))
        return method.MetricEvaluate(f, m)

    return go


def _gradients(tolerance: float) -> Any:
    """Compare what comes beside the value: the derivative by every moving voxel."""

    def agree(ours: Any, theirs: Any) -> str:
        wrong = close(tolerance)(ours[0], theirs[0])
        return wrong or close(tolerance)(ours[1], theirs[1])

    return agree


def _differentiate(a: Any, b: Any, function: Any) -> Call:
    """PyTorch's value and derivative of ``function(torch, fixed, moving)``."""
    torch = load("torch")
    fixed, moving = torch.from_numpy(a.copy()), torch.from_numpy(b.copy()).requires_grad_()

    def go() -> Any:
        moving.grad = None
        value = function(torch, fixed, moving)
        value.backward()
        return value.detach(), moving.grad

    return go


def _evaluate(a: Any, b: Any, function: Any) -> Call:
    """PyTorch's value of ``function(torch, fixed, moving)``."""
    torch = load("torch")
    fixed, moving = torch.from_numpy(a.copy()), torch.from_numpy(b.copy())

    def go() -> Any:
        with torch.no_grad():
            return function(torch, fixed, moving)

    return go


def _work(shape: Shape, dtype: str, gradient: bool, tolerance: float) -> Work:
    return Work(
        _pair(shape, dtype),
        lambda op, a, b: op(a, b, gradient=gradient),
        agree=_gradients(tolerance) if gradient else close(tolerance),
        out=False,
    )


@case("ssd", gradient=(False, True))
def ssd(shape: Shape, dtype: str, gradient: bool) -> Work:
    """The squared differences of two heads, alone or with their derivative."""
    work = _work(shape, dtype, gradient, 1e-4)

    @work.rival("PyTorch", "autograd" if gradient else "")
    def _torch(a: Any, b: Any) -> Call:
        run = _differentiate if gradient else _evaluate
        return run(a, b, lambda torch, f, m: torch.nn.functional.mse_loss(m, f, reduction="sum"))

    if gradient:
        return work

    @work.rival("NumPy", differs="summed in single precision")
    def _numpy(a: Any, b: Any) -> Call:
        def go() -> Any:
            d = (a - b).ravel()
            return np.dot(d, d)

        return go

    @work.rival("scikit-image", differs="the mean, not the sum")
    def _skimage(a: Any, b: Any) -> Call:
        metrics = load("skimage.metrics")
        return lambda: metrics.mean_squared_error(a, b)

    @work.rival("SimpleITK", differs="the mean, through an interpolator")
    def _simpleitk(a: Any, b: Any) -> Call:
        return _registration(a, b, "SetMetricAsMeanSquares")

    return work


@case("ncc", gradient=(False, True))
def ncc(shape: Shape, dtype: str, gradient: bool) -> Work:
    """The correlation of two heads, alone or with its derivative."""
    work = _work(shape, dtype, gradient, 1e-4)

    def correlation(torch: Any, fixed: Any, moving: Any) -> Any:
        u, v = fixed - fixed.mean(), moving - moving.mean()
        return (u * v).sum() / ((u * u).sum() * (v * v).sum()).sqrt()

    @work.rival("PyTorch", "autograd" if gradient else "")
    def _torch(a: Any, b: Any) -> Call:
        return (_differentiate if gradient else _evaluate)(a, b, correlation)

    if gradient:
        return work

    @work.rival("NumPy", "corrcoef")
    def _numpy(a: Any, b: Any) -> Call:
        return lambda: np.corrcoef(a.ravel(), b.ravel())[0, 1]

    @work.rival("SimpleITK", differs="squared and negative, through an interpolator")
    def _simpleitk(a: Any, b: Any) -> Call:
        return _registration(a, b, "SetMetricAsCorrelation")

    return work


@case(
    "mutual_information",
    targets={"bins=32, gradient=False": 15},
    bins=(32,),
    gradient=(False, True),
)
def mutual_information(shape: Shape, dtype: str, bins: int, gradient: bool) -> Work:
    """Mattes' measure of two heads: a cubic window on the moving intensities."""
    work = Work(
        _pair(shape, dtype),
        lambda op, a, b: op(a, b, bins=bins, gradient=gradient),
        agree=_gradients(1e-4) if gradient else close(1e-4),
        out=False,
    )
    if gradient:
        return work

    @work.rival("SimpleITK", "Mattes", agree=_negative(1e-4))
    def _simpleitk(a: Any, b: Any) -> Call:
        return _registration(a, b, "SetMetricAsMattesMutualInformation", bins)

    return work


@case("joint_histogram", bins=(32,))
def joint_histogram(shape: Shape, dtype: str, bins: int) -> Work:
    """The counts of the pairs of intensities of two heads."""
    work = Work(
        _pair(shape, dtype), lambda op, a, b: op(a, b, bins)[0], agree=close(1e-4), out=False
    )

    @work.rival("NumPy")
    def _numpy(a: Any, b: Any) -> Call:
        return lambda: np.histogram2d(a.ravel(), b.ravel(), bins)[0]

    return work


@case("normalized_mutual_information", bins=(100,))
def normalized_mutual_information(shape: Shape, dtype: str, bins: int) -> Work:
    """Studholme's measure of two heads from a plain joint histogram."""
    work = Work(
        _pair(shape, dtype),
        lambda op, a, b: op(a, b, bins=bins),
        agree=close(1e-5),
        out=False,
    )

    @work.rival("scikit-image")
    def _skimage(a: Any, b: Any) -> Call:
        metrics = load("skimage.metrics")
        return lambda: metrics.normalized_mutual_information(a, b, bins=bins)

    return work


def _negative(tolerance: float) -> Any:
    """SimpleITK minimises: its value is ours with the other sign."""

    def agree(ours: Any, theirs: Any) -> str:
        return close(tolerance)(ours, -to_numpy(theirs))

    return agree


@case("histogram", dtypes=("float32", "uint8"), bins=(256,))
def histogram(shape: Shape, dtype: str, bins: int) -> Work:
    """The counts of a head's intensities."""
    top = 256 if dtype == "uint8" else 1200
    work = Work(
        (head(shape, dtype),),
        lambda op, x: op(x, bins, range=(0, top))[0],
        agree=close(1e-4),
        out=False,
    )

    @work.rival("NumPy")
    def _numpy(x: Any) -> Call:
        return lambda: np.histogram(x, bins, range=(0, top))[0]

    @work.rival("PyTorch", "histc")
    def _torch(x: Any) -> Call:
        torch = load("torch")
        values = torch.from_numpy(x.astype(np.float32))
        return lambda: torch.histc(values, bins, 0, top)

    @work.rival("OpenCV")
    def _opencv(x: Any) -> Call:
        cv2, planes = load("cv2"), [x.reshape(x.shape[0], -1).copy()]
        return lambda: cv2.calcHist(planes, [0], None, [bins], [0, top]).ravel()

    return work


@case("percentile", dtypes=("float32", "int16"))
def percentile_volume(shape: Shape, dtype: str) -> Work:
    """Three percentiles of a head."""
    wanted = (0.5, 50, 99.5)
    work = Work((head(shape, dtype),), lambda op, x: op(x, wanted), agree=close(1e-6), out=False)

    @work.rival("NumPy")
    def _numpy(x: Any) -> Call:
        return lambda: np.percentile(x, wanted)

    return work
