"""Learning page: docs/results.md from the numbers of the learning benchmarks.

In: learning.json (frozen networks) and networks.json (all layers trained). Out: Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.learning_arms import ALIGNED, GUESSED, ON_ALL_PHOTOS, PER_CLASS, RENDERS, photos_arm
from benchmarks.paired import right_shares
from blendgen.learn.measures import Share
from blendgen.learn.paired import points

FROZEN, NETWORKS = "learning.json", "networks.json"
_HEAD = """# What renders are worth: measured

<!-- made by `make results`; do not edit -->

`make results CARDS=path` renders playing cards with several specs and tests classifiers on real photos of
cards. Percent, with 95 % intervals: of Wilson for an accuracy, of a bootstrap over photos for a difference.
The intervals do not cover how much a training differs from the next one; the gains of each seed show it.

The photos are 670 crops of a real deck, taken by phone (from [a tutorial][photos], Apache-2.0); the
models are cards with [faces of another maker][faces] (MIT).

[photos]: https://github.com/EdjeElectronics/TensorFlow-Object-Detection-API-Tutorial-Train-Multiple-Objects-Windows-10
[faces]: https://github.com/hayeah/playing-cards-assets
"""
_TRAINED = """## All layers trained

`{backbone}` ({package} {version}) at {size} pixels, {images} renders of each spec, {photos} photos for
testing, means of {seeds} trainings, each with other photos. Renders only are also tested on the other {pool}
photos. Which photo was right is in [networks.json](results/networks.json).
"""
_FROZEN = """## Frozen network

A linear head on a frozen `{backbone}` ({package} {version}), {images} renders of each spec,
{photos} photos for testing, means of {seeds} choices of photos.
Which photo was right is in [learning.json](results/learning.json).
"""
_GAINED = "\nGains on the same photos, percentage points:\n"
_SPECS = "\nRenders only, and what [`blendgen compare`](matching.md) says of the same renders:\n"
_CORRELATED = """
Rank correlation (Spearman) of each distance with the accuracy of renders only, over these {count} sets of
images. A distance that predicts accuracy has a correlation near -1, and the shares of photos covered and of
realistic images near +1. So few sets show strong relations only.
"""
_WITHOUT_LABELS = {
    RENDERS: "renders only",
    ALIGNED: "renders only, aligned with unlabelled photos",
    GUESSED: "renders, and unlabelled photos with pseudo-labels",
}
_DISTANCES = {
    "kid": "kernel distance (KID)",
    "coverage": "photos covered",
    "precision": "images realistic (precision)",
    "two_sample_accuracy": "separated by a linear classifier",
    "mean_difference_spreads": "mean difference of the statistics",
    "statistics_that_differ": "number of statistics that differ",
}


def write_page(folder: Path) -> None:
    """results.md next to the folder with the numbers."""
    both = [
        json.loads(path.read_text()) if (path := folder / name).exists() else None
        for name in (FROZEN, NETWORKS)
    ]
    (folder.parent / "results.md").write_text(results_page(*both))


def results_page(frozen: dict[str, Any] | None, trained: dict[str, Any] | None) -> str:
    """None: not measured"""
    parts = [_HEAD]
    for values, text in ((trained, _TRAINED), (frozen, _FROZEN)):
        if values is not None:
            parts += _section(values, text)
    changes = {name: one for name, one in (frozen or {}).get("variants", {}).items() if one}
    if changes:
        parts += _changes(changes)
    return "\n".join(parts) + "\n"


def _section(values: dict[str, Any], text: str) -> Iterator[str]:
    results, backbone, seeds = values["results"], values["backbone"], values["seeds"]
    arms = results["base"]["arms"]
    photos, everything = len(arms[RENDERS][0]), len(arms[ON_ALL_PHOTOS][0])
    yield text.format(
        backbone=backbone["name"], package=backbone["package"], version=backbone["package_version"],
        images=values["images"], photos=photos, pool=everything - photos, seeds=seeds,
        size=values.get("size"),
    )  # fmt: skip
    yield from _table(("trained on", "photos only", "photos and renders"), _photo_rows(arms, seeds))
    yield _GAINED
    gains = [
        (one["name"], points(one), ", ".join(f"{100 * seed:+.1f}" for seed in one["by_seed"]))
        for one in values["differences"]
    ]
    yield from _table(("gain of", "points", "each seed"), gains)
    yield _SPECS
    yield from _table(
        ("images", "all photos", "aligned", "KID x 1000", "photos covered", "statistics that differ"),
        [_variant_row(name, one, seeds) for name, one in results.items()],
    )
    if "refined" in values:
        own = values["refined"]
        left = sum(own["left"].values())
        count = own["refined"] + left
        yield f"\n*refined*: `base` after `blendgen refine`, which left {left} of {count} as they were."
    yield _CORRELATED.format(count=len(results))
    rows = [
        (_DISTANCES[one["distance"]], _number(one["correlation"], "+.2f"), _number(one["p"], ".2f"))
        for one in values["rank_correlations"]
    ]
    yield from _table(("distance", "correlation", "p"), rows)
    yield ""


def _changes(variants: dict[str, Any]) -> Iterator[str]:
    yield "## Specs"
    yield ""
    yield "What is changed in each spec, compared with `benchmarks/cards.yaml`:"
    yield ""
    yield from (
        f"- *{name}*: " + ", ".join(f"`{key}: {value}`" for key, value in one.items())
        for name, one in variants.items()
    )


def _photo_rows(arms: dict[str, list[str]], seeds: int) -> Iterator[tuple[str, str, str]]:
    for arm, text in _WITHOUT_LABELS.items():
        if arm in arms:
            yield text, "", _accuracy(arms[arm], seeds)
    for count in (*PER_CLASS, None):
        both = [arms.get(photos_arm(count, is_mixed)) for is_mixed in (False, True)]
        if any(both):
            yield photos_arm(count, False), *("" if arm is None else _accuracy(arm, seeds) for arm in both)


def _variant_row(name: str, one: dict[str, Any], seeds: int) -> tuple[str, ...]:
    return (
        name, *(_accuracy(one["arms"][arm], seeds) for arm in (ON_ALL_PHOTOS, ALIGNED)),
        f"{1e3 * one['kid']:.1f}", f"{100 * one['coverage']:.0f} %", str(one["statistics_that_differ"]),
    )  # fmt: skip


def _accuracy(rights: list[str], seeds: int) -> str:
    """seeds: how many there should be"""
    right = right_shares(rights)
    share = Share(round(float(right.sum())), len(right))
    low, high = share.interval
    return f"{100 * right.mean():.1f} ({100 * low:.1f} to {100 * high:.1f})" + _fewer(len(rights), seeds)


def _fewer(finished: int, seeds: int) -> str:
    return f", {finished} of {seeds} seeds" if finished < seeds else ""


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
