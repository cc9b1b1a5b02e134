"""Types of options and arguments that are folders or files of this machine, or URLs of object stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from blendgen.files.url import is_url, local_path


class LocalPath(click.Path):
    """A path; a URL is an error, and not a folder of that name."""

    def __init__(self, **options: Any):
        super().__init__(path_type=Path, **options)

    def convert(self, value, param, ctx):
        if value == "":  # of a variable that is not set; it would be the folder of the command
            self.fail("expected a path, got an empty text", param, ctx)
        command = f"`{ctx.command_path}`" if ctx is not None else "this command"
        return super().convert(local_path(value, _use(param, command)), param, ctx)


class _Place(LocalPath):
    """A path, or the text of a URL."""

    def convert(self, value, param, ctx):
        return str(value) if is_url(value) else super().convert(value, param, ctx)


def _use(param: click.Parameter | None, command: str) -> str:
    return f"{param.opts[0]} of {command}" if isinstance(param, click.Option) else command


LOCAL_PATH = LocalPath()
PLACE = _Place()

staging_option = click.option(
    "--staging",
    type=LOCAL_PATH,
    metavar="DIR",
    help="With a URL: folder of this machine for the files, which stay there; default: one in the cache.",
)
