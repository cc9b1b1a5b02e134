"""Relight: light is additive, so the light of an exposure is a weighted sum of the film's light groups.

Flashes are shorter than the exposure and blur moving products less. The sum therefore has one part for each
duration of light.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from blendgen.geometry.arrays import ImageHW3F32
from blendgen.geometry.color import times_color
from blendgen.scene.shot import Exposure


def mix_groups(radiance_linear: dict[str, ImageHW3F32], exposure: Exposure) -> ImageHW3F32:
    """(h, w, 3) float32 scene-linear radiance under the lights of an exposure, before it enters the lens."""
    first = next(iter(radiance_linear.values()))
    total = np.zeros_like(first)
    for group, radiance in radiance_linear.items():
        total += times_color(radiance, exposure.group_gain[group])
    return total


def merged(
    radiance_linear: dict[str, np.ndarray], exposures: tuple[Exposure, ...], steady: Collection[str]
) -> tuple[dict[str, np.ndarray], tuple[Exposure, ...]]:
    """Merge the steady groups; returns (groups, exposures with the gains of these groups).

    steady: groups whose gain and duration are the same in all exposures of the shot, including those that
        are not requested now: the merged groups must not depend on the requested images
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
    """Seconds of light -> the groups that shine so long, in their order."""
    parts: dict[float, list[str]] = {}
    for group in groups:
        parts.setdefault(exposure.group_time_s.get(group, exposure.time_s), []).append(group)
    return {time_s: tuple(names) for time_s, names in parts.items()}
