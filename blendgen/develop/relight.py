"""Relight: light adds up, so an exposure is a weighted sum of the film's light groups.

Groups whose light does not last equally long blur differently where something moves: the sum then
comes in parts, one for each duration.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from blendgen.shot import Exposure


def mix_groups(radiance_linear: dict[str, np.ndarray], exposure: Exposure) -> np.ndarray:
    """(h, w, 3) float32 scene-linear radiance under an exposure's lights, before the camera."""
    first = next(iter(radiance_linear.values()))
    total = np.zeros_like(first)
    for group, radiance in radiance_linear.items():
        total += radiance * np.asarray(exposure.group_gain[group], np.float32)
    return total


def by_duration(groups: Iterable[str], exposure: Exposure) -> dict[float, tuple[str, ...]]:
    """Seconds of light -> the groups that shine so long, in the order of the groups."""
    parts: dict[float, list[str]] = {}
    for group in groups:
        parts.setdefault(exposure.group_time_s.get(group, exposure.time_s), []).append(group)
    return {time_s: tuple(names) for time_s, names in parts.items()}
