"""report.html: one file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ._clock import Stage
from ._live import MARKS, heads_of, kept
from ._pictures import Photo, charts, field_window
from ._record import METRICS, percent
from ._style import CSS

if TYPE_CHECKING:
    from ._chain import Work

CARDS = (
    "registration_error_mm", "white_matter_dice", "white_matter_hd95_mm", "correlation_after",
)  # fmt: skip
PLANES = ("axial", "coronal", "sagittal")
VIEWS = ("from below", "from the front", "from the left")
# What lies at the left and the right edge of a picture.
SIDES = dict(zip((*PLANES, *VIEWS), ("RL", "RL", "AP", "RL", "RL", "AP"), strict=True))
# Features shown first, with their unit; all others follow folded.
HEADLINES = {
    "mean": "%", "variance": "%²", "skewness": "", "volume": "mm³", "surface_area": "mm²",
    "sphericity": "", "maximum_diameter": "mm", "contrast": "", "joint_entropy": "bit",
    "correlation": "",
}  # fmt: skip


def page(
    work: Work,
    stages: Sequence[Stage],
    record: Mapping[str, Any],
    pictures: Mapping[str, Sequence[Photo]],
) -> str:
    """Return the page."""
    drawn = charts(work, [s.name for s in stages], [s.seconds or 0.0 for s in stages])
    parts = [
        _head(work, stages, record),
        _scans(work, pictures),
        _enhancing(work, pictures),
        _registration(work, pictures),
        _fusion(pictures),
        _segmentation(work, pictures, drawn["histogram"]),
        _through(work, pictures),
        _features(work),
        _times(stages, record, drawn["times"]),
        _recipe(record),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>voxkern: {escape(_title(work))}</title><style>{CSS}</style></head>\n<body><main>"
        + "\n".join(parts)
        + "</main></body></html>\n"
    )


def _title(work: Work) -> str:
    if work.settings.fixed is None:
        return "two scans of the MNI152 brain"
    return " and ".join(one.name for one in work.inputs[:2])


def _head(work: Work, stages: Sequence[Stage], record: Mapping[str, Any]) -> str:
    total = sum(s.seconds or 0.0 for s in stages)
    cards = [
        _card(name, work.reached[name], record["promised"])
        for name in CARDS
        if name in work.reached
    ]
    threads = _count(record["threads"], "thread")
    cards.append(
        f'<div class="card"><b>{total:.1f} s</b><span>whole chain, on '
        f"{escape(record['backend'])}, {threads}</span></div>"
    )
    return (
        f"<header><p class=brand>voxkern {escape(record['versions']['voxkern'])}</p>"
        f"<h1>Report on {escape(_title(work))}</h1><p>{_story(work)}</p></header>"
        f'<section class="cards">{"".join(cards)}</section>{_verdicts(work, record["promised"])}'
    )


def _story(work: Work) -> str:
    how = work.settings
    if work.motion is None:
        return (
            "Two scans were denoised, freed of their bias fields, registered, fused, segmented and "
            "measured. No truth is known for these images, so nothing here is judged against one. "
            "The segmentation is made for T1-weighted brains without the skull: with it, the "
            "brightest tissue is the fat under the scalp."
        )
    story = (
        f"The second scan was made from the first: turned by {how.turn:g}° and shifted by "
        f"{how.shift:g} mm, its intensities times {how.gain:g}, under a smooth bias field of "
        f"{100 * how.bias:g} % and Rician noise of {100 * how.noise:g} % of the brightest tissue. "
        "Then both scans went through the chain below, which knows nothing of this."
    )
    if work.white is None:
        story += " No tissue map is known for this image, so the segmentation is not judged."
    return story


def _card(name: str, value: float, promises: Mapping[str, float]) -> str:
    words, form, promise = MARKS[name]
    good = kept(name, value, promises)
    color = {True: " good", False: " bad", None: ""}[good]
    promised = ""
    if good is not None:
        word = "reached" if good else "missed"
        promised = f"<em>promised {promise.format(promises[name])}: {word}</em>"
    return (
        f'<div class="card{color}"><b>{form.format(value)}</b>'
        f"<span>{escape(words)}</span>{escape_keep(promised)}</div>"
    )


def escape_keep(text: str) -> str:
    """Escape the comparison signs of a promise, not its tags."""
    return text.replace("promised <", "promised &lt;").replace("promised >", "promised &gt;")


def _verdicts(work: Work, promises: Mapping[str, float]) -> str:
    rows = []
    heads = heads_of(promises)
    for name, (words, form, promise) in MARKS.items():
        if name in work.reached:
            value = work.reached[name]
            good = kept(name, value, promises)
            wanted = promise.format(promises[name]) if good is not None else ""
            mark = {True: "✓", False: "✗", None: ""}[good]
            rows.append((words, form.format(value), f"{wanted} {mark}".strip())[: len(heads)])
    return _section("What was reached", "", _table(heads, rows))


def _scans(work: Work, pictures: Mapping[str, Sequence[Photo]]) -> str:
    made = work.motion is not None
    names = [one.name for one in work.inputs]
    second = "the second scan, as it was made" if made else names[1]
    text = (
        "As they came, each on its own grid. The patient's left (L) is on the right of axial and "
        "coronal pictures, the nose (A, anterior) on the left of sagittal ones. Grey runs from 0 "
        "to the brightest voxels but 0.3 %; below, in enhanced scans, from 0 to 125 %."
    )
    return _section(
        "The two scans",
        text,
        _figure(pictures["first"], PLANES, f"{names[0]}: {_grid(work.first)}"),
        _figure(pictures["second"], PLANES, f"{second}: {_grid(work.second)}"),
    )


def _grid(image: Any) -> str:
    shape = " &times; ".join(str(n) for n in image.shape)
    spacing = " &times; ".join(f"{v:.3g}" for v in image.spacing)
    return f"{shape} voxels of {spacing} mm (z &times; y &times; x), {image.orientation}"


def _enhancing(work: Work, pictures: Mapping[str, Sequence[Photo]]) -> str:
    enhanced = work.enhanced[1]
    field = np.log(enhanced.field[enhanced.brain])
    text = (
        "The median of each voxel and its six neighbours takes out noise. Otsu's "
        "threshold and binary morphology find the brain, in which N4 finds the bias field. Then "
        "the median of bright tissue is called 100 %, in both scans alike."
    )
    most = 100 * field_window(enhanced)
    caption = (
        f"second scan, axial; colours of the field from {-most:.0f} % (dark) to {most:+.0f} % "
        f"(yellow). Found: ±{100 * field.std():.1f} % (standard deviation)"
    )
    if work.made_field is not None:
        true = np.log(work.made_field[enhanced.brain])
        field, true = field - field.mean(), true - true.mean()
        agree = np.corrcoef(field, true)[0, 1]
        caption += f"; made: ±{100 * true.std():.1f} %, correlation of the two {agree:.2f}"
    labels = ("as it came", "denoised", "log of the bias field", "corrected")
    return _section("Denoise and enhance", text, _figure(pictures["enhancing"], labels, caption))


def _registration(work: Work, pictures: Mapping[str, Sequence[Photo]]) -> str:
    how = work.settings
    text = (
        f"A {how.transform} map that maximises {METRICS[how.metric]}, coarse to fine; the second "
        "scan is then read once, by cubic splines, on the grid of the first. Fields of the "
        "checkerboard show the first and the second scan in turn: edges run on where they agree."
    )
    return _section(
        "Register and resample",
        text,
        _figure(pictures["before"], PLANES, "checkerboard before registration"),
        _figure(pictures["after"], PLANES, "checkerboard after registration"),
        _table(("", "found", "true"), _motions(work)),
    )


def _motions(work: Work) -> list[tuple[str, ...]]:
    index = np.argwhere(work.enhanced[0].brain).mean(axis=0)
    middle = work.first.index_to_world(index)

    def told(transform: Any) -> list[str]:
        if transform is None:
            return ["unknown"] * 4
        u, _, v = np.linalg.svd(transform.linear)
        cosine = float(np.clip((np.trace(u @ v) - 1) / 2, -1, 1))
        move = transform.apply(middle) - middle
        return [f"{math.degrees(math.acos(cosine)):.3f}°", *[f"{m:+.3f} mm" for m in move[::-1]]]

    rows = ("turn", "brain's centre to the left", "... to the back", "... to the top")
    return list(zip(rows, told(work.found), told(work.motion), strict=True))


def _fusion(pictures: Mapping[str, Sequence[Photo]]) -> str:
    text = "First scan green, second scan magenta: where both agree the blend is grey."
    return _section(
        "Fuse",
        text,
        _figure(pictures["blend_before"], PLANES, "blend before registration"),
        _figure(pictures["blend_after"], PLANES, "blend after registration"),
        _figure(pictures["fused"], PLANES, "mean of both scans after registration"),
    )


def _segmentation(work: Work, pictures: Mapping[str, Sequence[Photo]], histogram: str) -> str:
    region = work.regions[0]
    known = work.settings.fixed is None
    name = "White matter" if known else "Bright tissue (white matter, in a T1-weighted brain)"
    text = (
        f"{name} is grown from a seed at the upper of two Otsu thresholds; both come from the "
        "image alone. The region is then opened, reduced to its largest part, and its holes filled."
    )
    colors = 'outlines: <i class="found"></i> found'
    if work.white is not None:
        colors += ', <i class="true"></i> truth (tissue map above one half)'
    seed = ", ".join(str(v) for v in region.seed)
    return _section(
        "Segment",
        text,
        _chart(histogram, f"histogram with the first scan's thresholds; seed at voxel ({seed})"),
        _figure(pictures["segmented_first"], PLANES, f"first scan; {colors}"),
        _figure(pictures["segmented_second"], PLANES, f"second scan, registered; {colors}"),
    )


def _through(work: Work, pictures: Mapping[str, Sequence[Photo]]) -> str:
    mask, lengths = work.regions[0].mask, work.first.spacing
    most = max(float(mask.sum(axis).max() * mm) for axis, mm in enumerate(lengths))
    thickness = f"white matter of the first scan on a line: 0 mm (dark) to {most:.0f} mm (bright)"
    text = "The brightest voxel of each line of sight; and how much white matter lies on it."
    return _section(
        "Look through",
        text,
        _figure(pictures["mip"], VIEWS, "first scan, maximum intensity projection"),
        _figure(
            pictures["depth"],
            VIEWS,
            thickness,
        ),
    )


def _features(work: Work) -> str:
    heads = ("", "first scan", "second scan", "change")
    first: list[tuple[str, ...]] = []
    everything: list[tuple[str, ...]] = []
    for family, rows in work.features.items():
        everything.append((f"<b>{escape(family)}</b>", "", "", ""))
        for name, (one, two) in rows.items():
            change = percent(one, two)
            shown = (_number(one), _number(two), "" if change is None else f"{change:+.1f} %")
            words = escape(name.replace("_", " "))
            everything.append((words, *shown))
            if name in HEADLINES and not any(r[0].startswith(words + " ") for r in first):
                unit = f" <small>{HEADLINES[name]}</small>" if HEADLINES[name] else " "
                first.append((words + unit, *shown))
    text = (
        "Of the segmented region, in both scans. Definitions are those of the Image Biomarker "
        f"Standardisation Initiative; texture from {work.settings.levels} grey levels. The head "
        "did not change between the scans: what changes is what noise and the chain add."
        if work.motion is not None
        else "Of the segmented region, in both scans, as the Image Biomarker Standardisation "
        f"Initiative defines them; texture from {work.settings.levels} grey levels."
    )
    folded = f"<summary>all {len(everything)} rows</summary>{_table(heads, everything)}"
    return _section("Measure", text, _table(heads, first), f"<details>{folded}</details>")


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "—"
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3e}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _times(stages: Sequence[Stage], record: Mapping[str, Any], chart: str) -> str:
    text = (
        f"{escape(record['machine'])}; device {record['device']}, backend "
        f"{escape(record['backend'])}, {_count(record['threads'], 'thread')}. Times are from the "
        "wall clock of one run, with nothing warmed up."
    )
    if record["ran_on_the_cpu"]:
        names = ", ".join(record["ran_on_the_cpu"])
        text += f" Without a CUDA schedule, and so on the CPU: {escape(names)}."
    rows = [(s.name, escape(s.what), f"{s.seconds:.2f}", escape(s.came)) for s in stages]
    table = _table(("stage", "what", "s", "what came out"), rows, words=True)
    return _section("Time", text, _chart(chart, "time per stage"), table)


def _recipe(record: Mapping[str, Any]) -> str:
    versions = [(escape(k), escape(str(v))) for k, v in record["versions"].items()]
    settings = [(escape(k), escape(str(v))) for k, v in record["settings"].items()]
    inputs = [
        (escape(one["name"]), f"<code>{one['sha256'][:16]}…</code>") for one in record["inputs"]
    ]
    return _section(
        "Run it again",
        "<code>voxkern demo --replay run.json</code> reads the same files, checks their hashes, "
        "runs the same parameters and says whether the same came out. Volumes are written as "
        f"NIfTI beside this page. {escape(record['created'])}.",
        '<div class="three">',
        _table(("parameter", ""), settings),
        _table(("input", "sha256"), inputs) + _table(("version of", ""), versions),
        "</div>",
    )


def _count(n: int, word: str) -> str:
    return f"{n} {word}" + ("s" if n != 1 else "")


def _section(title: str, text: str, *parts: str) -> str:
    words = f"<p>{text}</p>" if text else ""
    return f"<section><h2>{escape(title)}</h2>{words}{''.join(parts)}</section>"


def _figure(pictures: Sequence[Photo], labels: Sequence[str], caption: str) -> str:
    cells = "".join(
        f'<div class="picture"><img src="{p.uri}" alt="{escape(label)}">'
        + "".join(f"<b>{side}</b>" for side in SIDES.get(label, ""))
        + f"<span>{escape(label)}</span></div>"
        for p, label in zip(pictures, labels, strict=True)
    )
    widths = " ".join(f"{p.width}fr" for p in pictures)
    return (
        f'<figure><div class="row n{len(pictures)}" style="--w:{widths}">{cells}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _chart(uri: str, caption: str) -> str:
    return (
        f'<figure class="chart"><img src="{uri}" alt="{escape(caption)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, words: bool = False) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    kind = ' class="words"' if words else ""
    return (
        f'<div class="wide"><table{kind}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
