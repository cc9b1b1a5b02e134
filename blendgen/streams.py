"""Named random streams: the only place where a random generator is made.

In: a data-set seed, an index, an attempt and the name of a parameter. Out: a NumPy Generator.
Each parameter has a stream of its own, so adding one, or changing the range of one, leaves
every other draw as it was. Philox is counter based: its streams agree between NumPy 1.26 and 2.
"""

from __future__ import annotations

import hashlib

import numpy as np


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")


def stream(seed: int, index: int, attempt: int, name: str) -> np.random.Generator:
    """The generator of one parameter of one shot (or exposure).

    seed: any int, 0 included; index: shot, exposure or block number
    attempt: 0 for the first try at this index
    name: dotted path of the parameter, such as "camera.azimuth_deg"
    """
    key = _key(f"blendgen/1/{seed}/{index}/{attempt}/{name}")
    return np.random.Generator(np.random.Philox(key=key))


def noise_stream(noise_seed: int, name: str) -> np.random.Generator:
    """The generator of one noise source of one developed image; SFC64, the fastest for whole images.

    noise_seed: the number that the Exposure carries; name: the source, such as "shot_noise"
    """
    return np.random.Generator(np.random.SFC64(_key(f"blendgen/noise/1/{noise_seed}/{name}")))
