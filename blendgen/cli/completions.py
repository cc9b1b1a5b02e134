"""Completions: what a shell suggests for a value; its user waits, so only what is needed is imported."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

    Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

# what shells read otherwise in a name, such as spaces, quotes and $
_ODD = re.compile(r"^-|[^\w~./%+,@=-]")
# written by `make docs`
SPEC_FIELDS = Path(__file__).with_name("spec_fields.txt")


def one_of(names: Callable[[], Iterable[str]]) -> Complete:
    """A completion for click: those of the names that begin with what was typed."""

    def complete(_context: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
        return items(name for name in names() if name.startswith(typed))

    return complete


def items(names: Iterable[str]) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names]


def specs(_context: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """YAML files and the folders next to them; all files where no YAML file fits, or a name needs quotes."""
    from click.shell_completion import CompletionItem

    head, slash, _ = typed.rpartition("/")
    folder = head + slash
    fitting = [path for path in _entries(folder or ".") if (folder + path.name).startswith(typed)]
    specs = [folder + path.name for path in fitting if path.suffix in (".yaml", ".yml")]
    folders = [f"{folder}{path.name}/" for path in fitting if _is_folder(path) and path.name[0] != "."]
    names = [*specs, *folders]
    if not specs or any(_ODD.search(name) for name in names):  # the shell itself puts quotes where needed
        return [CompletionItem(typed, type="file")]
    return items(names)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # of a folder that may be listed but not looked into
        return False


def _entries(folder: str) -> list[Path]:
    try:
        return sorted(Path(folder).expanduser().iterdir())
    except (OSError, RuntimeError):  # not there, or ~ of nobody
        return []


def render_presets() -> list[str]:
    from blendgen.system.resources import resource_folder

    return sorted(path.stem for path in resource_folder("configs").joinpath("render").glob("*.yaml"))


def formats() -> list[str]:
    """The export formats, each of which has the name of its module; without the import of all of them."""
    import blendgen.exporters
    from blendgen.system.entry_points import EXPORTER_GROUP, plugin_names

    names = [module.name for module in pkgutil.iter_modules(blendgen.exporters.__path__)]
    folder = Path(blendgen.exporters.__path__[0])
    own = [name for name in names if "\nEXPORTER = " in (folder / f"{name}.py").read_text("utf-8")]
    return sorted({*own, *plugin_names(EXPORTER_GROUP)})


def settings() -> list[str]:
    """What may follow --set: the fields of a spec, by dotted name."""
    return [f"{name}=" for name in spec_fields()]


def spec_fields() -> list[str]:
    """The fields and sections of a spec, without those in lists; from a file, as Spec imports slowly."""
    return SPEC_FIELDS.read_text("utf-8").split()
