"""Section: the base class of all parts of a spec: frozen, strict, known keys and finite numbers only."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class ShortSection(Section):
    """A section that may be written as the value of one of its keys.

    SHORT: that key, and the JSON Schema of its value
    """

    SHORT: ClassVar[tuple[str, dict[str, Any]]]

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: Any) -> Any:
        return value if isinstance(value, dict | Section) else {cls.SHORT[0]: value}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [cls.SHORT[1], handler(schema)]}
