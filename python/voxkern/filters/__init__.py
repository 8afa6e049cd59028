"""Filters: what turns an image into an image of the same shape."""

from ._bilateral import denoise_bilateral
from ._bm4d import denoise_bm4d
from ._canny import canny
from ._clahe import equalize_adapthist
from ._correlate import convolve, correlate
from ._correlate1d import convolve1d, correlate1d, prewitt, sobel
from ._curve import equalize_hist, gamma, match_histograms
from ._diffusion import anisotropic_diffusion
from ._extreme import maximum_filter, maximum_filter1d, minimum_filter, minimum_filter1d
from ._gabor import gabor
from ._gaussian import gaussian_filter
from ._gibbs import gibbs_unring
from ._gradient import gradient, gradient_magnitude
from ._inpaint import inpaint
from ._jet import gaussian_gradient_magnitude, gaussian_laplace, hessian, hessian_eigenvalues
from ._laplace import laplace
from ._laws import laws
from ._local import local_mean, local_std
from ._local_entropy import local_entropy
from ._median import median_filter
from ._mppca import denoise_mppca
from ._n4 import n4_bias_correction
from ._nl_means import denoise_nl_means
from ._noise import estimate_sigma
from ._nyul import NyulStandardizer
from ._pool import MAGNITUDE as MAGNITUDE
from ._pool import join as join
from ._rank import percentile_filter, rank_filter
from ._rescale import clip_percentile, pet_suv, rescale, white_stripe, window, zscore
from ._ridge import frangi, meijering, objectness, sato
from ._simoncelli import riesz, simoncelli
from ._slices import correct_slice_intensity
from ._spikes import remove_spikes
from ._srad import despeckle
from ._stripes import remove_stripes
from ._structure_tensor import structure_tensor, structure_tensor_eigenvalues
from ._tv import denoise_tv
from ._uniform import uniform_filter, uniform_filter1d
from ._unsharp import unsharp_mask
from ._wavelet import wavelet
from ._wavelet_denoise import denoise_wavelet

__all__ = [
    "NyulStandardizer",
    "anisotropic_diffusion",
    "canny",
    "clip_percentile",
    "convolve",
    "convolve1d",
    "correct_slice_intensity",
    "correlate",
    "correlate1d",
    "denoise_bilateral",
    "denoise_bm4d",
    "denoise_mppca",
    "denoise_nl_means",
    "denoise_tv",
    "denoise_wavelet",
    "despeckle",
    "equalize_adapthist",
    "equalize_hist",
    "estimate_sigma",
    "frangi",
    "gabor",
    "gamma",
    "gaussian_filter",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "gibbs_unring",
    "gradient",
    "gradient_magnitude",
    "hessian",
    "hessian_eigenvalues",
    "inpaint",
    "laplace",
    "laws",
    "local_entropy",
    "local_mean",
    "local_std",
    "match_histograms",
    "maximum_filter",
    "maximum_filter1d",
    "median_filter",
    "meijering",
    "minimum_filter",
    "minimum_filter1d",
    "n4_bias_correction",
    "objectness",
    "percentile_filter",
    "pet_suv",
    "prewitt",
    "rank_filter",
    "remove_spikes",
    "remove_stripes",
    "rescale",
    "riesz",
    "sato",
    "simoncelli",
    "sobel",
    "structure_tensor",
    "structure_tensor_eigenvalues",
    "uniform_filter",
    "uniform_filter1d",
    "unsharp_mask",
    "wavelet",
    "white_stripe",
    "window",
    "zscore",
]
