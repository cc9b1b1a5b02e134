"""Low discrepancy: numbers of one parameter that fill the unit interval evenly, at any length.

A shuffled, scrambled van der Corput sequence: number i can be computed without the others, the first 2^k
numbers have one in each 2^k-th of the interval, and sequences with different seeds are independent of each
other, unlike the dimensions of a scrambled Sobol sequence in a common order.
source: Burley, Practical hash-based Owen scrambling (2020), with the hash of Vegdahl (2021)
"""

from __future__ import annotations

_MASK = 0xFFFFFFFF


def low_discrepancy_u(index: int, order_seed: int, value_seed: int) -> float:
    """Number `index` (below 2^32) of the sequence, in [0, 1); the seeds have 32 bits."""
    shuffled = _scrambled(index, order_seed)
    return _scrambled(_reversed(shuffled), value_seed) / 2**32


def _scrambled(bits: int, seed: int) -> int:
    """Flip each bit or not, by a hash of the bits above it (nested uniform scrambling)."""
    value = _reversed(bits)
    value ^= value * 0x3D20ADEA & _MASK
    value = (value + seed) * (seed >> 16 | 1) & _MASK
    value ^= value * 0x05526C56 & _MASK
    value ^= value * 0x53A22864 & _MASK
    return _reversed(value)


def _reversed(bits: int) -> int:
    return int(f"{bits:032b}"[::-1], 2)
