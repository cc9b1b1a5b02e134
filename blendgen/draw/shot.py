"""draw(spec, catalog, index) -> Shot and Exposure: the only arrow with chance.

Image i belongs to shot i // exposures_per_shot. A redraw (attempt > 0) keeps what is balanced:
the subject's class and colourway, and the split.
"""

from __future__ import annotations

from typing import Any

from blendgen.catalog.product import Catalog
from blendgen.draw.backdrop import draw_backdrop
from blendgen.draw.camera import draw_camera
from blendgen.draw.clutter import draw_distractors
from blendgen.draw.exposure import draw_exposure
from blendgen.draw.lighting import draw_environment, draw_lamps
from blendgen.draw.placement import draw_products, moved, world_points
from blendgen.draw.roster import Roster
from blendgen.draw.sampler import Sampler
from blendgen.draw.steering import Steering
from blendgen.draw.surface import draw_surface, offset_across
from blendgen.shot import Exposure, Shot
from blendgen.spec.model import Spec

_CYCLES_SEED_BITS = 31


def draw_shot(
    spec: Spec,
    catalog: Catalog,
    roster: Roster,
    shot_index: int,
    attempt: int = 0,
    steering: Steering | None = None,
) -> Shot:
    """One arrangement, as plain numbers."""
    return sampled_shot(spec, catalog, roster, shot_sampler(spec, shot_index, attempt, steering))


def shot_sampler(spec: Spec, index: int, attempt: int = 0, steering: Steering | None = None) -> Sampler:
    """What a shot, or an exposure, is drawn with."""
    return Sampler(spec.seed, index, attempt, spec.coverage == "even", steering)


def sampled_shot(spec: Spec, catalog: Catalog, roster: Roster, sampler: Sampler) -> Shot:
    """The shot of a sampler, which afterwards tells what was drawn."""
    products = draw_products(spec, catalog, roster, sampler)
    points = world_points(products, catalog)
    surface = draw_surface(spec, catalog, points, sampler)
    offset = offset_across(spec, surface, points, sampler)
    products, points = moved(products, offset), points + [*offset, 0.0]
    camera = draw_camera(spec, points, sampler)
    return Shot(
        index=sampler.index,
        attempt=sampler.attempt,
        split=roster.split(spec.seed, sampler.index, spec.splits),
        products=products,
        surface=surface,
        camera=camera,
        environment=draw_environment(spec, catalog, sampler),
        lamps=draw_lamps(spec, points, camera, sampler),
        distractors=draw_distractors(spec, catalog, products, surface, sampler),
        backdrop=draw_backdrop(spec, catalog, sampler),
        render_seed=sampler.seed_number("render.seed", _CYCLES_SEED_BITS),
    )


def draw_exposures(
    spec: Spec, shot: Shot, image_indices, steering: Steering | None = None
) -> tuple[Exposure, ...]:
    """The exposures of a shot for some of its images."""
    samplers = (shot_sampler(spec, index, shot.attempt, steering) for index in image_indices)
    return tuple(draw_exposure(spec, shot, sampler) for sampler in samplers)


def drawn_values(
    spec: Spec, catalog: Catalog, roster: Roster, index: int, steering: Steering | None = None
) -> dict[str, Any]:
    """The value of every parameter that has a law, for one image of a spec with one exposure a shot."""
    sampler = shot_sampler(spec, index, steering=steering)
    shot = sampled_shot(spec, catalog, roster, sampler)
    exposed = shot_sampler(spec, index, steering=steering)
    draw_exposure(spec, shot, exposed)
    return {**sampler.seen, **exposed.seen}
