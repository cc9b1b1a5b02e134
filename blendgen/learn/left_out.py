"""Left out: what pictures that were left out of a training gave, and which training they speak for.

In: scores of pictures. Out: accuracy and log loss, and a sentence that compares trainings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.head import best_temperature
from blendgen.learn.measures import accuracy
from blendgen.learn.run_folder import FROZEN

ALONE, BOTH = "photos_alone", "with_renders"


@dataclass(frozen=True)
class LeftOut:
    """Of pictures that were left out: scores (n, c), labels, familiarity (n,) by the plane of others."""

    scores: AnyArray
    labels: AnyArray
    familiarity: AnyArray

    @property
    def temperature(self) -> float:
        return best_temperature(self.scores, self.labels)[0]

    def facts(self) -> dict[str, Any]:
        loss = best_temperature(self.scores, self.labels)[1]
        return {"accuracy": accuracy(self.scores, self.labels).facts(), "log_loss": loss}


def comparison(kind: str, best: str, facts: dict[str, Any]) -> str:
    """What a user must know of the choice."""

    def result(name: str) -> str:
        share = facts[name]["accuracy"]
        return f"{100 * share['value']:.1f} % (log loss {facts[name]['log_loss']:.3f})"

    text = (
        f"on photos left out in turn, all layers: {result(BOTH)} with renders, {result(ALONE)} on photos "
        f"alone; frozen backbone: {result(FROZEN)}"
    )
    if kind != best:
        is_worse = facts[ALONE]["log_loss"] < facts[BOTH]["log_loss"]
        what = "renders make it worse" if is_worse else "the frozen backbone is better"
        return f"with this --ratio, {what}: {text}"
    choices = {
        BOTH: "renders help", ALONE: "renders do not help here and were left out",
        FROZEN: "training all layers does not help here, and the backbone stays frozen",
    }  # fmt: skip
    return f"{choices[kind]}: {text}"
