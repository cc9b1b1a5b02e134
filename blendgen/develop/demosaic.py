"""Demosaic: one colour a pixel to three, by the linear filters of Malvar, He and Cutler (2004).

The filters are those of the library colour-demosaicing. It is imported on first use, because
the colour science library behind it takes two seconds to load; `load` does it ahead of time.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np

_REACH_PX = 2  # of the filters; even, so that the mosaic's phase stays


@cache
def load():
    """The library's filter; loads it into this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it cannot plot
        from colour_demosaicing import demosaicing_CFA_Bayer_Malvar2004
    return demosaicing_CFA_Bayer_Malvar2004


def demosaic(raw: np.ndarray) -> np.ndarray:
    """(h, w) RGGB mosaic to (h, w, 3) float32 camera colours."""
    # the library repeats the outermost pixels, which would put red where blue belongs
    wider = np.pad(raw, _REACH_PX, mode="reflect")
    inner = slice(_REACH_PX, -_REACH_PX)
    return load()(wider, "RGGB")[inner, inner].astype(np.float32)
