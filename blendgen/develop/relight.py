"""Relight: light adds up, so an exposure is a weighted sum of the film's light groups.

Groups whose light does not last equally long blur differently where something moves: the sum then
comes in parts, one for each duration.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from blendgen.geometry.color import times_color
from blendgen.scene.shot import Exposure


def mix_groups(radiance_linear: dict[str, np.ndarray], exposure: Exposure) -> np.ndarray:
    """(h, w, 3) float32 scene-linear radiance under an exposure's lights, before the camera."""
    first = next(iter(radiance_linear.values()))
    total = np.zeros_like(first)
    for group, radiance in radiance_linear.items():
        total += times_color(radiance, exposure.group_gain[group])
    return total


def merged(
    radiance_linear: dict[str, np.ndarray], exposures: tuple[Exposure, ...], steady: Collection[str]
) -> tuple[dict[str, np.ndarray], tuple[Exposure, ...]]:
    """The groups that shine alike in all exposures as one, and exposures that fit what is left.

    steady: groups whose gain and duration is the same in all exposures of the shot, also of those that
        are not here: which groups are merged must not depend on which images are wanted now
    """
    whole, leads = dict(radiance_linear), []
    for names in by_duration([name for name in radiance_linear if name in steady], exposures[0]).values():
        whole[names[0]] = mix_groups({name: radiance_linear[name] for name in names}, exposures[0])
        leads.append(names[0])
        for name in names[1:]:
            del whole[name]
    counted = dict.fromkeys(leads, (1.0, 1.0, 1.0))
    return whole, tuple(e.model_copy(update={"group_gain": e.group_gain | counted}) for e in exposures)


def by_duration(groups: Iterable[str], exposure: Exposure) -> dict[float, tuple[str, ...]]:
    """Seconds of light -> the groups that shine so long, in the order of the groups."""
    parts: dict[float, list[str]] = {}
    for group in groups:
        parts.setdefault(exposure.group_time_s.get(group, exposure.time_s), []).append(group)
    return {time_s: tuple(names) for time_s, names in parts.items()}
