"""Formats: the export formats of this package and of others, by name.

Each module of this package that sets EXPORTER is a format. Other packages add formats by entry points of the
group "blendgen.exporters"; they cannot replace one of this package.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import blendgen.exporters
from blendgen.dataset.object_limits import NO_LIMITS
from blendgen.dataset.source import Source, for_loaders, open_source
from blendgen.errors import SetupError, UsageError, did_you_mean
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import Exporter, Options, check_options
from blendgen.exporters.row_fields import row_fields
from blendgen.system.entry_points import EXPORTER_GROUP, Plugin, find_plugin, plugin_names


@cache
def built_in() -> dict[str, Exporter]:
    """The formats of this package by name, sorted."""
    names = [module.name for module in pkgutil.iter_modules(blendgen.exporters.__path__)]
    modules = [importlib.import_module(f"blendgen.exporters.{name}") for name in names]
    exporters = [module.EXPORTER for module in modules if hasattr(module, "EXPORTER")]
    return {exporter.name: exporter for exporter in sorted(exporters, key=lambda one: one.name)}


def format_names() -> list[str]:
    """The names of all formats; imports no other package."""
    return sorted({*built_in(), *plugin_names(EXPORTER_GROUP)})


def format_summaries() -> dict[str, str]:
    """Name -> one line about each format; of a package that does not work, the line says so."""
    return {name: _summary(name) for name in format_names()}


def _summary(name: str) -> str:
    try:
        exporter, plugin = _find(name)
    except SetupError as error:
        return str(error)
    return exporter.summary if plugin is None else f"{exporter.summary} ({plugin.package})"


def find_exporter(name: str) -> Exporter:
    """The format of that name.

    raises: UsageError where there is none, SetupError where the package that adds it does not work
    """
    return _find(name)[0]


def _working_exporters() -> Iterator[Exporter]:
    """All formats, without those of packages that do not work."""
    for name in format_names():
        try:
            exporter = find_exporter(name)
        except SetupError:
            continue
        yield exporter


def _find(name: str) -> tuple[Exporter, Plugin | None]:
    """A format, and the plugin that it comes from."""
    if name in built_in():
        return built_in()[name], None
    plugin = find_plugin(EXPORTER_GROUP, name)
    if plugin is None:
        raise UsageError(f"{name!r} is not an export format{did_you_mean(name, format_names())}")
    exporter = plugin.load()
    if not isinstance(exporter, Exporter) or exporter.name != name:
        raise plugin.broken(f"expected an Exporter with the name {name!r}, got {exporter!r}")
    return exporter, plugin


def export(
    folder: Path,
    name: str,
    dest: Path,
    options: Options,
    link: str = "hard",
    force: bool = False,
    advance: Callable[[int], None] = lambda count: None,
    begin: Callable[[int], None] = lambda total: None,
) -> dict[str, Any]:
    """Export a data set; returns counts.

    raises: UsageError for an unknown format or an option that it does not accept, DatasetError, SetupError
    """
    exporter, plugin = _find(name)
    with plugin.errors() if plugin else nullcontext():
        check_options(exporter, options, _working_exporters())
        source = for_loaders(open_source(folder))
        identity = {"format": name, **source.identity, **options.identity}
        unclear = _unclear_objects(source, options, exporter)
        if not exporter.marks_unclear:
            source = replace(source, limits=options.limits)
        options = replace(options, row_fields=row_fields(source, options.fields))
        begin(source.images)
        with Destination(dest, identity, link, force, (source.root,)) as destination:
            return exporter.write(source, destination, options, advance) | unclear


def _unclear_objects(source: Source, options: Options, exporter: Exporter) -> dict[str, int]:
    """How many objects are not labels, for the result of the export; empty without limits."""
    if options.limits == NO_LIMITS:
        return {}
    unclear = sum(len(row.objects) - len(options.limits.clear(row.objects)) for row in source.rows())
    return {"objects_ignored" if exporter.marks_unclear else "objects_left_out": unclear}
