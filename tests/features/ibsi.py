"""The digital phantom of IBSI-1 and its consensus values."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

# The Image Biomarker Standardisation Initiative's digital phantom by Alex Zwanenburg, licensed
# under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/); voxels of 2 mm.
IMAGE = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [1, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 9, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)
MASK = np.ones(IMAGE.shape, bool)
MASK[1, 2, 0] = MASK[2, 2, 2] = False
MASK[2:, 0, 3:] = False
SPACING = 2.0


# Consensus values of the digital phantom: the reference's tag, and the value as written there.
STATISTICS = {
    "mean": ("stat_mean", 2.15),
    "variance": ("stat_var", 3.05),
    "skewness": ("stat_skew", 1.08),
    "kurtosis": ("stat_kurt", -0.355),
    "median": ("stat_median", 1),
    "minimum": ("stat_min", 1),
    "percentile_10": ("stat_p10", 1),
    "percentile_90": ("stat_p90", 4),
    "maximum": ("stat_max", 6),
    "interquartile_range": ("stat_iqr", 3),
    "range": ("stat_range", 5),
    "mean_absolute_deviation": ("stat_mad", 1.55),
    "robust_mean_absolute_deviation": ("stat_rmad", 1.11),
    "median_absolute_deviation": ("stat_medad", 1.15),
    "coefficient_of_variation": ("stat_cov", 0.812),
    "quartile_coef_of_dispersion": ("stat_qcod", 0.6),
    "energy": ("stat_energy", 567),
    "root_mean_square": ("stat_rms", 2.77),
    "entropy": ("ih_entropy", 1.27),
    "uniformity": ("ih_uniformity", 0.512),
}

# And its tolerance.
MORPHOLOGY = {
    "volume": ("morph_volume", 556, 4),
    "approximate_volume": ("morph_vol_approx", 592, 4),
    "surface_area": ("morph_area_mesh", 388, 3),
    "surface_to_volume_ratio": ("morph_av", 0.698, 0.004),
    "compactness_1": ("morph_comp_1", 0.0411, 0.0003),
    "compactness_2": ("morph_comp_2", 0.599, 0.004),
    "spherical_disproportion": ("morph_sph_dispr", 1.19, 0.01),
    "sphericity": ("morph_sphericity", 0.843, 0.005),
    "asphericity": ("morph_asphericity", 0.186, 0.001),
    "centre_of_mass_shift": ("morph_com", 0.672, 0.004),
    "maximum_diameter": ("morph_diam", 13.1, 0.1),
    "major_axis_length": ("morph_pca_maj_axis", 11.4, 0.1),
    "minor_axis_length": ("morph_pca_min_axis", 9.31, 0.06),
    "least_axis_length": ("morph_pca_least_axis", 8.54, 0.05),
    "elongation": ("morph_pca_elongation", 0.816, 0.005),
    "flatness": ("morph_pca_flatness", 0.749, 0.005),
    "volume_density_aabb": ("morph_vol_dens_aabb", 0.869, 0.005),
    "area_density_aabb": ("morph_area_dens_aabb", 0.866, 0.005),
    "volume_density_aee": ("morph_vol_dens_aee", 1.17, 0.01),
    "area_density_aee": ("morph_area_dens_aee", 1.36, 0.01),
    "integrated_intensity": ("morph_integ_int", 1200, 10),
}

# Averaged over directions, and of the merged matrix; tags end in _3D_avg and _3D_comb.
TEXTURE = {
    "joint_maximum": ("cm_joint_max", 0.503, 0.509),
    "joint_average": ("cm_joint_avg", 2.14, 2.15),
    "joint_variance": ("cm_joint_var", 3.1, 3.13),
    "joint_entropy": ("cm_joint_entr", 2.4, 2.57),
    "difference_average": ("cm_diff_avg", 1.43, 1.38),
    "difference_variance": ("cm_diff_var", 3.06, 3.21),
    "difference_entropy": ("cm_diff_entr", 1.56, 1.64),
    "sum_average": ("cm_sum_avg", 4.29, 4.3),
    "sum_variance": ("cm_sum_var", 7.07, 7.41),
    "sum_entropy": ("cm_sum_entr", 1.92, 2.11),
    "angular_second_moment": ("cm_energy", 0.303, 0.291),
    "contrast": ("cm_contrast", 5.32, 5.12),
    "dissimilarity": ("cm_dissimilarity", 1.43, 1.38),
    "inverse_difference": ("cm_inv_diff", 0.677, 0.688),
    "normalised_inverse_difference": ("cm_inv_diff_norm", 0.851, 0.856),
    "inverse_difference_moment": ("cm_inv_diff_mom", 0.618, 0.631),
    "normalised_inverse_diff_moment": ("cm_inv_diff_mom_norm", 0.898, 0.902),
    "inverse_variance": ("cm_inv_var", 0.0604, 0.0574),
    "correlation": ("cm_corr", 0.157, 0.183),
    "autocorrelation": ("cm_auto_corr", 5.06, 5.19),
    "cluster_tendency": ("cm_clust_tend", 7.07, 7.41),
    "cluster_shade": ("cm_clust_shade", 16.6, 17.4),
    "cluster_prominence": ("cm_clust_prom", 145, 147),
    "information_correlation_1": ("cm_info_corr1", -0.157, -0.0288),
    "information_correlation_2": ("cm_info_corr2", 0.52, 0.269),
}


def consensus() -> dict[str, tuple[float, float]]:
    """Return the reference file's values and tolerances by tag; skips where it is not at hand."""
    root = os.environ.get("VOXKERN_DATA", Path(__file__).parents[3] / "shared" / "data")
    path = Path(root) / "ibsi1_digital_phantom" / "reference_values.csv"
    if not path.is_file():
        pytest.skip("set VOXKERN_DATA to a folder with ibsi1_digital_phantom/reference_values.csv")
    with path.open() as file:
        rows = [r for r in csv.DictReader(file, delimiter=";") if r["reference value"]]
    return {r["tag"]: (float(r["reference value"]), float(r["tolerance"])) for r in rows}


def three_digits(value: float) -> float:
    """Return a number rounded to three digits, as the reference has them."""
    return float(f"{value:.3g}")
