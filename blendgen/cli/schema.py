"""blendgen schema: the JSON Schema of a spec, or of a model's sidecar."""

from __future__ import annotations

import click

from blendgen.cli.terminal import echo_json


@click.command("schema")
@click.option("--sidecar", is_flag=True, help="That of a model's sidecar instead (docs/models.md).")
def command(sidecar):
    """Print the JSON Schema of a spec, so that an editor completes and checks it.

    \b
    blendgen schema > spec.schema.json, then in the first line of a spec:
    # yaml-language-server: $schema=spec.schema.json
    """
    if sidecar:
        from blendgen.models.sidecar.schema import json_schema
    else:
        from blendgen.spec.schema import json_schema

    echo_json(json_schema(), indent=2)
