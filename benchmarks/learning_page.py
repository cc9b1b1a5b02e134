"""Learning page: docs/results.md from the numbers of the learning benchmark.

In: the values of learning.json. Out: Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.learning_arms import ALIGNED, ON_ALL_PHOTOS, PER_CLASS, RENDERS, photos_arm
from benchmarks.paired import right_shares
from blendgen.learn.measures import Share
from blendgen.learn.paired import points

_HEAD = """# What renders are worth: measured

<!-- made by `make results`; do not edit -->

`make results CARDS=path` renders playing cards with several specs and tests classifiers on real photos of
cards: a linear head on a frozen `{backbone}` ({package} {version}), {images} renders of each spec,
{photos} photos for testing, means of {seeds} choices of photos. Percent, with 95 % intervals: of Wilson for
an accuracy, of a bootstrap over photos for a difference. Which photo was right is in
[learning.json](results/learning.json).

The photos are 670 crops of a real deck, taken by phone (from [a tutorial][photos], Apache-2.0); the
models are cards with [faces of another maker][faces] (MIT).

[photos]: https://github.com/EdjeElectronics/{tutorial}
[faces]: https://github.com/hayeah/playing-cards-assets
"""
_TUTORIAL = "TensorFlow-Object-Detection-API-Tutorial-Train-Multiple-Objects-Windows-10"
_DISTANCES = {
    "kid": "kernel distance (KID)",
    "coverage": "photos covered",
    "precision": "images realistic (precision)",
    "two_sample_accuracy": "separated by a linear classifier",
    "mean_difference_spreads": "mean difference of the statistics",
    "statistics_that_differ": "number of statistics that differ",
}


def results_page(values: dict[str, Any]) -> str:
    return "\n".join(_lines(values)) + "\n"


def _lines(values: dict[str, Any]) -> Iterator[str]:
    results, backbone = values["results"], values["backbone"]
    photos = len(next(iter(results.values()))["arms"][RENDERS][0])
    yield _HEAD.format(
        backbone=backbone["name"], package=backbone["package"], version=backbone["package_version"],
        images=values["images"], photos=photos, seeds=values["seeds"],
        tutorial=_TUTORIAL,
    )  # fmt: skip
    yield from ("## Photos and renders", "")
    yield from _table(
        ("trained on", "photos only", "photos and renders"), _photo_rows(results["base"]["arms"])
    )
    yield from ("", "## What is gained", "", "On the same photos, percentage points.", "")
    yield from _table(("gain of", "points"), [(one["name"], points(one)) for one in values["differences"]])
    yield from (
        "",
        "## Specs",
        "",
        "Renders only, and what [`blendgen compare`](matching.md) says of the same renders.",
        "",
    )
    head = (
        "spec",
        "renders only, all photos",
        "aligned",
        "KID x 1000",
        "photos covered",
        "statistics that differ",
    )
    yield from _table(head, [_variant_row(name, one) for name, one in results.items()])
    yield from ("", "What is changed in each spec:", "")
    changes = {name: one for name, one in values["variants"].items() if one}
    yield from (
        f"- *{name}*: " + ", ".join(f"`{key}: {value}`" for key, value in one.items())
        for name, one in changes.items()
    )
    yield from ("", "## Do distances predict accuracy?", "")
    yield (
        "Rank correlation (Spearman) of each distance with the accuracy of renders only, over these "
        f"{len(results)} specs. A distance that predicts accuracy has a correlation near -1, and the shares "
        "of photos covered and of realistic images near +1. So few specs show strong relations only."
    )
    yield ""
    rows = [
        (_DISTANCES[one["distance"]], _number(one["correlation"], "+.2f"), _number(one["p"], ".2f"))
        for one in values["rank_correlations"]
    ]
    yield from _table(("distance", "correlation", "p"), rows)


def _photo_rows(arms: dict[str, list[str]]) -> Iterator[tuple[str, str, str]]:
    yield "renders only", "", _accuracy(arms[RENDERS])
    yield "renders only, aligned with unlabelled photos", "", _accuracy(arms[ALIGNED])
    for count in (*PER_CLASS, None):
        yield (
            photos_arm(count, False),
            *(_accuracy(arms[photos_arm(count, is_mixed)]) for is_mixed in (False, True)),
        )


def _variant_row(name: str, one: dict[str, Any]) -> tuple[str, ...]:
    return (
        name, _accuracy(one["arms"][ON_ALL_PHOTOS]), _accuracy(one["arms"][ALIGNED]),
        f"{1e3 * one['kid']:.1f}", f"{100 * one['coverage']:.0f} %", str(one["statistics_that_differ"]),
    )  # fmt: skip


def _accuracy(seeds: list[str]) -> str:
    right = right_shares(seeds)
    share = Share(round(float(right.sum())), len(right))
    low, high = share.interval
    return f"{100 * share.value:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _table(head: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
