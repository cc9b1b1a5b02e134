"""blendgen schema: the JSON Schema of a spec."""

from __future__ import annotations

import json

import click


@click.command("schema")
def command():
    """Print the JSON Schema of a spec, so that an editor completes and checks it.

    \b
    blendgen schema > spec.schema.json, then in the first line of a spec:
    # yaml-language-server: $schema=spec.schema.json
    """
    from blendgen.spec.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
