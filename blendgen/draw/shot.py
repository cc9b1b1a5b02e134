"""draw(spec, catalog, index) -> Shot and Exposure: the only step with randomness.

Image i belongs to shot i // exposures_per_shot. Every attempt at a shot draws its values again, apart from
the class and colourway of the subject, which are balanced over the indices, and the values of a mounted
camera. The split is drawn again only where `hold_out` makes it depend on other values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from blendgen.draw.arrangement import Arrangement
from blendgen.draw.attempts import first_feasible
from blendgen.draw.backdrop import draw_backdrop
from blendgen.draw.camera import draw_camera
from blendgen.draw.distractors import draw_distractors
from blendgen.draw.exposure import draw_exposure
from blendgen.draw.lighting import draw_environment, draw_lamps
from blendgen.draw.mount import draw_mounted
from blendgen.draw.occluders import draw_occluders, visible_band
from blendgen.draw.pile import piles
from blendgen.draw.placement import side_by_side
from blendgen.draw.products import draw_products
from blendgen.draw.sampler import Sampler
from blendgen.draw.splits import split_of
from blendgen.draw.surface import draw_surface, offset_across
from blendgen.draw.sweep import Plan
from blendgen.draw.visibility import sight_of
from blendgen.errors import UsageError
from blendgen.models.class_table import ClassTable
from blendgen.models.product import Catalog
from blendgen.scene.ground import Surface
from blendgen.scene.shot import Camera, Exposure, Shot
from blendgen.spec.model import Spec

_CYCLES_SEED_BITS = 31


def draw_shot(
    spec: Spec,
    catalog: Catalog,
    class_table: ClassTable,
    shot_index: int,
    attempt: int = 0,
    sweep: Plan | None = None,
) -> Shot:
    """One arrangement, as plain numbers.

    raises: InfeasibleDraw where the values of this attempt do not go together, GeometryError
    """
    return sampled_shot(spec, catalog, class_table, shot_sampler(spec, shot_index, attempt, sweep))


def draw_feasible_shot(
    spec: Spec, catalog: Catalog, class_table: ClassTable, shot_index: int, sweep: Plan | None = None
) -> Shot:
    """The shot of the first attempt that can be drawn; its render may still show the subject too little.

    raises: InfeasibleShot
    """
    return first_feasible(
        shot_index, lambda attempt: draw_shot(spec, catalog, class_table, shot_index, attempt, sweep)
    )


def shot_sampler(spec: Spec, index: int, attempt: int = 0, sweep: Plan | None = None) -> Sampler:
    """The sampler of a shot, or of an image."""
    return Sampler(
        spec.seed, index, attempt, spec.sampling == "low_discrepancy", sweep, spec.camera.camera_count
    )


def sampled_shot(spec: Spec, catalog: Catalog, class_table: ClassTable, sampler: Sampler) -> Shot:
    """The shot of a sampler, which afterwards holds the values that were drawn; raises as draw_shot does."""
    for arrangement in _arrangements(spec, catalog, class_table, sampler):
        surface = draw_surface(spec, catalog, arrangement.extent(catalog), sampler)
        arrangement, camera = _placed(spec, catalog, arrangement, surface, sampler)
        if _is_visible_as_wanted(spec, catalog, arrangement, camera):
            break  # if none is right, the last one is rendered, which decides exactly
    distractors = arrangement.distractors
    if spec.placement.arrangement == "apart":
        distractors = draw_distractors(spec, catalog, arrangement.products, surface, sampler)
    points = arrangement.points(catalog)
    occluders = draw_occluders(spec, catalog, arrangement, camera, sampler)
    return Shot(
        index=sampler.index,
        attempt=sampler.attempt,
        split=split_of(spec, class_table, sampler, arrangement.products[0]),
        products=arrangement.products,
        surface=surface,
        camera=camera,
        environment=draw_environment(spec, catalog, sampler),
        lamps=draw_lamps(spec, points, camera, sampler),
        distractors=distractors,
        occluders=occluders,
        container=arrangement.container,
        visible_band=visible_band(spec, occluders),
        backdrop=draw_backdrop(spec, catalog, sampler),
        render_seed=sampler.seed_number("render.seed", _CYCLES_SEED_BITS),
    )


def _arrangements(
    spec: Spec, catalog: Catalog, class_table: ClassTable, sampler: Sampler
) -> Iterator[Arrangement]:
    """Arrangements of the products of a shot, to be tried in this order."""
    drawn = draw_products(spec, catalog, class_table, sampler)
    if spec.placement.arrangement == "pile":
        return piles(spec, catalog, drawn, class_table, sampler)
    return iter([side_by_side(spec, drawn, class_table, sampler)])


def _placed(
    spec: Spec, catalog: Catalog, arrangement: Arrangement, surface: Surface, sampler: Sampler
) -> tuple[Arrangement, Camera]:
    """The arrangement at its place on the surface, and the camera."""
    points = arrangement.points(catalog)
    if spec.camera.rig == "overhead":
        camera, offset = draw_mounted(spec, points, arrangement.extent(catalog), surface, sampler)
        return arrangement.moved(offset), camera
    arrangement = arrangement.moved(offset_across(spec, surface, arrangement.extent(catalog), sampler))
    return arrangement, draw_camera(spec, arrangement.points(catalog), sampler)


def _is_visible_as_wanted(spec: Spec, catalog: Catalog, arrangement: Arrangement, camera: Camera) -> bool:
    low, high = spec.placement.visible_fraction
    if (low, high) == (0.0, 1.0):
        return True
    sight = sight_of(arrangement.subject(catalog), arrangement.others(catalog), camera)
    return low <= sight.visible_fraction <= high


def draw_image(
    spec: Spec, catalog: Catalog, class_table: ClassTable, index: int, attempt: int | None = None
) -> tuple[Shot, Exposure]:
    """The arrangement and the exposure of one image.

    attempt: None for the first one that can be drawn
    raises: UsageError for a negative number; as draw_shot, or as draw_feasible_shot
    """
    for name, number in (("index", index), ("attempt", attempt)):
        if number is not None and number < 0:
            raise UsageError(f"{name}: expected 0 or more, got {number}")
    shot_index = index // spec.exposures_per_shot
    if attempt is None:
        shot = draw_feasible_shot(spec, catalog, class_table, shot_index)
    else:
        shot = draw_shot(spec, catalog, class_table, shot_index, attempt)
    return shot, draw_exposures(spec, shot, [index])[0]


def draw_exposures(
    spec: Spec, shot: Shot, image_indices: Iterable[int], sweep: Plan | None = None
) -> tuple[Exposure, ...]:
    """The exposures of a shot for some of its images."""
    samplers = (shot_sampler(spec, index, shot.attempt, sweep) for index in image_indices)
    return tuple(draw_exposure(spec, shot, sampler) for sampler in samplers)


def drawn_values(
    spec: Spec, catalog: Catalog, class_table: ClassTable, index: int, sweep: Plan | None = None
) -> dict[str, Any]:
    """The value of every parameter with a distribution, for one image of a spec with one exposure a shot.

    raises: InfeasibleShot where no attempt can be drawn
    """
    return first_feasible(
        index, lambda attempt: _drawn_values(spec, catalog, class_table, index, attempt, sweep)
    )


def _drawn_values(
    spec: Spec, catalog: Catalog, class_table: ClassTable, index: int, attempt: int, sweep: Plan | None
) -> dict[str, Any]:
    of_shot, of_exposure = (shot_sampler(spec, index, attempt, sweep) for _ in range(2))
    draw_exposure(spec, sampled_shot(spec, catalog, class_table, of_shot), of_exposure)
    return {**of_shot.drawn, **of_exposure.drawn}
