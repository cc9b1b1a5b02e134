"""blendgen completion: the script with which a shell completes command lines."""

from __future__ import annotations

import click

from blendgen.cli.choice import Choice
from blendgen.cli.command import Command
from blendgen.cli.terminal import echo

SHELLS = ("bash", "zsh", "fish")
# click reads it when the program starts
VARIABLE = "_BLENDGEN_COMPLETE"
# in the script for bash: no space after KEY=
_ADDS, _STAYS = "COMPREPLY+=($value)", "[[ $value == *= ]] && compopt -o nospace"


@click.command(
    "completion",
    cls=Command,
    examples={
        "bash: once, for all shells that start after it": "blendgen completion bash >> ~/.bash_completion",
        "fish": "blendgen completion fish > ~/.config/fish/completions/blendgen.fish",
    },
)
@click.argument("shell", type=Choice(SHELLS))
def command(shell):
    """Print what makes a shell complete commands, options, files, presets, formats and fields of specs.

    \b
    bash: blendgen completion bash >> ~/.bash_completion
    zsh:  blendgen completion zsh > "${fpath[1]}/_blendgen"
    fish: blendgen completion fish > ~/.config/fish/completions/blendgen.fish

    Or only in this shell: source <(blendgen completion bash)
    """
    from click.shell_completion import get_completion_class

    from blendgen.cli import group

    shell_class = get_completion_class(shell)
    if shell_class is not None:  # of a shell in SHELLS there is one
        script = shell_class(group, {}, "blendgen", VARIABLE).source()
        echo(script.replace(_ADDS, f"{_ADDS}; {_STAYS}").removesuffix("\n"))
