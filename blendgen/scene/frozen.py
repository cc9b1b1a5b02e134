"""FrozenModel: values of plain numbers, texts and tuples that go to JSON and back unchanged."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Vector3 = tuple[float, float, float]


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
