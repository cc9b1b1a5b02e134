"""blendgen doctor: what this machine has, what is missing, and the command that installs it."""

from __future__ import annotations

import platform
from typing import Any

import click

from blendgen import __version__
from blendgen.cli.command import Command
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json
from blendgen.errors import BlendgenError, ExitCode


@click.command(
    "doctor",
    cls=Command,
    examples={
        "is all there that rendering needs?": "blendgen doctor",
        "the same for a script": "blendgen doctor --json",
    },
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(as_json):
    """Check Blender, system libraries, devices and the cache, and render a tiny image."""
    with Progress(own_stdout=as_json):
        report = _report()
    if as_json:
        echo_json(report)
    else:
        echo("\n".join(_lines(report)))
    return ExitCode.OK if report["smoke_render"] == "ok" else ExitCode.SETUP


def _report() -> dict[str, Any]:
    from blendgen.models.measuring.cache import cache_folder
    from blendgen.system.machine import cores
    from blendgen.system.platforms import platform_notes, system_name

    return {
        "schema_version": 1,
        "blendgen": __version__,
        "python": platform.python_version(),
        "system": system_name(),
        "system_notes": list(platform_notes()),
        "cores": cores(),
        "cache": str(cache_folder()),
        **_libraries(),
        **_blender(),
        **_modules(),  # last: the render has loaded them
    }


def _libraries() -> dict:
    from blendgen.system.wheel import apt_line, missing_libraries

    missing = missing_libraries()
    return {"missing_libraries": missing, "fix": apt_line(missing) if missing else ""}


def _modules() -> dict:
    from blendgen.system.compiled import compile_line, not_compiled

    folders = not_compiled()
    return {"not_compiled": list(folders), "compile": compile_line(folders.values()) if folders else ""}


def _blender() -> dict:
    """Versions, devices and the result of a smoke render, from a worker process."""
    from blendgen.system.wheel import blender_version
    from blendgen.workers.self_test import self_test

    unknown: dict[str, Any] = {"blender": None, "kernel": None, "gpus": []}
    try:
        return {**unknown, "blender": blender_version(), **self_test()}
    except BlendgenError as error:
        return {**unknown, "smoke_render": str(error)}


def _lines(report: dict) -> list[str]:
    gpus = ", ".join(report["gpus"]) or "none found (Cycles renders on the CPU)"
    missing = report["missing_libraries"]
    slow = report["not_compiled"]
    lines = [
        f"blendgen      {report['blendgen']}",
        f"Python        {report['python']}",
        f"system        {report['system']}",
        *(f"              - {note}" for note in report["system_notes"]),
        f"Blender       {report['blender'] or 'not found, or it does not render'}",
        f"CPU kernel    {report['kernel'] or '-'}, {report['cores']} cores",
        f"GPUs          {gpus}",
        f"libraries     {'complete' if not missing else 'missing: ' + ', '.join(missing)}",
        f"modules       {'compiled' if not slow else 'not compiled: ' + ', '.join(slow)}",
        f"cache         {report['cache']}",
        f"smoke render  {report['smoke_render']}",
    ]
    lines += [f"to install what is missing:\n  {report['fix']}"] if missing else []
    why = "each process compiles modules again, which takes seconds; to do it once"
    return lines + ([f"{why}:\n  {report['compile']}"] if slow else [])
