"""Smoothing and rank filters."""

from __future__ import annotations

from typing import Any

import numpy as np

import voxkern
from voxkern.bench._agree import close, exact, within
from voxkern.bench._case import Call, Work, case
from voxkern.bench._inputs import Shape, head
from voxkern.bench._peers import load, opencv_rival, scipy_rival, sitk_image, tensor


@case("gaussian_filter", targets={"sigma=2": 6}, sigma=(1, 2, 4))
def gaussian_volume(shape: Shape, dtype: str, sigma: float) -> Work:
    """A head, smoothed as SciPy does."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, sigma, out=out),
        agree=close(2e-6),
    )
    radius = int(4 * sigma + 0.5)

    scipy_rival(work, lambda ndimage, x, out: ndimage.gaussian_filter(x, sigma, output=out))

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        filters = load("skimage.filters")
        return lambda: filters.gaussian(x, sigma, mode="reflect", preserve_range=True)

    @work.rival("mahotas", agree=close(1e-5))
    def _mahotas(x: Any) -> Call:
        mahotas = load("mahotas")
        return lambda: mahotas.gaussian_filter(x, sigma)

    @work.rival("PyTorch", "conv3d, zeros outside", agree=close(1e-5, border=radius))
    def _torch(x: Any) -> Call:
        torch = load("torch")
        t = np.arange(-radius, radius + 1)
        kernel = torch.from_numpy(np.exp(-0.5 * (t / sigma) ** 2).astype(np.float32))
        kernel /= kernel.sum()
        image, n = tensor(x), kernel.numel()

        def go() -> Any:
            y = image
            for axis in range(3):
                size, pad = [1, 1, 1], [0, 0, 0]
                size[axis], pad[axis] = n, radius
                y = torch.nn.functional.conv3d(y, kernel.view(1, 1, *size), padding=pad)
            return y

        return go

    @work.rival("SimpleITK", "recursive", differs="an infinite response, not a sampled Gaussian")
    def _recursive(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.SmoothingRecursiveGaussian(image, float(sigma))

    @work.rival("SimpleITK", "discrete", differs="Lindeberg's kernel, not a sampled Gaussian")
    def _discrete(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.DiscreteGaussian(
            image, [float(sigma**2)] * 3, maximumKernelWidth=65, maximumError=0.001
        )

    return work


@case("gaussian_filter", kind="plane", dtypes=("float32", "uint8"), sigma=(1, 2, 4))
def gaussian_plane(shape: Shape, dtype: str, sigma: float) -> Work:
    """A large slice, where OpenCV is at home."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, sigma, out=out),
        agree=close(2e-6) if dtype == "float32" else within(3),  # SciPy truncates after each axis
    )
    side = 2 * int(4 * sigma + 0.5) + 1
    opencv_rival(
        work,
        lambda cv2, x, out: cv2.GaussianBlur(
            x, (side, side), sigma, dst=out, borderType=cv2.BORDER_REFLECT
        ),
    )
    scipy_rival(work, lambda ndimage, x, out: ndimage.gaussian_filter(x, sigma, output=out))

    if dtype == "float32":

        @work.rival("scikit-image")
        def _skimage(x: Any) -> Call:
            filters = load("skimage.filters")
            return lambda: filters.gaussian(x, sigma, mode="reflect", preserve_range=True)

    @work.rival("SimpleITK", "recursive", differs="an infinite response, not a sampled Gaussian")
    def _recursive(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.SmoothingRecursiveGaussian(image, float(sigma))

    return work


@case(
    "median_filter",
    dtypes=("float32", "int16", "uint8"),
    targets={"size=3": 8, "size=5": 35},
    size=(3, 5, 7, 11),
)
def median_volume(shape: Shape, dtype: str, size: int) -> Work:
    """A head, every voxel the median of its cube."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, size, out=out))

    @work.rival("SimpleITK", agree=exact(border=size // 2))
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.Median(image, [size // 2] * 3)

    scipy_rival(work, lambda ndimage, x, out: ndimage.median_filter(x, size, output=out))

    if size == 3:

        @work.rival("mahotas", out=True)
        def _mahotas(x: Any) -> Call:
            mahotas = load("mahotas")
            out, box = np.zeros_like(x), np.ones((size,) * 3, bool)
            return lambda: mahotas.median_filter(x, box, out=out)

    if dtype != "int16" and size <= 5:  # OpenCV knows uint8, uint16 and float32

        @work.rival("OpenCV", "slices", out=True, differs="a 2-D median of each slice")
        def _opencv(x: Any) -> Call:
            cv2 = load("cv2")
            out = np.zeros_like(x)

            def go() -> Any:
                for plane, target in zip(x, out, strict=True):
                    cv2.medianBlur(plane, size, dst=target)
                return out

            return go

    return work


@case("median_filter", kind="plane", dtypes=("uint8",), size=(15, 31))
def median_large_plane(shape: Shape, dtype: str, size: int) -> Work:
    """A large slice of bytes and a large square, where OpenCV counts, too."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, size, out=out))
    opencv_rival(
        work, lambda cv2, x, out: cv2.medianBlur(x, size, dst=out), exact(border=size // 2)
    )
    return work


@case("median_filter", kind="plane", dtypes=("uint8", "float32"), size=(3, 5))
def median_plane(shape: Shape, dtype: str, size: int) -> Work:
    """A large slice, where OpenCV is at home."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, size, out=out))
    inner = exact(border=size // 2)
    opencv_rival(work, lambda cv2, x, out: cv2.medianBlur(x, size, dst=out), inner)

    if dtype == "uint8":

        @work.rival("scikit-image", "rank", out=True, agree=inner)
        def _skimage(x: Any) -> Call:
            rank = load("skimage.filters.rank")
            image, out, box = x.copy(), np.zeros_like(x), np.ones((size, size), np.uint8)
            return lambda: rank.median(image, box, out=out)

    @work.rival("SimpleITK", agree=inner)
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.Median(image, [size // 2] * 2)

    scipy_rival(work, lambda ndimage, x, out: ndimage.median_filter(x, size, output=out))
    return work


def _extreme(shape: Shape, dtype: str, name: str, arguments: dict[str, Any]) -> Work:
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, **arguments, out=out))
    scipy_rival(work, lambda ndimage, x, out: getattr(ndimage, name)(x, **arguments, output=out))
    return work


def _ball(radius: int) -> Any:
    z, y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1]
    return z * z + y * y + x * x <= radius * radius


@case("minimum_filter", dtypes=("float32", "uint8"), radius=(1, 3))
def minimum_ball(shape: Shape, dtype: str, radius: int) -> Work:
    """A head, every voxel the least of a ball."""
    return _extreme(shape, dtype, "minimum_filter", {"footprint": _ball(radius)})


@case("maximum_filter", dtypes=("float32", "uint8"), size=(5,))
def maximum_box(shape: Shape, dtype: str, size: int) -> Work:
    """A head, every voxel the greatest of its box."""
    return _extreme(shape, dtype, "maximum_filter", {"size": size})


@case("minimum_filter1d", size=(101,))
def minimum_line(shape: Shape, dtype: str, size: int) -> Work:
    """A head, every voxel the least of a long line."""
    return _extreme(shape, dtype, "minimum_filter1d", {"size": size, "axis": 0})


@case("maximum_filter1d", size=(101,))
def maximum_line(shape: Shape, dtype: str, size: int) -> Work:
    """A head, every voxel the greatest of a long line."""
    return _extreme(shape, dtype, "maximum_filter1d", {"size": size, "axis": 0})


@case("uniform_filter", dtypes=("float32", "uint8"), targets={"": 5}, size=(5, 31))
def uniform_volume(shape: Shape, dtype: str, size: int) -> Work:
    """A head, every voxel the mean of its cube."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, size, out=out),
        agree=close(2e-6) if dtype == "float32" else exact(),
    )
    scipy_rival(work, lambda ndimage, x, out: ndimage.uniform_filter(x, size, output=out))

    @work.rival("SimpleITK", agree=close(1e-5, border=size) if dtype == "float32" else within(3))
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.Mean(image, [size // 2] * 3)

    return work


@case("uniform_filter", kind="plane", dtypes=("float32", "uint8"), size=(3, 5, 15))
def uniform_plane(shape: Shape, dtype: str, size: int) -> Work:
    """A large slice, where OpenCV is at home."""
    work = Work(
        (head(shape, dtype),),
        lambda op, x, out: op(x, size, out=out),
        agree=close(2e-6) if dtype == "float32" else exact(),
    )
    opencv_rival(
        work,
        lambda cv2, x, out: cv2.blur(x, (size, size), dst=out, borderType=cv2.BORDER_REFLECT),
        close(1e-5) if dtype == "float32" else within(2),  # it rounds once; SciPy cuts twice
    )
    scipy_rival(work, lambda ndimage, x, out: ndimage.uniform_filter(x, size, output=out))
    return work


@case("sobel", kind="plane", dtypes=("float32", "int16"))
def sobel_plane(shape: Shape, dtype: str) -> Work:
    """Differences along the rows of a large slice."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, 1, out=out), agree=close(4e-6))
    opencv_rival(
        work,
        lambda cv2, x, out: cv2.Sobel(x, -1, 1, 0, dst=out, borderType=cv2.BORDER_REFLECT),
        close(4e-6),
    )
    scipy_rival(work, lambda ndimage, x, out: ndimage.sobel(x, 1, output=out))
    return work


@case("laplace", kind="plane")
def laplace_plane(shape: Shape, dtype: str) -> Work:
    """The sum of second differences of a large slice."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, out=out), agree=close(2e-6))
    opencv_rival(
        work,
        lambda cv2, x, out: cv2.Laplacian(x, -1, dst=out, borderType=cv2.BORDER_REFLECT),
        close(2e-6),
    )
    scipy_rival(work, lambda ndimage, x, out: ndimage.laplace(x, output=out))
    return work


@case("minimum_filter", kind="plane", dtypes=("float32", "uint8"), footprint=("cross",))
def minimum_plane(shape: Shape, dtype: str, footprint: str) -> Work:
    """A large slice, every pixel the least of itself and its neighbours."""
    cross = _ball(1)[1]
    work = _extreme(shape, dtype, "minimum_filter", {"footprint": cross})
    opencv_rival(work, lambda cv2, x, out: cv2.erode(x, cross.astype(np.uint8), dst=out), exact(1))
    return work


def _edges(op_name: str) -> Any:
    def build(shape: Shape, dtype: str) -> Work:
        """Differences along z of a head, smoothed along the others."""
        work = Work((head(shape, dtype),), lambda op, x, out: op(x, 0, out=out), agree=close(4e-6))
        scipy_rival(work, lambda ndimage, x, out: getattr(ndimage, op_name)(x, 0, output=out))
        return work

    return build


for _name in ("sobel", "prewitt"):
    case(_name, targets={"": 4})(_edges(_name))


@case("laplace", targets={"": 2})
def laplace_volume(shape: Shape, dtype: str) -> Work:
    """The sum of second differences of a head."""
    work = Work((head(shape, dtype),), lambda op, x, out: op(x, out=out), agree=close(2e-6))
    scipy_rival(work, lambda ndimage, x, out: ndimage.laplace(x, output=out))

    @work.rival("SimpleITK", agree=close(2e-6, border=1))
    def _simpleitk(x: Any) -> Call:
        sitk = load("SimpleITK")
        image = sitk_image(x)
        return lambda: sitk.Laplacian(image)

    return work


def _rows(op_name: str, argument: Any) -> Any:
    def build(shape: Shape, dtype: str) -> Work:
        """A head, weighted along its rows."""
        work = Work(
            (head(shape, dtype),), lambda op, x, out: op(x, argument, out=out), agree=close(2e-6)
        )
        scipy_rival(
            work, lambda ndimage, x, out: getattr(ndimage, op_name)(x, argument, output=out)
        )
        return work

    return build


case("correlate1d")(_rows("correlate1d", [0.1, 0.3, -0.4, 0.2, 0.5]))
case("convolve1d")(_rows("convolve1d", [0.1, 0.3, -0.4, 0.2, 0.5]))
case("uniform_filter1d")(_rows("uniform_filter1d", 9))


def _kernels(op_name: str) -> Any:
    def build(shape: Shape, dtype: str, size: int) -> Work:
        """A head under a cube of weights that no product of lines gives."""
        weights = np.random.default_rng(0).uniform(-1, 1, (size,) * 3)
        work = Work(
            (head(shape, dtype),), lambda op, x, out: op(x, weights, out=out), agree=close(1e-5)
        )
        scipy_rival(work, lambda ndimage, x, out: getattr(ndimage, op_name)(x, weights, output=out))
        return work

    return build


case("correlate", size=(3,))(_kernels("correlate"))
case("convolve", size=(3,))(_kernels("convolve"))


def _derivatives(op_name: str) -> Any:
    def build(shape: Shape, dtype: str, sigma: float) -> Work:
        """Derivatives of a smoothed head."""
        work = Work(
            (head(shape, dtype),), lambda op, x, out: op(x, sigma, out=out), agree=close(4e-6)
        )
        scipy_rival(work, lambda ndimage, x, out: getattr(ndimage, op_name)(x, sigma, output=out))
        return work

    return build


case("gaussian_laplace", sigma=(2,))(_derivatives("gaussian_laplace"))
case("gaussian_gradient_magnitude", sigma=(2,))(_derivatives("gaussian_gradient_magnitude"))


@case("hessian", sigma=(2,))
def hessian_volume(shape: Shape, dtype: str, sigma: float) -> Work:
    """All second derivatives of a head."""
    work = Work((head(shape, dtype),), lambda op, x: op(x, sigma), agree=close(4e-6), out=False)
    orders = ((2, 0, 0), (1, 1, 0), (1, 0, 1), (0, 2, 0), (0, 1, 1), (0, 0, 2))

    @work.rival("SciPy")
    def _scipy(x: Any) -> Call:
        ndimage = load("scipy.ndimage")
        return lambda: np.stack([ndimage.gaussian_filter(x, sigma, order) for order in orders])

    return work


@case("hessian_eigenvalues", sigma=(2,))
def hessian_eigenvalues_volume(shape: Shape, dtype: str, sigma: float) -> Work:
    """The eigenvalues of a head's second derivatives."""
    work = Work((head(shape, dtype),), lambda op, x: op(x, sigma), agree=close(1e-5), out=False)

    @work.rival("scikit-image", differs="differences of a smoothed image, largest first")
    def _skimage(x: Any) -> Call:
        feature = load("skimage.feature")

        def go() -> Any:
            matrix = feature.hessian_matrix(x, sigma, use_gaussian_derivatives=False)
            return feature.hessian_matrix_eigvals(matrix)

        return go

    return work


def _ridges(op_name: str) -> Any:
    def build(shape: Shape, dtype: str, sigma: float) -> Work:
        """Tubes of a head, at one scale."""
        work = Work((head(shape, dtype),), lambda op, x, out: op(x, sigma, out=out))

        if op_name != "objectness":

            @work.rival("scikit-image", differs="derivatives of its own, not scale-normalised")
            def _skimage(x: Any) -> Call:
                function = getattr(load("skimage.filters"), op_name)
                return lambda: function(x, [sigma], black_ridges=False)

        @work.rival("SimpleITK", "objectness", differs="differences, of an image not smoothed")
        def _simpleitk(x: Any) -> Call:
            sitk = load("SimpleITK")
            image = sitk_image(x)
            return lambda: sitk.ObjectnessMeasure(image)

        return work

    return build


for _name in ("frangi", "objectness", "sato", "meijering"):
    case(_name, targets={"": 25}, sigma=(2,))(_ridges(_name))


@case("structure_tensor", sigma=(1,))
def structure_tensor_volume(shape: Shape, dtype: str, sigma: float) -> Work:
    """Products of a head's differences, averaged."""
    work = Work((head(shape, dtype),), lambda op, x: op(x, sigma), agree=close(4e-6), out=False)

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        feature = load("skimage.feature")
        return lambda: np.stack(feature.structure_tensor(x, sigma, order="rc"))

    return work


@case("structure_tensor_eigenvalues")
def structure_tensor_eigenvalues_volume(shape: Shape, dtype: str) -> Work:
    """How much a head changes along its main directions."""
    image = head(shape, dtype)
    tensor = voxkern.structure_tensor(image)
    work = Work((image,), lambda op, x: op(tensor), agree=close(4e-6), out=False)

    @work.rival("scikit-image")
    def _skimage(x: Any) -> Call:
        feature = load("skimage.feature")
        return lambda: feature.structure_tensor_eigenvalues(list(tensor))

    return work


@case("rank_filter", dtypes=("float32", "uint8"), rank=(6,), size=(3,))
def rank_box(shape: Shape, dtype: str, rank: int, size: int) -> Work:
    """A head, every voxel the lower quartile of its cube."""
    return _extreme(shape, dtype, "rank_filter", {"rank": rank, "size": size})


@case("percentile_filter", dtypes=("float32", "uint8"), percentile=(80,), size=(3,))
def percentile_box(shape: Shape, dtype: str, percentile: int, size: int) -> Work:
    """A head, every voxel the 80th percentile of its cube."""
    return _extreme(shape, dtype, "percentile_filter", {"percentile": percentile, "size": size})
