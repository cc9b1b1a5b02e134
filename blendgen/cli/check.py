"""blendgen check: is the spec right, are its models usable, what would be made."""

from __future__ import annotations

from collections import Counter

import click

from blendgen.cli.options import load, spec_argument, spec_options, stock
from blendgen.cli.terminal import echo, echo_json

_SAMPLE = 200
_UNUSUAL_M = 2.0


@click.command("check")
@spec_argument
@spec_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(spec, overrides, seed, render, strict, as_json):
    """Check SPEC and its models without rendering, and say what would be made."""
    spec_file = load(spec, overrides, seed, render)
    inventory = stock(spec_file, strict)
    result = {
        "schema_version": 1,
        "name": spec_file.spec.name,
        "images": spec_file.spec.images,
        "resolution": list(spec_file.spec.resolution),
        "products": len(inventory.catalog.products),
        "classes": list(inventory.class_table.classes),
        "parts": {product.name: list(product.parts) for product in inventory.catalog.products},
        "colorways": {p.name: [c.name for c in p.colorways] for p in inventory.catalog.products},
        "left_out": [str(refusal) for refusal in inventory.refusals],
        "drawn": _drawn(spec_file.spec, inventory),
    }
    if as_json:
        echo_json(result)
    else:
        _print(result)


def _drawn(spec, inventory) -> dict:
    """What the first shots look like on paper: how many leave the frame, how far the camera is."""
    from blendgen.draw.shot import draw_shot

    count = min(_SAMPLE, -(-spec.images // spec.exposures_per_shot))
    shots = [draw_shot(spec, inventory.catalog, inventory.class_table, i) for i in range(count)]
    fills = sorted(shot.camera.frame_fill for shot in shots)
    distances = sorted(shot.camera.distance_m for shot in shots)
    sizes = sorted(max(product.size_m) for product in inventory.catalog.products)
    return {
        "shots": len(shots),
        "splits": dict(sorted(Counter(shot.split for shot in shots).items())),
        "frame_fill": [round(fills[0], 3), round(fills[-1], 3)],
        "distance_m": [round(distances[0], 3), round(distances[-1], 3)],
        "largest_side_m": [round(sizes[0], 4), round(sizes[-1], 4)],
        "cut_by_the_frame": sum(fill > 1 for fill in fills),
        "smaller_than_asked": sum(fill < _least_fill(spec) - 0.005 for fill in fills),
        "least_view_m": _least_view_m(spec),
    }


def _least_view_m(spec) -> float | None:
    """What a mounted camera sees of the surface, along the shorter side, at its lowest with its longest
    lens; None for a camera that is placed by its products."""
    camera = spec.camera
    if camera.rig != "overhead":
        return None
    height, sensor = (
        distribution.support()[0]
        for distribution in (camera.distribution("height_m"), camera.sensor_width_mm)
    )
    width, short = spec.resolution[0], min(spec.resolution)
    return round(height * sensor / camera.focal_length_mm.support()[1] * short / width, 4)


def _least_fill(spec) -> float:
    fill = spec.camera.distribution("frame_fill")
    return 0.0 if fill is None else fill.support()[0]


def _print(result: dict) -> None:
    drawn, classes = result["drawn"], result["classes"]
    echo(f"{result['name']}: {result['images']} images of {result['resolution'][0]} x "
               f"{result['resolution'][1]} px")  # fmt: skip
    echo(f"{result['products']} products in {len(classes)} classes: {', '.join(classes)}")
    low, high = drawn["distance_m"]
    echo(f"camera {low:g} to {high:g} m away, products fill {drawn['frame_fill'][0]:g} to "
               f"{drawn['frame_fill'][1]:g} of the frame (first {drawn['shots']} shots)")  # fmt: skip
    small, large = drawn["largest_side_m"]
    echo(f"the largest sides of the products measure {small:g} to {large:g} m")
    if large > _UNUSUAL_M:
        echo("note: that is large for what lies on a belt or table; is the unit right? (unit: mm)")
    if drawn["least_view_m"] is not None and drawn["least_view_m"] < large:
        echo(f"note: at its lowest, with its longest lens, the camera sees {drawn['least_view_m']:g} m "
                   "of the surface; where products do not fit the data set stops: raise camera.height_m or "
                   "lower focal_length_mm")  # fmt: skip
    if drawn["smaller_than_asked"]:
        echo(f"note: in {drawn['smaller_than_asked']} of them so wide a lens cannot come near enough "
                   "to fill the frame as asked; raise focal_length_mm")  # fmt: skip
    if drawn["cut_by_the_frame"]:
        echo(f"note: in {drawn['cut_by_the_frame']} of them the frame cuts a product off; "
                   "raise camera.distance_m or lower focal_length_mm")  # fmt: skip
    echo("ok")
