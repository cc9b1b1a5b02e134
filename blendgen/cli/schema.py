"""blendgen schema: the JSON Schema of a spec, or of a model's sidecar."""

from __future__ import annotations

import click

from blendgen.cli.command import Command
from blendgen.cli.terminal import echo_json


@click.command(
    "schema",
    cls=Command,
    examples={
        "a schema for the editor, next to the spec": "blendgen schema > spec.schema.json",
        "the schema of a model's sidecar": "blendgen schema --sidecar > sidecar.schema.json",
    },
)
@click.option("--sidecar", is_flag=True, help="Print the schema of a model's sidecar instead.")
def command(sidecar):
    """Print the JSON Schema of a spec, with which an editor completes and checks specs.

    \b
    Run `blendgen schema > spec.schema.json`, then start a spec with the line
    # yaml-language-server: $schema=spec.schema.json
    """
    if sidecar:
        from blendgen.models.sidecar.schema import json_schema
    else:
        from blendgen.spec.schema import json_schema

    echo_json(json_schema(), indent=2)
