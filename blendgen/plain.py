"""Plain: values that go to JSON and back unchanged; the base of all that is drawn."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
