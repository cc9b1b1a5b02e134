"""Entry points: what other installed packages add to blendgen.

In: a group of entry points. Out: the plugins of that group by name, and the objects behind them. A plugin is
imported when its name is used, not before. One that fails is reported with the name of its package.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from blendgen.errors import BlendgenError, SetupError

EXPORTER_GROUP = "blendgen.exporters"
FAMILY_GROUP = "blendgen.families"


@dataclass(frozen=True)
class Plugin:
    """An entry point; its name is what a spec or a command line calls it."""

    entry: EntryPoint

    @property
    def package(self) -> str:
        """Name and version of the package that declares it."""
        distribution = self.entry.dist
        return f"{distribution.name} {distribution.version}" if distribution else "(unknown)"

    def load(self) -> Any:
        """The object that the entry point names; raises SetupError that names the package."""
        with self.errors():
            return self.entry.load()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raises SetupError for an error of the package's code; a BlendgenError passes as it is."""
        try:
            yield
        except (BlendgenError, MemoryError, BrokenPipeError):
            raise
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            raise self.broken(f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})") from error

    def broken(self, reason: str) -> SetupError:
        """The error that names the package."""
        return SetupError(
            f"the package {self.package}, which adds {self.entry.name!r} to {self.entry.group}, does not "
            f"work: {reason}; update or uninstall it"
        )


def plugin_names(group: str) -> list[str]:
    """The names that installed packages add to a group, sorted; imports nothing."""
    return sorted({entry.name for entry in entry_points(group=group)})


def find_plugin(group: str, name: str) -> Plugin | None:
    """The plugin of that name; None where no package adds it.

    raises: SetupError where several packages do
    """
    plugins = [Plugin(entry) for entry in entry_points(group=group, name=name)]
    if len(plugins) > 1:
        packages = ", ".join(sorted(plugin.package for plugin in plugins))
        raise SetupError(f"several packages add {name!r} to {group}: {packages}; uninstall all but one")
    return plugins[0] if plugins else None
