"""Similar: the known word that somebody may have meant by an unknown one.

In: a word, and all known words. Out: one of them, or None. Words are compared without the parts that they
have in common at both ends: `fov_deg` is not like `roll_deg` because both are degrees.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

_CANDIDATES, _CUTOFF = 12, 0.55
_LETTERS_PER_TYPO = 3
_SHORTEST_PREFIX = 2
_LONGEST_UNIT = 4  # of the last part of a name: m, px, deg, srgb
_SEPARATORS = re.compile(r"[\W_]")


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most similar, in any case of letters; None if no one is similar."""
    by_lower = {name.lower().lstrip("-"): name for name in sorted(known, reverse=True)}
    typed = word.lower().lstrip("-")
    alike = [
        *difflib.get_close_matches(typed, by_lower, n=_CANDIDATES, cutoff=_CUTOFF),
        *(name for name in by_lower if _is_start(typed, name) or _is_start(name, typed)),
    ]
    ranks = {name: rank for name in alike if (rank := _typos(typed, name)) is not None}
    nearest = min(ranks, key=lambda name: (ranks[name], alike.index(name)), default=None)
    return None if nearest is None else by_lower[nearest]


def _is_start(one: str, other: str) -> bool:
    return len(one) >= _SHORTEST_PREFIX and other.startswith(one)


def _typos(one: str, other: str) -> int | None:
    """How many letters differ; None if they are too many for a typing error."""
    parts, other_parts = _SEPARATORS.split(one), _SEPARATORS.split(other)
    own, others = _different(parts, other_parts)
    has_unit = len(other_parts) > 1 and others[-1:] == other_parts[-1:] and _is_unit(others[-1:])
    names = [(own, others), *([(own, others[:-1])] if has_unit else [])]
    counts = [_typos_in("_".join(mine), "_".join(theirs)) for mine, theirs in names]
    if possible := [count for count in counts if count is not None]:
        return min(possible)
    is_other_unit = has_unit and len(others) == 1 and own == parts[-1:] and _is_unit(own)
    if not own or not others or is_other_unit or _is_start(one, other) or _is_start(other, one):
        return max(len(one), len(other))  # behind all typing errors
    return None


def _typos_in(one: str, other: str) -> int | None:
    count = _edits(one, other)
    return count if count <= max(len(one), len(other)) // _LETTERS_PER_TYPO else None


def _is_unit(parts: Sequence[str]) -> bool:
    return len(parts) == 1 and len(parts[0]) <= _LONGEST_UNIT


def _different(one: Sequence[str], other: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The parts without those that both have at the start, and at the end."""
    for _ in range(2):
        pairs = zip(one, other, strict=False)
        shared = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
        one, other = one[shared:][::-1], other[shared:][::-1]
    return one, other


def _edits(one: str, other: str) -> int:
    """Letters added, removed or replaced, and neighbours swapped, to make one word the other.

    source: optimal string alignment (Boytsov 2011)
    """
    before, last = list(range(len(other) + 1)), list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, another in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != another))
            if row > 1 and column > 1 and letter == other[column - 2] and another == one[row - 2]:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]
