"""Command and Group: what every command of blendgen has: two examples in its help, --quiet and --verbose."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from blendgen.cli.terminal import be_quiet
from blendgen.errors import did_you_mean
from blendgen.similar import closest

_NUMBERS = (type(click.INT), type(click.FLOAT))
_log = logging.getLogger("blendgen")


class _WithExamples(click.Command):
    """A command whose help shows command lines.

    examples: what a command line does, and the command line
    """

    def __init__(self, *arguments: Any, examples: Mapping[str, str], **options: Any):
        super().__init__(*arguments, **options)
        self.examples = examples
        self.params += [_quiet_option(), _verbose_option()]
        for param in self.params:
            if isinstance(param.type, _NUMBERS) and param.metavar is None:
                param.metavar = "N"  # click would write INTEGER RANGE

    def parse_args(self, ctx, args):
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise self._advised(error) from None

    def _advised(self, error: click.NoSuchOption) -> click.NoSuchOption:
        """The error with the option that was meant, or the argument that is written without dashes."""
        name, message = error.option_name.lstrip("-").upper(), error.message
        arguments = [param for param in self.params if isinstance(param, click.Argument)]
        if any(argument.human_readable_name == name for argument in arguments):
            message += f" {name} is an argument: give its value alone."
        options = [option for param in self.params for option in param.opts if option.startswith("--")]
        nearest = closest(error.option_name, options)
        possibilities = [nearest] if nearest else None
        return click.NoSuchOption(error.option_name, message, possibilities, error.ctx)

    def format_epilog(self, ctx, formatter):
        with formatter.section("Examples"):
            for purpose, line in self.examples.items():
                formatter.write(f"  # {purpose}\n  {line}\n")
        super().format_epilog(ctx, formatter)


class Command(_WithExamples):
    pass


class Group(_WithExamples, click.Group):
    command_class = Command

    def resolve_command(self, ctx, args):
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            ctx.fail(f"there is no command {args[0]!r}{did_you_mean(args[0], names)}")
        return super().resolve_command(ctx, args)


@contextmanager
def own_verbosity() -> Iterator[None]:
    """What --quiet and --verbose change holds for one command line, not for the next one in this process."""
    level = _log.level
    _log.setLevel(logging.WARNING)
    be_quiet(False)
    try:
        yield
    finally:
        _log.setLevel(level)
        be_quiet(False)


def is_verbose() -> bool:
    """Whether --verbose was given, and no --quiet after it."""
    return _log.level == logging.DEBUG


def _quiet_option() -> click.Option:
    return click.Option(
        ["-q", "--quiet"], is_flag=True, expose_value=False, callback=_quiet,
        help="Print nothing but results, warnings and errors.",
    )  # fmt: skip


def _verbose_option() -> click.Option:
    return click.Option(
        ["-v", "--verbose"], is_flag=True, expose_value=False, callback=_verbose,
        help="Show tracebacks and debug messages.",
    )  # fmt: skip


def _quiet(_context: click.Context, _param: click.Parameter, is_given: bool) -> None:
    if is_given:
        be_quiet()


def _verbose(_context: click.Context, _param: click.Parameter, is_given: bool) -> None:
    if is_given:
        _log.setLevel(logging.DEBUG)
