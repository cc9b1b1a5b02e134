"""Factorial: which level each parameter has in each run of a fractional factorial design.

In: the number of levels of each parameter. Out: (runs, parameters) integers. Runs are all words of `bits`
bits. A parameter of two levels is the parity of some of these bits; one of up to 2^w levels is w such
parities, and keeps their sums for itself. Each level is then in as many runs as any other, and each pair of
levels of two parameters in as many as any other pair. Columns are assigned at random for each block, so
that interactions, which no small design can tell from effects, look like noise between blocks.
source: Box, Hunter and Hunter 2005, Statistics for Experimenters (fractions, pseudo-factors)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blendgen.draw.sampler import shuffled
from blendgen.geometry.arrays import AnyArray

FEWEST_BITS, MOST_BITS = 4, 10
_TRIES = 20


def bits_for(levels: Sequence[int]) -> int:
    """The number of bits of the smallest design with room for these parameters; raises ValueError."""
    columns = sum(2 ** _width(count) - 1 for count in levels)
    for bits in range(FEWEST_BITS, MOST_BITS + 1):
        if columns <= 2**bits - 1 and _bases(levels, bits, 0, 0) is not None:
            return bits
    raise ValueError(f"no design of {2**MOST_BITS} runs has room for {len(levels)} parameters")


def factorial(levels: Sequence[int], bits: int, seed: int, block: int) -> AnyArray:
    """(2^bits, len(levels)) the level of each parameter; raises ValueError where there is no room."""
    bases = _bases(levels, bits, seed, block)
    if bases is None:
        raise ValueError(f"a design of {2**bits} runs has no room for {len(levels)} parameters")
    words = np.arange(2**bits)
    columns = []
    for number, (basis, count) in enumerate(zip(bases, levels, strict=True)):
        cell = sum(_parity(words & vector) << place for place, vector in enumerate(basis))
        order = shuffled(tuple(range(2 ** len(basis))), seed, block, f"factorial.levels.{number}")
        columns.append(np.array(order)[cell] % count)
    return np.stack(columns, axis=1)


def _width(count: int) -> int:
    """Of a parameter, the number of parities that tell its levels apart."""
    return max(1, (count - 1).bit_length())


def _parity(words: AnyArray) -> AnyArray:
    return np.array([int(word).bit_count() & 1 for word in words])


def _bases(levels: Sequence[int], bits: int, seed: int, block: int) -> list[list[int]] | None:
    """Parities of each parameter, no sum of which another one has; None where none are found."""
    order = sorted(range(len(levels)), key=lambda number: -levels[number])
    for turn in range(_TRIES):
        vectors = shuffled(tuple(range(1, 2**bits)), seed, block, f"factorial.columns.{turn}")
        used: set[int] = set()
        bases = {number: _basis(_width(levels[number]), vectors, used) for number in order}
        complete = [basis for _, basis in sorted(bases.items()) if basis is not None]
        if len(complete) == len(levels):
            return complete
    return None


def _basis(width: int, vectors: Sequence[int], used: set[int]) -> list[int] | None:
    """The first vectors whose sums are all free, which are used from then on."""
    basis: list[int] = []
    span = {0}
    for vector in vectors:
        new = {vector ^ one for one in span}
        if vector not in span and not new & used:
            basis.append(vector)
            span |= new
        if len(basis) == width:
            used |= span - {0}
            return basis
    return None
