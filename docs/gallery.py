"""Draw the gallery: each filter on a real brain, the call that made it over each picture.

Usage: python docs/gallery.py [GROUP ...]     (needs voxkern[demo])
Writes docs/gallery/<group>.png and docs/gallery.md.
"""

import functools
import sys
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import voxkern
from voxkern.demo._inputs import load
from voxkern.demo._settings import Settings

HERE = Path(__file__).parent
rng = np.random.default_rng(0)


def rician(image, sigma):
    """An MR magnitude image with the noise of its two channels."""
    real = image + sigma * rng.standard_normal(image.shape, np.float32)
    return np.hypot(real, sigma * rng.standard_normal(image.shape, np.float32))


def truncated(image):
    """An image whose planes lack the outer half of their frequencies."""
    spectrum = np.fft.fftshift(np.fft.fft2(image), axes=(1, 2))
    rows, columns = (np.abs(np.linspace(-1, 1, n)) < 0.5 for n in image.shape[1:])
    spectrum *= rows[:, None] & columns
    return np.abs(np.fft.ifft2(np.fft.ifftshift(spectrum, axes=(1, 2)))).astype(np.float32)


def balls(shape, blobs):
    """The blobs found, as balls."""
    drawn = np.zeros(shape, np.float32)
    grid = np.indices(shape, np.float32)
    for *middle, sigma in blobs:
        square = sum((g - m) ** 2 for g, m in zip(grid, middle, strict=True))
        drawn[square < 3 * sigma**2] = sigma
    return drawn


def scans():
    """What the calls below speak of."""
    first = load(Settings(quick=True)).first.image
    brain = first.data.astype(np.float32)
    brain *= np.float32(100 / brain.max())
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in brain.shape), indexing="ij")
    shade = np.exp(0.5 * grid[1] - 0.4 * grid[2] ** 2).astype(np.float32)
    spots = brain.copy()
    spots[rng.random(brain.shape) < 0.03] = 140
    return {
        "vk": voxkern,
        "np": np,
        "brain": brain,
        "noisy": rician(brain, np.float32(6)),
        "shaded": rician(brain * shade, np.float32(2)),
        "spots": spots,
        "speckled": brain * rng.gamma(40, 1 / 40, brain.shape).astype(np.float32),
        "head": brain > 20,
        "uneven": brain * (1 + 0.15 * (np.arange(brain.shape[1]) % 2))[:, None].astype(np.float32),
        "striped": brain * rng.normal(1, 0.1, brain.shape[2]).astype(np.float32),
        "ringing": truncated(brain),
        "balls": functools.partial(balls, brain.shape),
        "spacing": first.spacing,
    }


# group: what it is for, and (input, call) in the order in which they are shown.
GROUPS = {
    "linear": (
        "Linear filters",
        [
            "brain",
            "vk.gaussian_filter(brain, 1.5)",
            "vk.uniform_filter(brain, 5)",
            "vk.sobel(brain, axis=1)",
            "vk.laplace(brain)",
            "vk.gaussian_laplace(brain, 1.5)",
            "vk.gaussian_gradient_magnitude(brain, 1)",
            "vk.gradient_magnitude(brain)",
            "vk.prewitt(brain, axis=2)",
            "vk.unsharp_mask(brain, 1.5, 2)",
            "vk.hessian_eigenvalues(brain, 1)[0]",
            "vk.local_mean(brain, 7)",
        ],
    ),
    "ridges": (
        "Ridges and edges",
        [
            "brain",
            "vk.frangi(brain, (1, 2))",
            "vk.sato(brain, (1, 2), black_ridges=True)",
            "vk.meijering(brain, (1, 2), black_ridges=True)",
            "vk.objectness(brain, 1.5, object_dimension=2)",
            "vk.structure_tensor_eigenvalues(vk.structure_tensor(brain))[0]",
            "vk.canny(brain, 1.5, 40, 80)",
            "balls(vk.blob_log(-brain / 100, 2, 5, 4, threshold=0.1))",
        ],
    ),
    "denoise": (
        "Denoising that keeps edges",
        [
            "noisy",
            "vk.median_filter(noisy, 3)",
            "vk.denoise_bilateral(noisy, 1.5, 15)",
            "vk.denoise_nl_means(noisy, 3, 3, h=6, sigma=6, rician=True)",
            "vk.denoise_bm4d(noisy, 6, rician=True)",
            "vk.anisotropic_diffusion(noisy, 8, 2)",
            "vk.denoise_tv(noisy, 8)",
            "vk.denoise_wavelet(noisy)",
        ],
    ),
    "texture": (
        "Texture filters of IBSI-2",
        [
            "brain",
            'vk.laws(brain, "L5E5E5")',
            'vk.laws(brain, "L5S5E5", rotation_invariant=True, energy=3)',
            "vk.gabor(brain, 3, 8, theta=0.8)",
            "vk.gabor(brain, 3, 8, step=0.8)",
            'vk.wavelet(brain, "coif1", "LHH")',
            "vk.simoncelli(brain, 2)",
            "vk.riesz(vk.simoncelli(brain, 2), (0, 1, 0))",
        ],
    ),
    "rank": (
        "Rank filters",
        [
            "spots",
            "vk.median_filter(spots, 3)",
            "vk.percentile_filter(spots, 25, 3)",
            "vk.rank_filter(spots, 4, 3)",
            "vk.minimum_filter(spots, 3)",
            "vk.maximum_filter(brain, 3)",
            "vk.local_std(brain, 5)",
            "vk.local_entropy(brain.astype(np.uint8), 5)",
        ],
    ),
    "correct": (
        "Artifacts and intensities",
        [
            "shaded",
            "vk.n4_bias_correction(shaded, shaded > 10)",
            "vk.window(brain, 60, 50)",
            "vk.gamma(brain, 0.5)",
            "vk.equalize_hist(brain)",
            "vk.equalize_adapthist(brain / 100)",
            "vk.match_histograms(shaded, brain)",
            "vk.zscore(brain, head)",
            "spots",
            "vk.remove_spikes(spots, threshold=2, least=20)",
            "vk.inpaint(spots, spots == 140)",
            "speckled",
            "vk.despeckle(speckled, noise=0.16)",
            "uneven",
            "vk.correct_slice_intensity(uneven, axis=1)",
            "striped",
            'vk.remove_stripes(striped, "fourier-wavelet")',
            "ringing",
            "vk.gibbs_unring(ringing)",
            "vk.clip_percentile(brain, 60, 99)",
            "vk.white_stripe(brain, head)",
        ],
    ),
    "morphology": (
        "Morphology",
        [
            "brain",
            "vk.grey_erosion(brain, 3)",
            "vk.grey_dilation(brain, 3)",
            "vk.morphological_gradient(brain, 3)",
            "vk.white_tophat(brain, 5)",
            "vk.black_tophat(brain, 5)",
            "vk.grey_opening(brain, radius=3)",
            "vk.grey_closing(brain, radius=3)",
            "brain > 60",
            "vk.binary_erosion(brain > 60, radius=1)",
            "vk.binary_dilation(brain > 60, radius=1)",
            "vk.binary_opening(brain > 60, radius=2)",
            "vk.binary_closing(brain > 60, radius=2)",
            "vk.fill_holes(brain > 60)",
            "vk.distance_transform_edt(head)",
            "vk.skeletonize(brain > 60)",
            "spots",
            "vk.area_opening(spots, 30)",
            "vk.reconstruction(vk.grey_erosion(brain, 7), brain)",
        ],
    ),
}


def draw(group, names):
    """Draw one group's picture."""
    title, calls = GROUPS[group]
    columns = 4
    rows = -(-len(calls) // columns)
    figure = Figure(figsize=(3.2 * columns, 3.9 * rows), dpi=80, layout="constrained")
    figure.suptitle(title)
    for k, call in enumerate(calls):
        volume = np.asarray(eval(call, names), np.float32)  # the calls above, and nothing else
        plane = volume[volume.shape[0] // 2][::-1, ::-1]  # the nose up, left on the right
        axes = figure.add_subplot(rows, columns, k + 1)
        low, high = np.percentile(plane, (0.5, 99.8))
        axes.imshow(plane, cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
        shown = call.replace("vk.", "")
        axes.set_title(textwrap.fill(shown, 38, break_on_hyphens=False), fontsize=8)
        axes.set_axis_off()
        print(group, call, flush=True)
    figure.savefig(HERE / "gallery" / f"{group}.png", pil_kwargs={"optimize": True})


def main():
    """Draw the groups asked for, and write the page of all."""
    names = scans()
    lines = [
        "# Gallery",
        "",
        "Each filter in three dimensions on the MNI152 T1 brain at 2 mm. One axial slice is shown",
        "as radiologists look at it, the patient's left on the right, each in its own window from",
        "the 0.5th to the 99.8th percentile. `noisy` has Rician noise, `shaded` a bias field,",
        "`spots` bright voxels, `ringing` lacks high frequencies: `python docs/gallery.py`.",
    ]
    for group, (title, calls) in GROUPS.items():
        if not sys.argv[1:] or group in sys.argv[1:]:
            draw(group, names)
        lines += ["", f"## {title}", "", f"![{title}](gallery/{group}.png)", ""]
        lines += ["```python", *(f"voxkern.{c[3:]}" for c in calls if c[:3] == "vk."), "```"]
    (HERE / "gallery.md").write_text("\n".join(lines).replace("(vk.", "(voxkern.") + "\n")


if __name__ == "__main__":
    main()
