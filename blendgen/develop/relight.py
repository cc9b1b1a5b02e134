"""Relight: light adds up, so an exposure is a weighted sum of the film's light groups."""

from __future__ import annotations

import numpy as np

from blendgen.shot import Exposure


def mix_groups(radiance_linear: dict[str, np.ndarray], exposure: Exposure) -> np.ndarray:
    """(h, w, 3) float32 scene-linear radiance under an exposure's lights, before the camera."""
    first = next(iter(radiance_linear.values()))
    total = np.zeros_like(first)
    for group, radiance in radiance_linear.items():
        total += radiance * np.asarray(exposure.group_gain[group], np.float32)
    return total
