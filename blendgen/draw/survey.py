"""Survey: what a spec would make, learned from its first shots without rendering them.

In: a checked spec and its measured products. Out: a CheckReport: classes and products, how far the camera
is, how much of the frame the products fill, which draws are infeasible, and notes on what is probably not
wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from blendgen.draw.attempts import first_feasible, refuse_systematic
from blendgen.draw.shot import draw_shot
from blendgen.errors import GeometryError, InfeasibleShot
from blendgen.models.inventory import Inventory
from blendgen.models.product import Catalog
from blendgen.scene.shot import Shot
from blendgen.spec.model import Spec

MAX_SHOTS = 200
_UNUSUAL_M = 2.0
_FILL_TOLERANCE = 0.005
_MAX_INFEASIBLE_SHARE = 0.1  # of the draws, before it is worth a note


@dataclass(frozen=True)
class InfeasibleDraws:
    """Draws that failed for one reason.

    reason: of errors.Reason; draws: how many; example: the message of one of them
    """

    reason: str
    draws: int
    example: str


@dataclass(frozen=True)
class SampledShots:
    """Statistics of the first shots; ranges are (lowest, highest).

    shots: how many were sampled; given_up: how many more have no feasible draw, so that their images cannot
        be made
    splits: how many of `shots` are in each split
    frame_fill: share of the frame that the products fill; distance_m: from the camera to the products
    largest_side_m: of the products, over all of them
    cut_by_the_frame: shots in which a product reaches out of the image
    below_frame_fill: shots in which the products fill less of the frame than the spec wants
    smallest_view_m: shorter side of the surface that an overhead camera shows at its lowest, with its
        longest lens; None for other cameras
    draws: of all these shots, the infeasible ones included
    infeasible: the infeasible ones by reason, the most frequent first
    """

    shots: int
    given_up: int
    splits: dict[str, int]
    frame_fill: tuple[float, float]
    distance_m: tuple[float, float]
    largest_side_m: tuple[float, float]
    cut_by_the_frame: int
    below_frame_fill: int
    smallest_view_m: float | None
    draws: int
    infeasible: tuple[InfeasibleDraws, ...]


@dataclass(frozen=True)
class CheckReport:
    """What a spec would make.

    name, images, resolution: of the spec; resolution is (width, height) in pixels
    products: how many can be used; classes: labels in the order of label_id
    parts, colorways: names, by product
    left_out: models that cannot be used, each with its reason
    sampled: statistics of the first shots
    """

    name: str
    images: int
    resolution: tuple[int, int]
    products: int
    classes: tuple[str, ...]
    parts: dict[str, tuple[str, ...]]
    colorways: dict[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    sampled: SampledShots

    @property
    def notes(self) -> list[str]:
        """What is probably not wanted, each with a way out."""
        sampled, notes = self.sampled, []
        largest_m = sampled.largest_side_m[1]
        if largest_m > _UNUSUAL_M:
            notes.append(
                f"a side of {largest_m:g} m is large for products on a belt or table; check the unit of "
                "the models (unit: mm)"
            )
        if sampled.smallest_view_m is not None and sampled.smallest_view_m < largest_m:
            notes.append(
                f"at its lowest, with its longest lens, the camera shows {sampled.smallest_view_m:g} m of "
                "the surface, less than the largest product; raise camera.height_m or lower "
                "camera.focal_length_mm"
            )
        if sampled.below_frame_fill:
            notes.append(
                f"in {sampled.below_frame_fill} of {sampled.shots} shots the products fill less of the frame "
                "than camera.frame_fill: with such a wide lens the camera would be too close; raise "
                "camera.focal_length_mm"
            )
        if sampled.cut_by_the_frame:
            notes.append(
                f"in {sampled.cut_by_the_frame} of {sampled.shots} shots the frame cuts a product off; raise "
                "camera.distance_m or lower camera.focal_length_mm"
            )
        if sampled.given_up:
            notes.append(
                f"{sampled.given_up} of the first {sampled.shots + sampled.given_up} shots have no feasible "
                "draw; their images cannot be made, and will be missing from the data set; narrow the "
                "distributions that do not go together"
            )
        share = 1 - sampled.shots / sampled.draws
        if share > _MAX_INFEASIBLE_SHARE:
            notes.append(
                f"{share:.0%} of the draws are infeasible and are drawn again, so that some values are rarer "
                "in the images than in the spec; narrow the distributions that do not go together"
            )
        return notes

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return asdict(self) | {"notes": self.notes}


def survey(spec: Spec, inventory: Inventory) -> CheckReport:
    """Sample the first shots of a spec, at most MAX_SHOTS.

    raises: InfeasibleShot if none of them has a feasible draw; GeometryError where a run would stop for it
    """
    catalog = inventory.catalog
    shots, given_up, faults = _drawn_shots(spec, inventory)
    return CheckReport(
        name=spec.name,
        images=spec.images,
        resolution=spec.resolution,
        products=len(catalog.products),
        classes=tuple(inventory.class_table.classes),
        parts={product.name: tuple(product.parts) for product in catalog.products},
        colorways={p.name: tuple(colorway.name for colorway in p.colorways) for p in catalog.products},
        left_out=tuple(str(refusal) for refusal in inventory.refusals),
        sampled=_statistics(spec, catalog, shots, len(given_up), faults),
    )


def _drawn_shots(
    spec: Spec, inventory: Inventory
) -> tuple[list[Shot], list[InfeasibleShot], list[GeometryError]]:
    """The first shots, those of them that have no feasible draw, and the errors of all infeasible draws."""
    shots: list[Shot] = []
    given_up: list[InfeasibleShot] = []
    faults: list[GeometryError] = []
    for index in range(min(MAX_SHOTS, -(-spec.images // spec.exposures_per_shot))):
        try:
            shots.append(_drawn(spec, inventory, index, faults))
        except InfeasibleShot as shot:
            given_up.append(shot)
            if not shots:
                refuse_systematic([(str(one.fault.reason), str(one.fault)) for one in given_up])
    if not shots:
        raise given_up[0]
    return shots, given_up, faults


def _drawn(spec: Spec, inventory: Inventory, index: int, faults: list[GeometryError]) -> Shot:
    """The first feasible draw of a shot; adds the errors of those before it to `faults`."""

    def draw(attempt: int) -> Shot:
        try:
            return draw_shot(spec, inventory.catalog, inventory.class_table, index, attempt)
        except GeometryError as fault:
            faults.append(fault)
            raise

    return first_feasible(index, draw)


def _by_reason(faults: Sequence[GeometryError]) -> tuple[InfeasibleDraws, ...]:
    examples = {str(fault.reason): str(fault) for fault in faults}
    counts = Counter(str(fault.reason) for fault in faults)
    return tuple(InfeasibleDraws(reason, n, examples[reason]) for reason, n in counts.most_common())


def _statistics(
    spec: Spec, catalog: Catalog, shots: Sequence[Shot], given_up: int, faults: Sequence[GeometryError]
) -> SampledShots:
    fills = [shot.camera.frame_fill for shot in shots]
    wanted_fill = _lowest_frame_fill(spec) - _FILL_TOLERANCE
    return SampledShots(
        shots=len(shots),
        given_up=given_up,
        splits=dict(sorted(Counter(shot.split for shot in shots).items())),
        frame_fill=_range(fills, 3),
        distance_m=_range([shot.camera.distance_m for shot in shots], 3),
        largest_side_m=_range([max(product.size_m) for product in catalog.products], 4),
        cut_by_the_frame=sum(fill > 1 for fill in fills),
        below_frame_fill=sum(fill < wanted_fill for fill in fills),
        smallest_view_m=_smallest_view_m(spec),
        draws=len(shots) + len(faults),
        infeasible=_by_reason(faults),
    )


def _range(values: Sequence[float], digits: int) -> tuple[float, float]:
    return round(min(values), digits), round(max(values), digits)


def _smallest_view_m(spec: Spec) -> float | None:
    camera = spec.camera
    if camera.rig != "overhead":
        return None
    height_m = camera.sampled("height_m").support()[0]
    sensor_width_mm, focal_length_mm = (
        camera.sensor_width_mm.support()[0],
        camera.focal_length_mm.support()[1],
    )
    width, shorter = spec.resolution[0], min(spec.resolution)
    return round(height_m * sensor_width_mm / focal_length_mm * shorter / width, 4)


def _lowest_frame_fill(spec: Spec) -> float:
    fill = spec.camera.distribution("frame_fill")
    return 0.0 if fill is None else fill.support()[0]
