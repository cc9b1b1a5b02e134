"""JSON Schema of a spec file, with which editors complete and check it.

It differs from the schema of the Spec model: `sensor` and `render` have defaults and may name a preset or
start from one.
"""

from __future__ import annotations

from typing import Any

from blendgen.spec.model import Spec
from blendgen.spec.presets import preset_names


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a spec file."""
    schema = Spec.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "blendgen scene spec"
    for key, kind, definition in (
        ("sensor", "sensors", "SensorSettings"),
        ("render", "render", "RenderSettings"),
    ):
        names = {"enum": preset_names(kind)}
        fields = schema["$defs"].pop(definition)
        fields["properties"]["preset"] = {**names, "description": "start from this preset"}
        fields.pop("required", None)
        description = schema["properties"][key]["description"]
        schema["properties"][key] = {"anyOf": [names, fields], "description": description}
        schema["required"].remove(key)
    return schema
