"""On a real brain: denoisers gain as much as the peers do, and a simulated field is found."""

import numpy as np
import pytest

import voxkern
from voxkern import n4_bias_correction

datasets = pytest.importorskip("nilearn.datasets", reason="pip install nilearn for its brain")
metrics = pytest.importorskip("skimage.metrics", reason="pip install scikit-image to compare")
restoration = pytest.importorskip("skimage.restoration")

SIGMA = 6.0
SAME = np.array([1e-3, 1e-4])  # what rounding may cost, in dB and in likeness
BEHIND = {"bm4d": np.array([0.01, 0.0005])}  # other limits: a little more here, less there


@pytest.fixture(scope="module")
def truth():
    brain = np.asarray(datasets.load_mni152_template(resolution=2).dataobj, np.float32)
    return brain[15:85, 20:95, 15:65] * np.float32(100 / brain.max())


@pytest.fixture(scope="module")
def noisy(truth):
    """The magnitude of a complex image with noise in both channels."""
    rng = np.random.default_rng(3)
    real = truth + SIGMA * rng.standard_normal(truth.shape)
    return np.hypot(real, SIGMA * rng.standard_normal(truth.shape)).astype(np.float32)


def gain(image, noisy, truth):
    """How much nearer to the truth an image is than before, as PSNR in dB and as SSIM."""
    of = {"data_range": np.ptp(truth)}
    return np.array(
        [
            metrics.peak_signal_noise_ratio(truth, image, **of)
            - metrics.peak_signal_noise_ratio(truth, noisy, **of),
            metrics.structural_similarity(truth, image, win_size=7, **of)
            - metrics.structural_similarity(truth, noisy, win_size=7, **of),
        ]
    )


def median(x):
    ndimage = pytest.importorskip("scipy.ndimage")
    return voxkern.median_filter(x, 3), ndimage.median_filter(x, 3)


def bilateral(x):
    sitk = pytest.importorskip("SimpleITK")
    theirs = sitk.Bilateral(sitk.GetImageFromArray(x), 1.0, 3 * SIGMA)
    return voxkern.denoise_bilateral(x, 1.0, 3 * SIGMA), sitk.GetArrayFromImage(theirs)


def nl_means(x, fast):
    h = 0.8 * SIGMA
    theirs = restoration.denoise_nl_means(
        x, 3, 3, h, sigma=SIGMA, fast_mode=fast, preserve_range=True
    )
    return voxkern.denoise_nl_means(x, 3, 3, h, SIGMA, fast=fast), theirs


def rician_nl_means(x):
    nlmeans = pytest.importorskip("dipy.denoise.nlmeans", reason="pip install dipy")
    theirs = nlmeans.nlmeans(x, sigma=SIGMA, patch_radius=1, block_radius=4, rician=True)
    return voxkern.denoise_nl_means(x, 3, 3, sigma=SIGMA, rician=True), theirs


def bm4d(x):
    program = pytest.importorskip("bm4d", reason="pip install bm4d")
    return voxkern.denoise_bm4d(x, SIGMA), program.bm4d(x.astype(float), SIGMA)


def diffusion(x, kind):
    sitk = pytest.importorskip("SimpleITK")
    run = getattr(sitk, f"{kind.capitalize()}AnisotropicDiffusion")
    theirs = sitk.GetArrayFromImage(run(sitk.GetImageFromArray(x), 0.0625, 2.0, 1, 5))
    return voxkern.anisotropic_diffusion(x, 5, 2.0, kind, time_step=0.0625), theirs


def total_variation(x):
    theirs = restoration.denoise_tv_chambolle(x, SIGMA)
    return voxkern.denoise_tv(x, SIGMA), theirs


def wavelets(x):
    pytest.importorskip("pywt", reason="pip install PyWavelets")
    return voxkern.denoise_wavelet(x, SIGMA), restoration.denoise_wavelet(x, SIGMA)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "more"),
    [
        (median, ()),
        (bilateral, ()),
        (nl_means, (True,)),
        (nl_means, (False,)),
        (rician_nl_means, ()),
        (bm4d, ()),
        (diffusion, ("gradient",)),
        (diffusion, ("curvature",)),
        (total_variation, ()),
        (wavelets, ()),
    ],
)
def test_a_denoiser_gains_as_much_as_the_peer_with_the_same_parameters(run, more, noisy, truth):
    ours, theirs = run(noisy, *more)
    won = gain(ours, noisy, truth)
    theirs = gain(theirs.astype(np.float32), noisy, truth)
    print(run.__name__, more, won, theirs)
    assert (won > 0).all()
    assert (won >= theirs - BEHIND.get(run.__name__, SAME)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["denoise_nl_means", "denoise_bm4d"])
def test_knowing_that_noise_is_rician_gains_more(name, noisy, truth):
    denoise = getattr(voxkern, name)
    plain = denoise(noisy, sigma=SIGMA)
    knowing = denoise(noisy, sigma=SIGMA, rician=True)
    assert (gain(knowing, noisy, truth) > gain(plain, noisy, truth)).all()


FIELDS = (
    lambda z, y, x: 0.35 * y - 0.25 * x**2 + 0.2 * z * y,
    lambda z, y, x: -0.4 * z + 0.3 * x * y,
    lambda z, y, x: -np.log(1 + 0.5 * ((z - 0.4) ** 2 + (x + 0.3) ** 2)),
)


@pytest.mark.slow
def test_n4_finds_simulated_fields_and_leaves_tissue_as_even_as_itk_does():
    sitk = pytest.importorskip("SimpleITK", reason="pip install SimpleITK to compare with it")
    brain = np.asarray(datasets.load_mni152_template(resolution=2).dataobj, np.float32).T
    inside = brain > 0.2 * brain.max()
    even = n4_bias_correction(brain, inside, shrink=2)
    classes = np.digitize(even, voxkern.threshold_multiotsu(even, 3, mask=inside))
    places = np.meshgrid(*(np.linspace(-1, 1, n) for n in brain.shape), indexing="ij")

    def alike(a, b):
        return np.corrcoef(np.log(a[inside]), b[inside])[0, 1]

    def spread(image, tissue):
        values = image[inside & (classes == tissue)]
        return values.std() / values.mean()

    ratios = []
    for of in FIELDS:
        field = of(*places).astype(np.float32)
        shaded = even * np.exp(field)
        corrected, found = n4_bias_correction(shaded, inside, return_field=True)
        image = sitk.GetImageFromArray(shaded)
        mask = sitk.GetImageFromArray(inside.astype(np.uint8))
        n4 = sitk.N4BiasFieldCorrectionImageFilter()
        n4.Execute(sitk.Shrink(image, [4] * 3), sitk.Shrink(mask, [4] * 3))
        itk = np.exp(sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)))
        print(alike(found, field), alike(itk, field))
        assert alike(found, field) >= 0.99
        assert alike(found, np.log(itk)) >= 0.99
        for tissue in (1, 2):  # grey and white matter
            assert spread(corrected, tissue) < 0.6 * spread(shaded, tissue)
            ratios.append(spread(corrected, tissue) / spread(shaded / itk, tissue))
    # ITK's field is stretched a little, which is better here and worse there.
    print(ratios)
    assert np.mean(ratios) <= 1
