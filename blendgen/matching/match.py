"""Match: a spec whose camera, light and surface are those of photos of the place.

In: a folder of photos without labels, perhaps a spec to start from. Out: a new spec, in which each matched
value stands with its evidence, and a JSON file with all of it next to it. The spec is checked with its
models. What photos do not tell stays as it is in the spec that it started from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.develop.encode import encode_png
from blendgen.draw.exposure import draw_sensor
from blendgen.draw.sampler import Sampler
from blendgen.draw.shot import draw_feasible_shot
from blendgen.draw.survey import CheckReport, survey
from blendgen.errors import InfeasibleShot, UsageError
from blendgen.files.folder import Folder
from blendgen.files.json_bytes import json_bytes
from blendgen.matching.edit import edited, moved
from blendgen.matching.patches import Patch, patches_of
from blendgen.matching.photo_set import PhotoSet, read_photo_set
from blendgen.matching.place_values import PlaceMatch
from blendgen.matching.sensor_values import SensorMatch
from blendgen.matching.simulation import Rig
from blendgen.matching.variety import with_variety
from blendgen.models.inventory import Inventory, load_inventory
from blendgen.models.source import Measurer
from blendgen.photos.exif import read_exif
from blendgen.photos.folder import photo_folder
from blendgen.scene.kinds.surfaces import SURFACE_KINDS
from blendgen.scene.shot import Sensor
from blendgen.spec.distributions import Distribution, SameAs, possible_values
from blendgen.spec.load import SpecFile, check_spec, load_spec
from blendgen.spec.model import Spec
from blendgen.spec.yaml_source import parse
from blendgen.starter.guess import Guess, rounded, yaml_text
from blendgen.starter.place import resolution_like
from blendgen.starter.spec import BUILT_IN_SIZES, header, spec_guesses
from blendgen.system.progress import Progress

_PATCHED = 0.4  # share of the photos that must show enough plain background
_SHOTS = 12
_NO_COLOR = Guess(("surface", "color"), None, "removed, as it would tint the photos")
_SECTIONS = ("sensor", "exposure", "surface")


@dataclass(frozen=True)
class Matched:
    """What a spec was matched to.

    spec, files: what was written; values: that were matched, with their evidence
    undetermined: what the photos do not tell; warnings: about the photos; left_out: files that are not used
    statistics: of the photos; report: of the check of the spec
    """

    spec: Path
    files: tuple[Path, ...]
    photos: int
    resolution: tuple[int, int]
    values: tuple[Guess, ...]
    undetermined: tuple[str, ...]
    warnings: tuple[str, ...]
    left_out: tuple[str, ...]
    statistics: dict[str, Any]
    report: CheckReport

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return {
            "spec": str(self.spec),
            "written": [str(file) for file in self.files],
            "photos": self.photos,
            "resolution": list(self.resolution),
            "values": [
                {"field": one.field, "value": one.value, "evidence": one.reason} for one in self.values
            ],
            "undetermined": list(self.undetermined),
            "warnings": list(self.warnings),
            "left_out": list(self.left_out),
            "statistics": self.statistics,
            "check": self.report.as_dict(),
        }


class Matcher:
    """dest: the new spec; base: a spec to start from, or None for one of built-in phones"""

    def __init__(self, place: Path, dest: Path, base: Path | None, measurer: Measurer, force: bool):
        self.place, self.dest, self.force, self.measurer = place, dest, force, measurer
        self.folder = Folder(dest.parent, ".blendgen-partial")
        self.evidence = dest.with_suffix(".match.json")
        self.background = f"{dest.stem}_background"
        self._refuse_others()
        if base is None:
            self.text, self.base = _start(place, dest.parent), None
        else:
            self.base = load_spec(base)
            self.text = moved(base.read_text("utf-8"), base.parent, dest.parent)

    def match(self, progress: Progress) -> Matched:
        start = self.base or self._checked(self.text)
        inventory = load_inventory(start, self.measurer)
        photos = read_photo_set(self.place, start.spec.resolution, progress)
        sensor = SensorMatch(photos, Rig(middle_sensor(start.spec))).run()
        place = PlaceMatch(photos, start.spec.sensor.view).run()
        patches = list(patches_of(photos))
        surface, about = self._surface(start.spec, inventory, photos, patches)
        collected = (*sensor.guesses, *_without_color(place.guesses, surface), *surface)
        guesses = tuple(with_variety(_in_order(collected), start.spec))
        written = self._write(edited(self.text, guesses), patches if surface else [])
        report = survey(written.spec, load_inventory(written, self.measurer))
        result = Matched(
            self.dest, tuple(self._files(patches if surface else [])), len(photos.photos), photos.resolution,
            guesses, (*sensor.undetermined, *place.undetermined, *about), photos.warnings, photos.left_out,
            {name: one.as_dict() for name, one in photos.statistics.items()}, report,
        )  # fmt: skip
        self.folder.write(self.evidence.name, _json(result.as_dict()))
        self.folder.remove_temporary_files()
        return result

    def _checked(self, text: str) -> SpecFile:
        return check_spec(parse(text, str(self.dest)), self.dest.parent.resolve())

    def _write(self, text: str, patches: list[Patch]) -> SpecFile:
        """Patches first: a spec that names them is checked with them."""
        for old in list(self.folder.files(self.background)) if patches else ():
            self.folder.remove(old)
        names = [f"{self.background}/{number:02d}.png" for number in range(1, len(patches) + 1)]
        for name, patch in zip(names, patches, strict=True):
            self.folder.write(name, encode_png(patch.image))
        try:
            checked = self._checked(text)
        except BaseException:
            for name in names:
                self.folder.remove(name)
            raise
        self.folder.write(self.dest.name, text.encode())
        return checked

    def _files(self, patches: list[Patch]) -> Iterator[Path]:
        yield self.dest
        yield self.evidence
        for number in range(1, len(patches) + 1):
            yield self.dest.parent / self.background / f"{number:02d}.png"

    def _surface(
        self, spec: Spec, inventory: Inventory, photos: PhotoSet, patches: list[Patch]
    ) -> tuple[list[Guess], list[str]]:
        """The surface that shows the background of the photos, and what is to be known about it."""
        with_pieces = f"{len(patches)} of {len(photos.photos)} photos show enough plain background"
        kinds = [SURFACE_KINDS[kind] for kind in possible_values(spec.surface.kind)]
        if len(patches) < max(1, _PATCHED * len(photos.photos)):
            return [], [f"surface.photos: {with_pieces} for a piece of it"]
        if any(not kind.solid or kind.backlit for kind in kinds):
            return [], ["surface.photos: the surface of the spec emits light, or is none; left as it is"]
        frame_m = _frame_width_m(spec, inventory)
        if frame_m is None:
            return [], ["surface.photos: no shot of the spec can be drawn, so their real size is not known"]
        width_m = frame_m * float(np.median([patch.share for patch in patches]))
        value = {
            "directory": self.background,
            "width_m": {"uniform": [rounded(max(0.8 * width_m, 0.01)), rounded(min(1.25 * width_m, 100))]},
        }
        reason = (
            f"pieces of the background, as {with_pieces}; their width, as the images show "
            f"{rounded(frame_m):g} m across where the products are, and photos are taken to show as much"
        )
        count = f"{len(photos.photos)} photos"
        own_color = [] if spec.surface.color is None else [_NO_COLOR]
        shown = "the background of the photos itself" + "; its color is removed" * bool(own_color)
        return [
            Guess(("surface", "kind"), "photo", shown, count),
            Guess(("surface", "photos"), value, reason, count),
            *own_color,
        ], ["the real size of surface.photos: measure it, and correct surface.photos.width_m"]

    def _refuse_others(self) -> None:
        if self.dest.suffix not in (".yaml", ".yml"):
            raise UsageError(f"{self.dest}: the name of a spec ends with .yaml")
        if self.dest.parent.exists() and not self.dest.parent.is_dir():
            raise UsageError(f"{self.dest.parent}: is not a folder; choose another one")
        there = [
            path for path in (self.dest, self.evidence, self.dest.parent / self.background) if path.exists()
        ]
        if there and not self.force:
            raise UsageError(
                f"{there[0]}: exists, and is not replaced; choose another name (-o), or add --force"
            )


def middle_sensor(spec: Spec) -> Sensor:
    """The sensor of a spec with the middle of each distribution."""
    drawn = draw_sensor(spec.sensor, Sampler(0, 0, 0))
    values = {name: getattr(spec.sensor, name, None) for name in type(drawn).model_fields}
    middles = {
        name: value.quantile(*(0.5,) * value.dimensions)
        for name, value in values.items()
        if isinstance(value, Distribution) and not isinstance(value, SameAs) and value.dimensions <= 1
    }
    return drawn.model_copy(update=middles)


def _frame_width_m(spec: Spec, inventory: Inventory) -> float | None:
    """How much of the plane of the products the images show, from left to right."""
    widths = []
    for index in range(_SHOTS):
        try:
            shot = draw_feasible_shot(spec, inventory.catalog, inventory.class_table, index)
        except InfeasibleShot:
            continue
        widths.append(shot.camera.distance_m * shot.camera.resolution[0] / shot.camera.intrinsics[0][0])
    return float(np.median(widths)) if widths else None


def _without_color(guesses: list[Guess], surface: list[Guess]) -> Iterator[Guess]:
    """A colour would tint the photos of the surface."""
    yield from (one for one in guesses if not surface or one.field != "surface.color")


def _in_order(guesses: tuple[Guess, ...]) -> tuple[Guess, ...]:
    return tuple(sorted(guesses, key=lambda one: _SECTIONS.index(str(one.path[0]))))


def _start(place: Path, folder: Path) -> str:
    """A spec of built-in phones, whose images have the shape of the photos."""
    first = photo_folder(place).files[0]
    try:
        size = resolution_like(*read_exif(first).size)
    except (OSError, ValueError, SyntaxError):
        size = [224, 224]
    guesses = spec_guesses(folder, None, None, BUILT_IN_SIZES, None)
    changed = (
        Guess(("resolution",), size, "the shape of the photos") if one.field == "resolution" else one
        for one in guesses
    )
    return header(None) + yaml_text(changed)


def _json(values: dict[str, Any]) -> bytes:
    return json_bytes({"schema_version": 1, **values})
