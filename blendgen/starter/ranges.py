"""Ranges: values of a spec that suit models of these sizes.

In: the largest side of each model. Out: Guesses for camera, surface, lamps and the number of images. The
camera is as far away as a person or a machine would look at such a thing; the lens follows from that.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from blendgen.starter.guess import Guess, rounded, uniform

FRAME_FILL = (0.45, 0.85)
FRAME_FILL_PATH = ("camera", "frame_fill")
SENSOR_WIDTH_MM = 36.0
# of the camera: the closest that usual lenses focus, and the closest for large things, in largest sides
_NEAREST_M, _NEAREST_SIDES = 0.15, 1.4
_FARTHEST_M, _FARTHEST_SIDES = 0.4, 3.0
_FOCAL_LENGTHS_MM = (24.0, 400.0)
_TABLE_M = 0.6  # larger things lie on no table
_FLAT = 0.06  # thickness of a card or a plate, as a share of its largest side
_IMAGES_PER_CLASS, _FEWEST_IMAGES, _MOST_IMAGES = 200, 400, 200_000
_WIDE_RANGE = 8.0  # largest by smallest model, above which one lens does not suit all
_FLOOR_COLORS = ["#6f6f6c", "#8f8c85", "#b7b3aa", "#4b4c4e"]


@dataclass(frozen=True)
class Sizes:
    """Largest sides of the models, metres.

    flat: most are cards or plates; lies_flat: also as modelled
    """

    smallest_m: float
    usual_m: float
    largest_m: float
    flat: bool = False
    lies_flat: bool = False

    @classmethod
    def of(cls, sizes_m: Sequence[tuple[float, float, float]]) -> Sizes:
        """sizes_m: (x, y, z) of each model"""
        sides = [max(size) for size in sizes_m]
        flat, lies_flat = (
            statistics.median(share(size) / max(size) for size in sizes_m) < _FLAT
            for share in (min, lambda size: size[2])
        )
        return cls(min(sides), statistics.median(sides), max(sides), flat, lies_flat)

    @property
    def is_large(self) -> bool:
        return self.usual_m > _TABLE_M

    @property
    def text(self) -> str:
        return span(self.smallest_m, self.largest_m)

    @property
    def is_wide(self) -> bool:
        return self.largest_m / self.smallest_m > _WIDE_RANGE


def length(metres: float) -> str:
    """A length as a person would say it."""
    if metres < 0.1:
        return f"{rounded(1000 * metres):g} mm"
    return f"{rounded(100 * metres):g} cm" if metres < 1 else f"{rounded(metres):g} m"


def span(low_m: float, high_m: float) -> str:
    """Two lengths, with one unit if they have the same."""
    low, high = length(low_m), length(high_m)
    if low == high:
        return low
    (number, unit), other = low.split(), high.split()[1]
    return f"{number} to {high}" if unit == other else f"{low} to {high}"


def focal_lengths_mm(sizes: Sizes) -> tuple[float, float]:
    """Lenses with which a usual model fills the frame from where one would look at it."""
    fill, side_m = sum(FRAME_FILL) / 2, sizes.usual_m
    nearest_m = max(_NEAREST_M, _NEAREST_SIDES * side_m)
    farthest_m = max(_FARTHEST_M, _FARTHEST_SIDES * side_m)
    shortest, longest = _FOCAL_LENGTHS_MM
    low, high = (SENSOR_WIDTH_MM * away_m * fill / side_m for away_m in (nearest_m, farthest_m))
    return min(max(low, shortest), longest / 2), min(max(high, 2 * shortest), longest)


def nearest_m(side_m: float, lens_mm: float) -> float:
    """The closest camera for a model of this size."""
    return side_m * lens_mm / SENSOR_WIDTH_MM / FRAME_FILL[1]


def _between(least: float, value: float, most: float) -> float:
    return min(max(value, least), most)


def image_count(classes: int) -> int:
    return min(max(_FEWEST_IMAGES, _IMAGES_PER_CLASS * classes), _MOST_IMAGES)


def images_guess(classes: int) -> Guess:
    each = max(1, image_count(classes) // max(classes, 1))
    counted = f"{each} for each of {classes} classes" if classes > 1 else "of the one class"
    return Guess(("images",), image_count(classes), f"{counted}; `generate -n 40` makes the first 40")


def surface_guesses(sizes: Sizes, color: Guess | None) -> Iterator[Guess]:
    """color: read off a photo, which says nothing about what the surface is made of."""
    if sizes.is_large:
        yield Guess(
            ("surface", "kind"),
            "paper",
            f"a plain floor, 12 m wide, as most models measure {length(sizes.usual_m)}",
        )
        yield color or Guess(
            ("surface", "color"), {"choice": _FLOOR_COLORS}, "greys of asphalt and concrete (sRGB)"
        )
        return
    kinds = ["belt_pvc", "paper"] if color else ["wood_table", "paper", "steel_table", "belt_rubber"]
    reason = "these take a colour; what the place is made of is not read" if color else "where the things lie"
    yield Guess(("surface", "kind"), {"choice": kinds}, f"{reason}; more: docs/surfaces.md")
    if color:
        yield color
    width = uniform(_between(0.5, 3 * sizes.largest_m, 2.5), _between(1.4, 5 * sizes.largest_m, 5))
    yield Guess(("surface", "width_m"), width, "of the table or belt; wider if models do not fit")


def pose_guess(sizes: Sizes) -> Guess:
    path = ("placement", "pose")
    if sizes.is_large:
        return Guess(path, "upright", "large models stand as modelled; resting: they also lie on their side")
    if sizes.lies_flat:
        return Guess(path, "upright", "flat models lie as modelled; resting: they also show their back")
    return Guess(path, "resting", "as it comes to lie; upright: as modelled")


def camera_guesses(sizes: Sizes, lens: Guess | None) -> Iterator[Guess]:
    """lens: read off a photo."""
    lenses = focal_lengths_mm(sizes)
    yield Guess(FRAME_FILL_PATH, uniform(*FRAME_FILL), "45 to 85 % of the frame; the distance follows")
    away_m = nearest_m(sizes.largest_m, lenses[1])
    away = uniform(min(away_m, 60), min(1.5 * away_m, 90))
    instead = "instead, if size tells classes apart (and one focal_length_mm)"
    yield Guess(("camera", "distance_m"), away, instead, is_active=False)
    yield _elevation(sizes)
    yield lens or Guess(
        ("camera", "focal_length_mm"), uniform(*lenses), f"from the models, {sizes.text}; on 36 mm of sensor"
    )


def _elevation(sizes: Sizes) -> Guess:
    path = ("camera", "elevation_deg")
    if sizes.is_large:
        return Guess(path, uniform(20, 60), "as from a mast; 90 is from above")
    if sizes.flat:
        return Guess(path, uniform(40, 90), "flat models show little from the side; 90 is from above")
    return Guess(path, uniform(25, 90), "above the horizon; 90 is straight from above")


def lighting_guesses(sizes: Sizes) -> Iterator[Guess]:
    lamps, side_m = ("lighting", "lamps"), sizes.usual_m
    places = ["courtyard", "city", "sunset"] if sizes.is_large else ["studio", "interior", "city"]
    yield Guess(("lighting", "environment", "image"), {"choice": places}, "light from all around")
    yield Guess((*lamps, "count"), {"choice": [1, 2, 3]}, "each throws a shadow")
    distance = uniform(_between(0.5, 2.5 * side_m, 20), _between(1.5, 6 * side_m, 50))
    yield Guess((*lamps, "distance_m"), distance, "from the models; farther for larger ones")
    size = uniform(_between(0.1, 0.7 * side_m, 4), _between(0.6, 2 * side_m, 10))
    yield Guess((*lamps, "size_m"), size, "small lamps throw hard shadows, large ones soft")
