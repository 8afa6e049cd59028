"""Draw the gallery: each filter on a real brain, the call that made it over each picture.

Usage: python docs/gallery.py [GROUP ...]     (needs voxkern[demo])
Writes docs/gallery/<group>.png and docs/gallery.md.
"""

import sys
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
            "vk.unsharp_mask(brain, 1.5, 2)",
            "vk.hessian_eigenvalues(brain, 1)[0]",
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
            "vk.remove_spikes(spots, least=20)",
            "vk.inpaint(spots, spots == 140)",
            "speckled",
            "vk.despeckle(speckled, noise=0.16)",
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
            "vk.binary_opening(brain > 60, radius=2)",
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
        plane = volume[volume.shape[0] // 2][::-1]
        axes = figure.add_subplot(rows, columns, k + 1)
        low, high = np.percentile(plane, (0.5, 99.8))
        axes.imshow(plane, cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
        shown = call.removeprefix("vk.")
        axes.set_title(shown.replace(", ", ",\n", 1) if len(shown) > 32 else shown, fontsize=8)
        axes.set_axis_off()
        print(group, call, flush=True)
    figure.savefig(HERE / "gallery" / f"{group}.png", pil_kwargs={"optimize": True})


def main():
    """Draw the groups asked for, and write the page of all."""
    names = scans()
    lines = [
        "# Gallery",
        "",
        "Each filter in three dimensions on the MNI152 T1 brain, one slice of the answer shown;",
        "`noisy` has Rician noise, `shaded` a bias field. Made by `python docs/gallery.py`.",
    ]
    for group, (title, calls) in GROUPS.items():
        if not sys.argv[1:] or group in sys.argv[1:]:
            draw(group, names)
        lines += ["", f"## {title}", "", f"![{title}](gallery/{group}.png)", ""]
        lines += ["```python", *(f"voxkern.{c[3:]}" for c in calls if c[:3] == "vk."), "```"]
    (HERE / "gallery.md").write_text("\n".join(lines).replace("(vk.", "(voxkern.") + "\n")


if __name__ == "__main__":
    main()
