"""Alignment: renders whose features get the mean and the spread of those of photos.

In: features of renders, and of photos, whose classes are not needed. Out: the renders' features, moved and
scaled one by one. The classifier that is trained on them needs nothing else at run time. What it corrects is
what all renders have in common: colours, sharpness, noise, background.
source: the diagonal form of CORAL, Sun et al. 2016, Return of frustratingly easy domain adaptation
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import AnyArray

_MOST_SCALING = 3.0
_TRUSTED = 30  # photos from which on their spread counts more than that of the renders


def aligned(renders: AnyArray, photos: AnyArray) -> AnyArray:
    """(n, d) float64; with few photos the spread stays nearly that of the renders."""
    renders, photos = np.asarray(renders, np.float64), np.asarray(photos, np.float64)
    if not len(photos):
        return renders
    trust = len(photos) / (len(photos) + _TRUSTED)
    own, wanted = renders.var(axis=0), photos.var(axis=0)
    floor = 1e-3 * own.mean() + 1e-12
    scale = np.sqrt((trust * wanted + (1 - trust) * own + floor) / (own + floor))
    limited = np.clip(scale, 1 / _MOST_SCALING, _MOST_SCALING)
    return np.asarray((renders - renders.mean(axis=0)) * limited + photos.mean(axis=0))
