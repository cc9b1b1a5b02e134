"""Installed families: models that other packages add, by entry points of the group "blendgen.families".

In: the name of a family. Out: its sources: model files, which are measured in the sandbox like those of a
folder. The entry point names a function without arguments that returns them (docs/plugins.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from blendgen.errors import CatalogError
from blendgen.models.scan import check_options
from blendgen.models.source import Source
from blendgen.system.entry_points import FAMILY_GROUP, Plugin, find_plugin


def installed_sources(name: str) -> list[Source]:
    """The models of an installed family.

    raises: CatalogError if no package has it, SetupError if the package does not work
    """
    plugin = find_plugin(FAMILY_GROUP, name)
    if plugin is None:
        raise CatalogError(f"the family {name!r} is not installed; install the package that adds it")
    family = plugin.load()
    with plugin.errors():
        sources = family()
        if not isinstance(sources, Iterable):
            raise plugin.broken(f"expected a function that returns model sources, it returned {sources!r}")
        checked = [_checked(plugin, source) for source in sources]
    names = Counter(source.name.casefold() for source in checked)
    for source in checked:
        if names[source.name.casefold()] > 1:
            raise plugin.broken(f"several models have the name {source.name!r}")
    return checked


def _checked(plugin: Plugin, source: Source) -> Source:
    if not isinstance(source, Source) or not _is_model_file(source):
        raise plugin.broken(f"expected sources of model files, as models_in returns them, got {source!r}")
    try:
        check_options(source.display, source.options["unit"], source.options["up"])
    except CatalogError as error:
        raise plugin.broken(str(error)) from error
    if not Path(source.options["path"]).is_file():
        raise plugin.broken(f"the file {source.options['path']} of the model {source.name!r} is missing")
    return source


def _is_model_file(source: Source) -> bool:
    """Whether a source has the fields of a model file, of the right types."""
    options = source.options
    return (
        source.kind == "mesh"
        and all(isinstance(text, str) for text in (source.name, source.folder, source.display))
        and {"path", "unit", "up"} <= options.keys()
        and isinstance(options["path"], str)
    )
