"""The command line: one file per command, and the one place that turns errors into exit codes.

Results go to stdout, everything else to stderr. A command is imported when it is called, so that
`blendgen --help` stays fast. This process never imports bpy.
"""

from __future__ import annotations

import importlib
import io
import logging
import sys
import traceback
from pathlib import Path

import click

from blendgen import __version__
from blendgen.cli.command import Group, is_verbose, own_verbosity
from blendgen.cli.interrupt import interruptible
from blendgen.cli.terminal import close_streams, log_handler, open_streams, say_error
from blendgen.errors import BlendgenError, ExitCode, Interrupted
from blendgen.files.disk import disk_error
from blendgen.system.exit_code import exit_code_of

_COMMANDS = {
    "init": "Start: write a commented spec that renders your folder of models.",
    "match": "Match the camera, light and surface of a spec to photos of the place.",
    "generate": "Make a labelled data set from a spec.",
    "merge": "Make one data set of the shards of many machines.",
    "status": "Print how far a data set is that is being made, on any machine.",
    "farm": "Write what a render farm needs: Slurm, Open Job Description, Kubernetes.",
    "export": "Write a data set in another format: coco, yolo, parquet, ...",
    "report": "Write a page about a data set: balance, parameters, shortcuts, images.",
    "compare": "Compare photos with the images of a data set: what differs, what to change.",
    "subset": "Choose images of a data set by their columns.",
    "mix": "Mix synthetic images with real photos for training.",
    "train": "Train a classifier or a detector on a data set, and on real photos.",
    "evaluate": "Test a classifier or a detector on real photos.",
    "classify": "Say of which class photos are, or that they are of none.",
    "detect": "Find products in photos, with their boxes.",
    "quantize": "Make a small model with 8-bit integers, and measure it.",
    "probe": "Find out which parameters of a spec change the answers of a classifier.",
    "select": "Choose the images of a spec that are worth rendering, by drafts of more.",
    "tune": "Search ranges of a spec whose images make better classifiers for photos.",
    "refine": "Make the images of a data set more like photos, where labels stay right.",
    "verify": "Check every file and label of a data set, and repair it.",
    "diff": "Report what differs between two data sets.",
    "preview": "Render a labelled contact sheet of a spec within seconds.",
    "check": "Check a spec and its models without rendering.",
    "smoke": "Check a spec in CI: a few tiny images, compared with golden files.",
    "models": "Check models and their sidecars one by one.",
    "sample": "Print the values sampled for one image, as JSON.",
    "schema": "Print the JSON Schema of a spec, for editors.",
    "doctor": "Check this machine: Blender, libraries, devices, cache.",
    "completion": "Print what makes bash, zsh or fish complete command lines.",
}

# in errors of click
_PLAIN_WORDS = {"a valid integer range": "a whole number", "a valid float range": "a number"}
_RENAMED = {"draw": "sample", "assets": "models"}


class _PastClick(Exception):
    """Carries an interrupt, its cause, past click, which would first print an empty line: that may fail."""


class _Commands(Group):
    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise _PastClick from interrupt

    def list_commands(self, ctx):
        return list(_COMMANDS)

    def get_command(self, ctx, name):
        if name not in _COMMANDS:
            return None
        return importlib.import_module(f"blendgen.cli.{name}").command

    def resolve_command(self, ctx, args):
        if args and args[0] in _RENAMED:
            ctx.fail(f"the command {args[0]!r} is now called {_RENAMED[args[0]]!r}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples={
        "see within seconds what a spec makes": "blendgen preview scene.yaml",
        "make the data set, or continue it": "blendgen generate scene.yaml -o out",
    },
)
@click.version_option(__version__, prog_name="blendgen")
def group() -> None:
    """A YAML scene spec and a folder of 3D models in, labelled images out."""


def main() -> None:
    """Entry point of the `blendgen` command."""
    sys.exit(run_program(group, sys.argv[1:], "blendgen"))


def run_program(command: click.Command, arguments: list[str], program: str) -> int:
    """Run a command with safe output streams; returns its exit code."""
    open_streams()
    try:
        return run(arguments, command, program)
    finally:
        close_streams()


def run(arguments: list[str], command: click.Command = group, program: str = "blendgen") -> int:
    """Run a command line; returns its exit code and prints errors as plain lines."""
    logging.basicConfig(level=logging.WARNING, handlers=[log_handler()])
    with own_verbosity(), interruptible() as interrupt:
        try:
            result = command.main(arguments, prog_name=program, standalone_mode=False)
            sys.stdout.flush()
            return result if isinstance(result, int) else ExitCode.OK
        except (_PastClick, click.exceptions.Abort, KeyboardInterrupt) as error:
            cause = error if isinstance(error, KeyboardInterrupt) else error.__cause__
            if isinstance(cause, Interrupted):
                return _failed(str(cause), cause.exit_code)
            return _failed("stopped", interrupt.exit_code)
        except Exception as error:  # noqa: BLE001 - an unknown one is raised again
            if interrupt.signum is not None:  # a library turned the interrupt into an error of its own
                return _failed("stopped", interrupt.exit_code)
            return _report(error)


def _report(error: Exception) -> int:
    if isinstance(error, click.ClickException):
        text = io.StringIO()
        error.show(text)
        usage, name, fault = text.getvalue().rstrip("\n").partition("Error:")
        for technical, plain in _PLAIN_WORDS.items():
            fault = fault.replace(technical, plain)
        say_error(f"{name}{fault}", before=usage)
        return ExitCode.USAGE
    if isinstance(error, BrokenPipeError):
        return ExitCode.FAILED  # the reader of our output is gone, so nothing more can be printed there
    message, code = _message(error), exit_code_of(error)
    if message is None or code is None:
        raise error
    return _failed(message, code)


def _message(error: Exception) -> str | None:
    """The line for the user; None for an error that nobody expects."""
    if isinstance(error, BlendgenError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory"
    if not isinstance(error, OSError):
        return None
    if not error.filename:
        return error.strerror or str(error)
    path, is_passing = Path(error.filename), exit_code_of(error) == ExitCode.RETRY
    return str(disk_error(path, error)) if is_passing else f"{path}: {error.strerror or error}"


def _failed(message: str, code: int) -> int:
    if is_verbose():
        say_error(traceback.format_exc().rstrip("\n"))
    say_error(f"blendgen: {message}" if "\n" not in message else f"blendgen:\n{message}")
    return int(code)
