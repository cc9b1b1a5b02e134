"""ANOVA: how much a parameter changes a score, and whether that depends on the class.

In: for each shot the mean score at each level of the parameter. Shots are what was sampled: those of a class
differ, and each was made at every level, so the error of an effect is how much it differs from shot to shot
of a class (a split-plot design), not how much images differ. Out: a Term for the parameter, and one for its
interaction with the class; p values of many terms corrected together.
source: Montgomery 2017, Design and Analysis of Experiments; Holm 1979 (correction)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blendgen.geometry.arrays import AnyArray


@dataclass(frozen=True)
class Term:
    """f, df, df_error: of the F test; p: by chance, None where shots are too few; squares: sum of squares"""

    squares: float
    f: float | None
    df: int
    df_error: int
    p: float | None

    def facts(self) -> dict[str, Any]:
        return {"f": self.f, "df": self.df, "df_error": self.df_error, "p": self.p}


def split_plot(means: AnyArray, classes: AnyArray) -> tuple[Term, Term]:
    """(of the level, of level and class together).

    means: (shots, levels); classes: (shots,) integers
    """
    shots, levels = means.shape
    effects = means - means.mean(axis=1, keepdims=True)
    overall = effects.mean(axis=0)
    of_class = np.zeros_like(effects)
    for label in np.unique(classes):
        own = classes == label
        of_class[own] = effects[own].mean(axis=0)
    error = float(((effects - of_class) ** 2).sum())
    groups = len(np.unique(classes))
    df, df_error = levels - 1, (shots - groups) * (levels - 1)
    main = float(shots * (overall**2).sum())
    together = float(((of_class - overall) ** 2).sum())
    return (
        _term(main, df, error, df_error),
        _term(together, df * (groups - 1), error, df_error),
    )


def _term(squares: float, df: int, error: float, df_error: int) -> Term:
    from scipy.stats import f as f_distribution

    if df < 1 or df_error < 1:
        return Term(squares, None, df, df_error, None)
    if error <= 0:
        return Term(squares, None, df, df_error, 1.0 if squares <= 0 else 0.0)
    f = (squares / df) / (error / df_error)
    return Term(squares, f, df, df_error, float(f_distribution.sf(f, df, df_error)))


def holm(p: Sequence[float | None]) -> list[float | None]:
    """The p values corrected for their number: the probability that any as small one is chance."""
    known = sorted((value, place) for place, value in enumerate(p) if value is not None)
    corrected: list[float | None] = [None] * len(p)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        corrected[place] = largest
    return corrected
