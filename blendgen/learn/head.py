"""Head: the linear classifier on the features of a backbone, in closed form.

In: (n, d) features, classes, a weight for each picture. Out: LinearHead: d x c weights and c biases, whose
scores become probabilities with a softmax. It is ridge regression onto the classes: the strength of its
regularisation is relative to the mean variance of a feature, so it means the same for any backbone and any
number of pictures.
source: Hoerl and Kennard 1970, Ridge regression; Guo et al. 2017, On calibration (temperature)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from blendgen.geometry.arrays import AnyArray

STRENGTHS = tuple(float(one) for one in np.geomspace(0.03, 100, 8))
_TEMPERATURES = np.geomspace(0.02, 5.0, 60)


@dataclass(frozen=True)
class LinearHead:
    """weight: (d, c) float64; bias: (c,); temperature: scores are divided by it before the softmax"""

    weight: AnyArray
    bias: AnyArray
    temperature: float = 1.0

    def scores(self, features: AnyArray) -> AnyArray:
        """(n, c)"""
        return np.asarray(features, np.float64) @ self.weight + self.bias

    def probabilities(self, features: AnyArray) -> AnyArray:
        """(n, c), rows that sum to 1"""
        return softmax(self.scores(features) / self.temperature)


def softmax(scores: AnyArray) -> AnyArray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def balanced_weights(labels: AnyArray, classes: int) -> AnyArray:
    """(n,) summing to 1: each class that has pictures weighs the same."""
    counts = np.bincount(labels, minlength=classes)
    return np.asarray(1.0 / (counts[labels] * np.count_nonzero(counts)))


class Ridge:
    """Heads of any strength from the same pictures; what they have in common is computed once.

    features: (n, d); labels: (n,) integers; weights: (n,) positive, summing to 1
    """

    def __init__(self, features: AnyArray, labels: AnyArray, weights: AnyArray, classes: int):
        x, targets = np.asarray(features, np.float64), np.eye(classes)[labels]
        self._mean, self._target_mean = weights @ x, weights @ targets
        centred = x - self._mean
        self._scale = float(np.sqrt((weights @ centred**2).mean())) or 1.0
        root = np.sqrt(weights)[:, None]
        self._a, self._b = root * centred / self._scale, root * (targets - self._target_mean)
        self._is_wide = x.shape[0] < x.shape[1]
        gram = self._a @ self._a.T if self._is_wide else self._a.T @ self._a
        # all strengths have the same eigenvectors
        self._values, self._vectors = np.linalg.eigh(gram)
        self._turned = self._vectors.T @ (self._b if self._is_wide else self._a.T @ self._b)

    def head(self, strength: float) -> LinearHead:
        solved = self._vectors @ (self._turned / (np.maximum(self._values, 0) + strength)[:, None])
        weight = (self._a.T @ solved if self._is_wide else solved) / self._scale
        return LinearHead(weight, self._target_mean - self._mean @ weight)


def best_temperature(scores: AnyArray, labels: AnyArray) -> tuple[float, float]:
    """(temperature, mean log loss) of the temperature that makes the log loss the smallest."""
    losses = [log_loss(scores / temperature, labels) for temperature in _TEMPERATURES]
    best = int(np.argmin(losses))
    return float(_TEMPERATURES[best]), losses[best]


def log_loss(scores: AnyArray, labels: AnyArray) -> float:
    """Mean negative logarithm of the probability of the right class."""
    probabilities: Any = softmax(scores)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(probabilities, 1e-12)).mean())
