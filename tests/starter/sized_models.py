"""Models for tests whose files hold their size, and a measurer that reads it instead of Blender."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from blendgen.models.measuring.entry import write_measured, write_refusal
from blendgen.models.product import OVERSIZED_ADVICE, Colorway, Measured, Refusal, StablePose
from blendgen.scene.vocabulary import METRES_PER_UNIT
from blendgen.starter.create import Started, create_spec
from tests.conftest import box_hull
from tests.models.measurers import UPRIGHT, Jobs

_MOST_M = 100.0
ON_ITS_SIDE = StablePose(((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)), 1.0)


class SizedMeasurer:
    """Reads "x y z" in the unit of the source, metres by default; anything else cannot be used.

    "x y z lies": it stands with the y axis of its file up, and falls over otherwise
    """

    digest = "sized"

    def measure(self, jobs: Jobs) -> Generator[Refusal | None]:
        for source, folder in jobs:
            reason = self._measure(Path(source.options["path"]), source.options["unit"], folder)
            yield None if reason is None else Refusal(source.display, reason)

    def _measure(self, file: Path, unit: str | None, folder: Path) -> str | None:
        text, lies, _ = file.read_text().partition(" lies")
        try:
            size = tuple(float(word) * METRES_PER_UNIT[unit or "m"] for word in text.split())
        except ValueError:
            return self._refuse(folder, "a point cloud")
        if max(size) > _MOST_M:
            return self._refuse(folder, f"largest side is {max(size):g} m; {OVERSIZED_ADVICE}")
        (folder / "asset.blend").write_bytes(b"BLENDER")
        colorways = (Colorway("default", {}),)
        poses = (ON_ITS_SIDE if lies else UPRIGHT,)
        measured = Measured("mesh", size, box_hull(size), poses, colorways, ("body",), 12)
        write_measured(folder, measured, ())
        return None

    def _refuse(self, folder: Path, reason: str) -> str:
        write_refusal(folder, reason, ())
        return reason


def write_models(folder: Path, **sizes: str) -> Path:
    """sizes: of each file; "__" in its name is the dot before its suffix, "___" a folder."""
    for name, size in sizes.items():
        path = folder / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(size)
    return folder


def started(folder: Path, models: Path | None, photo: Path | None = None) -> Started:
    return create_spec(folder, models, photo, SizedMeasurer())


def value(result: Started, field: str):
    """The value of an active guess; None if there is none."""
    return next((one.value for one in result.guesses if one.field == field and one.is_active), None)
