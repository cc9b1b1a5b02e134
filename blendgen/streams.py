"""Named random streams: the only module that creates random generators.

In: the seed of a data set, an index, an attempt and the name of a parameter. Out: a NumPy Generator.
Each parameter has its own stream, so that adding a parameter, or changing its range, leaves all other
samples unchanged. Philox is counter-based: its streams are the same in NumPy 1.26 and 2.
"""

from __future__ import annotations

import hashlib

import numpy as np


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")


def stream(seed: int, index: int, attempt: int, name: str) -> np.random.Generator:
    """The generator for one parameter of one shot or exposure.

    seed: any int; index: number of the shot, exposure or block
    attempt: 0 for the first attempt at this index
    name: dotted path of the parameter, such as "camera.azimuth_deg"
    """
    key = _key(f"blendgen/1/{seed}/{index}/{attempt}/{name}")
    return np.random.Generator(np.random.Philox(key=key))


def noise_stream(noise_seed: int, name: str) -> np.random.Generator:
    """The generator for one noise source of one developed image; SFC64 is the fastest for whole images.

    noise_seed: of the Exposure; name: of the noise source, such as "shot_noise"
    """
    return np.random.Generator(np.random.SFC64(_key(f"blendgen/noise/1/{noise_seed}/{name}")))
