"""Paired: differences of classifiers on the same photos, and whether distances predict accuracy.

In: results of the learning benchmark by variant. Out: plain values.
source: Spearman 1904
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.learning_arms import ALIGNED, GUESSED, ON_ALL_PHOTOS, RENDERS, photos_arm
from blendgen.learn.paired import paired_gain

DISTANCES = (
    "kid", "coverage", "precision", "two_sample_accuracy", "mean_difference_spreads",
    "statistics_that_differ",
)  # fmt: skip
_ALL, _ALL_MIXED = photos_arm(None, False), photos_arm(None, True)
_STANDARD = ("matched camera, view Standard", ON_ALL_PHOTOS)
# (what is tested, its variant and arm, the variant and arm that it is compared with)
PAIRS = (
    ("unlabelled photos", ("base", ALIGNED), ("base", RENDERS)),
    ("pseudo-labels, compared with aligned", ("base", GUESSED), ("base", ALIGNED)),
    ("match", ("matched", ON_ALL_PHOTOS), ("base", ON_ALL_PHOTOS)),
    ("match, the camera alone", ("matched camera", ON_ALL_PHOTOS), ("base", ON_ALL_PHOTOS)),
    ("match, the camera alone with view Standard", _STANDARD, ("base", ON_ALL_PHOTOS)),
    ("view Standard against AgX, with the matched camera", _STANDARD, ("matched camera", ON_ALL_PHOTOS)),
    ("match against its camera alone", ("matched", ON_ALL_PHOTOS), ("matched camera", ON_ALL_PHOTOS)),
    ("an ideal camera", ("ideal camera", ON_ALL_PHOTOS), ("base", ON_ALL_PHOTOS)),
    ("refine", ("refined", ON_ALL_PHOTOS), ("base", ON_ALL_PHOTOS)),
    ("refine, with unlabelled photos", ("refined", ALIGNED), ("base", ALIGNED)),
    ("match, with unlabelled photos", ("matched", ALIGNED), ("base", ALIGNED)),
    ("5 photos and renders against renders", ("base", photos_arm(5, True)), ("base", RENDERS)),
    ("5 photos and renders against 5", ("base", photos_arm(5, True)), ("base", photos_arm(5, False))),
    ("5 photos and renders against 20", ("base", photos_arm(5, True)), ("base", photos_arm(20, False))),
    ("20 photos and renders against 20", ("base", photos_arm(20, True)), ("base", photos_arm(20, False))),
    ("all photos and renders against all photos", ("base", _ALL_MIXED), ("base", _ALL)),
)  # fmt: skip


def right_shares(seeds: list[str]) -> np.ndarray:
    """(photos,) the share of the seeds that gets each photo right"""
    return np.array([[int(one) for one in seed] for seed in seeds]).mean(axis=0)


def differences(results: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of each pair that is there: mean over photos, with a 95 % interval over photos.

    by_seed: the mean of each seed that both have; the others are left out
    """
    rows = []
    for name, *pair in PAIRS:
        both = [results.get(variant, {}).get("arms", {}).get(arm) for variant, arm in pair]
        if None not in both:
            seeds = [right_shares([one]) - right_shares([other]) for one, other in zip(*both, strict=False)]
            one, other = (right_shares(arm[: len(seeds)]) for arm in both)
            by_seed = [float(seed.mean()) for seed in seeds]
            rows.append({"name": name, **paired_gain(one, other).facts(), "by_seed": by_seed})
    return rows


def rank_correlations(results: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Spearman's correlation of each distance with the accuracy of renders alone, over the variants."""
    rights = [one["arms"][ON_ALL_PHOTOS] for one in results.values()]
    seeds = min(map(len, rights))
    accuracy, rows = [right_shares(one[:seeds]).mean() for one in rights], []
    for name in DISTANCES:
        values = [one[name] for one in results.values()]
        if len(values) < 3 or np.ptp(values) == 0 or np.ptp(accuracy) == 0:
            rows.append({"distance": name, "correlation": None, "p": None})
            continue
        result = spearmanr(values, accuracy)
        rows.append({"distance": name, "correlation": float(result.statistic), "p": float(result.pvalue)})
    return rows
