"""`make docs`: the pages made from the code: commands.md, spec.md, gallery.md, a table of dataset.md.

In: the click commands, the Spec model, all kinds, the registry of label files. Out: Markdown.
tests/test_docs.py holds that the committed pages are these; nothing in what is made is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import BaseModel

from blendgen import cli
from blendgen.cli.completions import SPEC_FIELDS
from blendgen.dataset.label_file import LabelFile
from blendgen.dataset.label_registry import LABEL_FILES
from blendgen.models.families.clutter_items import CLUTTER
from blendgen.models.families.occluder_items import OCCLUDERS
from blendgen.models.families.phones import load_phones
from blendgen.scene.kinds.containers import CONTAINER_KINDS
from blendgen.scene.kinds.environments import ENVIRONMENTS
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.kinds.stickers import STICKER_KINDS
from blendgen.scene.kinds.surfaces import SURFACE_KINDS
from blendgen.scene.vocabulary import FAMILIES
from blendgen.spec.condition import ConditionSection
from blendgen.spec.distributions import Distribution
from blendgen.spec.fields import distribution_field
from blendgen.spec.model import Spec
from blendgen.spec.output import Output
from blendgen.spec.presets import preset_names, preset_values
from blendgen.spec.render import RenderSettings
from blendgen.spec.sensor import SensorSettings

DOCS = Path(__file__).resolve().parent.parent / "docs"
GALLERY = DOCS / "pictures" / "gallery"
GALLERY_COLUMNS = 4
_GALLERY_INTRO = """# Gallery

Everything that is built in, rendered by blendgen, with the name that a spec uses. [spec.md](spec.md) has the
keys. To see your own scene with each value of a key: `blendgen preview SPEC --vary surface.kind`.
"""
MADE = "<!-- made by `make docs` from the code; do not edit -->\n"
OWN_TABLE = (RenderSettings, SensorSettings)


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """The program and each of its commands, with what a user types; parts of a command come after it."""
    yield "blendgen", cli.group
    for name in cli._COMMANDS:
        command = cli.group.get_command(None, name)
        yield f"blendgen {name}", command
        if isinstance(command, click.Group):
            yield from ((f"blendgen {name} {part}", inner) for part, inner in command.commands.items())


def commands_page() -> str:
    """Every command's --help."""
    parts = [MADE, "# Commands\n"]
    for title, command in all_commands():
        context = click.Context(
            command, info_name=title, max_content_width=96, help_option_names=["-h", "--help"]
        )
        parts.append(f"## {title}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def spec_page() -> str:
    """Every key of a spec: what it takes, its default, what it means."""
    parts = [MADE, (DOCS / "spec_intro.md").read_text("utf-8"), "## Keys\n"]
    parts += _tables(Spec, "")
    parts += ["## Names\n", *_names()]
    parts += ["## Presets\n", *_presets("sensors", SensorSettings), *_presets("render", RenderSettings)]
    return "\n".join(parts)


def _tables(model: type[BaseModel], prefix: str) -> list[str]:
    rows, below = [], []
    for name, field in model.model_fields.items():
        inner = _section(field.annotation)
        if inner in OWN_TABLE or inner is None:
            rows.append(
                f"| `{prefix}{name}` | {default_of(field)} | {span(field)} | {_escaped(field.description)} |"
            )
        else:
            repeated = "[]" if "list" in str(field.annotation) else ""
            below += _tables(inner, f"{prefix}{name}{repeated}.")
    title = prefix.rstrip(".") or "top level"
    table = ["| key | default | range | meaning |", "| --- | --- | --- | --- |", *rows, ""]
    return (
        [f"### {title}\n", _escaped(model.__doc__).split(": the root")[0] + "\n", *table, *below]
        if rows
        else below
    )


def span(field) -> str:
    """The values that a field takes: its bounds, or its words."""
    distribution = distribution_field(field)
    if distribution is not None:
        return distribution.span()
    words = [word for one in (field.annotation, *get_args(field.annotation)) if get_origin(one) is Literal
             for word in get_args(one)]  # fmt: skip
    if words:
        return ", ".join(_yaml(word) for word in words)
    if field.annotation is bool:
        return "true, false"
    bounds = {type(bound).__name__.lower(): bound for bound in field.metadata}
    low, high = (getattr(bounds.get(side), side, None) for side in ("ge", "le"))
    return f"{low} to {high}" if low is not None and high is not None else ""


def _section(annotation) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def default_of(field) -> str:
    if field.is_required():
        return "required" if _section(field.annotation) not in OWN_TABLE else "see presets"
    value = field.default.plain() if isinstance(field.default, Distribution) else field.default
    return "" if value is None else f"`{_yaml(value)}`"


def _yaml(value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _escaped(text: str | None) -> str:
    return " ".join((text or "").replace("|", "\\|").split())


def _docs(kinds: Mapping[str, Any]) -> dict[str, str]:
    return {name: kind.doc for name, kind in kinds.items()}


def _names() -> list[str]:
    tables = {
        "Surfaces": _docs(SURFACE_KINDS),
        "Containers": _docs(CONTAINER_KINDS),
        "Environments": _docs(ENVIRONMENTS),
        "Lamps": _docs(LAMP_KINDS),
        "Stickers": _docs(STICKER_KINDS),
        "Built-in families": FAMILIES,
        "Clutter": _docs(CLUTTER),
        "Occluders": _docs(OCCLUDERS),
        "Phones": {name: ", ".join(phone.colorways) for name, phone in load_phones().items()},
    }
    lines = []
    for title, names in tables.items():
        lines += [f"### {title}\n", *(f"- `{name}`: {meaning}" for name, meaning in names.items()), ""]
    return lines


def _presets(kind: str, model: type[BaseModel]) -> list[str]:
    names = preset_names(kind)
    values = {name: preset_values(kind, name) for name in names}
    fields = model.model_fields
    head = f"| field | range | {' | '.join(f'`{n}`' for n in names)} | meaning |"
    rows = [
        f"| `{field}` | {span(info)} | {' | '.join(_yaml(values[n].get(field, '')) for n in names)} "
        f"| {_escaped(info.description)} |"
        for field, info in fields.items()
    ]
    rule = "| --- " * (len(names) + 3) + "|"
    return [f"### configs/{kind}\n", _escaped(model.__doc__) + "\n", head, rule, *rows, ""]


def gallery_page() -> str:
    """A picture of everything that is built in, with its name and meaning."""
    parts = [MADE, _GALLERY_INTRO]
    for (title, folder, about), captions in _gallery_sections().items():
        cells = [_gallery_cell(folder, name, caption) for name, caption in captions.items()]
        cells += [""] * (-len(cells) % GALLERY_COLUMNS)
        starts = range(0, len(cells), GALLERY_COLUMNS)
        rows = [f"| {' | '.join(cells[start : start + GALLERY_COLUMNS])} |" for start in starts]
        head = ["| " * GALLERY_COLUMNS + "|", "| --- " * GALLERY_COLUMNS + "|"]
        parts.append("\n".join([f"## {title}\n\n{about}\n", *head, *rows, ""]))
    return "\n".join(parts)


def _gallery_sections() -> dict[tuple[str, str, str], dict[str, str]]:
    """(title, folder of the pictures, what they show) -> picture -> caption"""
    lamps = "`lighting.lamps.kind`, one lamp each, with the environment dimmed."
    environments = "`lighting.environment.image`, with the lamp six stops down."
    wear = "Each mark at full strength, on a phone with its screen up; cases."
    return {
        ("Surfaces", "surfaces", "`surface.kind`, with `wear: 0.5` and `dust: 0.3`."): _captions(
            SURFACE_KINDS
        ),
        ("Containers", "surfaces", "`container.kind`."): _captions(CONTAINER_KINDS),
        ("Lamps", "lamps", lamps): _captions(LAMP_KINDS),
        ("Environments", "environments", environments): _captions(ENVIRONMENTS),
        ("Wear", "wear", wear): _captions_of_wear(),
        ("Clutter", "clutter", "`catalog: clutter`, in one of several colourways."): _captions(CLUTTER),
        ("Occluders", "occluders", "`catalog: occluders`, lying on the ground."): _captions(OCCLUDERS),
        ("Phones", "phones", "`catalog: phones`, back and front."): {
            n: f"`{n}`" for n in sorted(load_phones())
        },
    }


def _captions(kinds: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"`{name}`: {_escaped(kind.doc)}" for name, kind in kinds.items()}


def _captions_of_wear() -> dict[str, str]:
    fields = ConditionSection.model_fields
    marks = {name: f"`condition.{name}`: {_escaped(field.description)}" for name, field in fields.items()}
    del marks["stickers"]  # a picture of each kind
    for name, kind in STICKER_KINDS.items():
        marks[f"sticker_{name}"] = f"`condition.stickers`: {_escaped(kind.doc)}"
    return marks | {"case": "`products[].case`: in a colour", "case_clear": "`products[].case`: clear"}


def _gallery_cell(folder: str, name: str, caption: str) -> str:
    return f"![{name}]({GALLERY.relative_to(DOCS).as_posix()}/{folder}/{name}.webp)<br>{caption}"


def dataset_page() -> str:
    """The page as it is, with its table of label files."""
    head, rest = (DOCS / "dataset.md").read_text("utf-8").split("<!-- label files: ")
    comment, rest = rest.split("\n", 1)
    tail = rest.split("<!-- end -->", 1)[1]
    rows = [f"| {_output_key(kind)} | `{kind.folder}/*{'`, `*'.join(kind.suffixes)}` | {kind.content} |"
            for kind in LABEL_FILES.values()]  # fmt: skip
    table = ["| `output` | file | what it holds |", "| --- | --- | --- |", *rows]
    return "\n".join([f"{head}<!-- label files: {comment}", *table, f"<!-- end -->{tail}"])


def _output_key(kind: LabelFile) -> str:
    keys = [name for name in (kind.name, kind.folder) if name in Output.model_fields]
    return f"`{keys[0]}`" if keys else "always"


PAGES = {
    "commands.md": commands_page,
    "spec.md": spec_page,
    "gallery.md": gallery_page,
    "dataset.md": dataset_page,
}


def spec_fields_file() -> str:
    """The fields and sections of a spec, by dotted name, for completion; not those in lists."""
    return "".join(f"{name}\n" for name in _field_names(Spec, ""))


def _field_names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        inner = None if "list" in str(field.annotation) else _section(field.annotation)
        if inner is not None:
            yield from _field_names(inner, f"{prefix}{name}.")


def main() -> None:
    SPEC_FIELDS.write_text(spec_fields_file(), "utf-8")
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
