"""Command and Group: what every command of blendgen has, two examples in its help first of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class _WithExamples(click.Command):
    """A command whose help shows command lines.

    examples: what a command line does, and the command line
    """

    def __init__(self, *arguments: Any, examples: Mapping[str, str], **options: Any):
        super().__init__(*arguments, **options)
        self.examples = examples

    def format_epilog(self, ctx, formatter):
        with formatter.section("Examples"):
            for purpose, line in self.examples.items():
                formatter.write(f"  # {purpose}\n  {line}\n")
        super().format_epilog(ctx, formatter)


class Command(_WithExamples):
    pass


class Group(_WithExamples, click.Group):
    command_class = Command
