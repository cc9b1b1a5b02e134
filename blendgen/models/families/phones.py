"""The built-in family "phones": descriptions in assets/phones -> sources and colourways.

In: YAML files, one a model. Out: `Phone` descriptions, the `Source`s that a measurer reads, and
each model's colourways by material-slot name. An invalid file is a CatalogError that names the file and the
field. No geometry is built here: that is the engine's work.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from blendgen.errors import CatalogError
from blendgen.geometry.color import hex_to_srgb
from blendgen.models.families.phone_model import Finishes, Phone
from blendgen.models.product import Colorway, MaterialOverride
from blendgen.models.source import Source
from blendgen.system.resources import resource_folder

FOLDER = "phones"
DARK_GLASS = "#060607"
# libyaml, if PyYAML was built with it, saves 0.2 seconds in every command
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_phones() -> dict[str, Phone]:
    """All built-in phones by name, sorted; raises CatalogError for an invalid file."""
    files = sorted((resource_folder("assets") / FOLDER).glob("*.yaml"))
    if not files:
        raise CatalogError("the folder assets/phones contains no phone description")
    return {file.stem: load_phone(file) for file in files}


def load_phone(file: Path) -> Phone:
    """One description; raises CatalogError that names the file and every wrong field."""
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), _LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogError(f"{file}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise CatalogError(f"{file}: a phone description is a mapping, got {type(data).__name__}")
    try:
        return Phone.model_validate(data)
    except ValidationError as error:
        raise CatalogError("\n".join(_fault(file, fault) for fault in error.errors())) from error


def _fault(file: Path, fault) -> str:
    field = ".".join(str(step) for step in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    value = fault["input"]
    shown = f", got {value!r}" if isinstance(value, str | int | float) else ""
    return f"{file}: {field}: {message}{shown}" if field else f"{file}: {message}"


def phone_sources() -> list[Source]:
    """A source for each built-in phone, sorted by name; raises CatalogError."""
    return [_source(name, phone) for name, phone in load_phones().items()]


def _source(name: str, phone: Phone) -> Source:
    return Source(
        name=name,
        folder=FOLDER,
        kind="phone",
        options=phone.model_dump(mode="json"),
        display=f"{FOLDER}/{name}",
    )


def phone_colorways(phone: Phone) -> tuple[Colorway, ...]:
    """The colourways of a phone, in the order of its file, by material-slot name."""
    return tuple(
        Colorway(
            name, {slot: MaterialOverride(color) for slot, color in _slot_colors(phone, finishes).items()}
        )
        for name, finishes in phone.colorways.items()
    )


def _slot_colors(phone: Phone, finishes: Finishes) -> dict[str, str]:
    colors = {
        "back": finishes.back,
        "frame": finishes.frame,
        "button": finishes.frame,
        "lens_ring": finishes.lens_ring or finishes.frame,
        "emblem": finishes.emblem or finishes.frame,
        "bezel": finishes.bezel or DARK_GLASS,
    }
    if any(getattr(phone.antennas, field) for field in type(phone.antennas).model_fields):
        colors["antenna"] = finishes.antenna or _antenna_color(finishes.frame)
    if phone.island:
        colors["island"] = finishes.island or finishes.back
    return colors


def _antenna_color(frame: str) -> str:
    """Antenna lines are plastic and never quite match the metal: they are darker, or lighter on black."""
    channels = hex_to_srgb(frame)
    target, share = (1.0, 0.11) if max(channels) < 0.35 else (0.0, 0.24)
    mixed = [(1 - share) * channel + share * target for channel in channels]
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in mixed)
