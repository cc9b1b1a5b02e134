"""FrozenModel: values of numbers, strings and tuples that survive a round trip through JSON unchanged."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Vector3 = tuple[float, float, float]


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
