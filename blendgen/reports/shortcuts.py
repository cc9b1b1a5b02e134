"""Shortcuts: what tells the classes apart although it should not, so that a classifier could learn it.

In: for each image its class and the bin of a nuisance, such as the surface or the light. Out: the mutual
information of both, in bits, and how likely as much is by chance.

A few images always agree a little by chance. The estimate is therefore lowered by the bias of Miller (1955),
and chance is that of Pearson's statistic over all tables with the same margins, by the exact mean and
variance of Dawson (1954) and a gamma distribution.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

BINS = 8
LEAST_SHARE = 0.02  # of what there is to know about the class, below which nothing can be gained
_LEAST_P = 0.001  # of all nuisances together
_FEWEST = 20


class Shortcut:
    """The table of one nuisance against the classes."""

    def __init__(self, name: str, classes: int, bins: int):
        self.name, self.counts = name, np.zeros((classes, bins), np.int64)

    def add(self, label_id: int, number: int) -> None:
        self.counts[label_id, number] += 1

    def as_dict(self) -> dict[str, Any]:
        """mutual_information_bits: without the bias; share: of the classes' entropy; p: by chance."""
        table = self.counts[self.counts.any(1)][:, self.counts.any(0)]
        bits, entropy = mutual_information_bits(table)
        return {
            "name": self.name,
            "images": int(table.sum()),
            "values": table.shape[1],
            "mutual_information_bits": round(bits, 4),
            "share": round(bits / entropy, 4) if entropy > 0 else 0.0,
            "p": chance(table),
        }


def judged(shortcuts: Iterable[Shortcut]) -> list[dict[str, Any]]:
    """The table, largest share first; `warns`: whether a classifier could use the nuisance."""
    table = [one.as_dict() for one in shortcuts]
    for one in table:
        rare = one["p"] is not None and one["p"] < _LEAST_P / len(table)
        one["warns"] = rare and one["share"] >= LEAST_SHARE
    return sorted(table, key=lambda one: (not one["warns"], -one["share"], one["name"]))


def mutual_information_bits(table: np.ndarray) -> tuple[float, float]:
    """(mutual information, entropy of the rows) of a table of counts, the former less its bias."""
    total = table.sum()
    if not total:
        return 0.0, 0.0
    joint, by_row, by_column = (_entropy(part / total) for part in (table, table.sum(1), table.sum(0)))
    bias = (table.shape[0] - 1) * (table.shape[1] - 1) / (2 * total * np.log(2))
    return max(0.0, float(by_row + by_column - joint - bias)), by_row


def chance(table: np.ndarray) -> float | None:
    """How likely a table with these margins depends as much; None where there is nothing to judge."""
    from scipy.special import gammaincc

    rows, columns, total = table.shape[0], table.shape[1], int(table.sum())
    if rows < 2 or columns < 2 or total < _FEWEST:
        return None
    by_row, by_column = table.sum(1), table.sum(0)
    expected = np.outer(by_row, by_column) / total
    statistic = float(((table - expected) ** 2 / expected).sum())
    mean = (rows - 1) * (columns - 1) * total / (total - 1)
    (v_1, w_1), (v_2, w_2) = (_margin_terms(margin, total) for margin in (by_row, by_column))
    variance = 2 * total / (total - 3) * (v_1 - w_1) * (v_2 - w_2) + total**2 / (total - 1) * w_1 * w_2
    if variance <= 0:
        return None  # every table with these margins has the same statistic
    return float(f"{gammaincc(mean**2 / variance, statistic * mean / variance):.3g}")


def _margin_terms(margin: np.ndarray, total: int) -> tuple[float, float]:
    count = len(margin)
    v = (count - 1) * (total - count) / (total - 1)
    return v, (total * float((1 / margin).sum()) - count**2) / (total - 2)


def _entropy(shares: np.ndarray) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log2(some)).sum())
