"""No two images, and no two purposes, share a random stream: no image occurs twice in a data set."""

import hashlib

import pytest

from blendgen.draw import assignment, sampler
from blendgen.draw.sampler import Sampler
from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.pipeline import tasks_for
from tests.conftest import make_spec
from tests.golden.shots import SCENES, SPECS
from tests.golden.stand_ins import stand_ins

# what neither a shot nor an exposure can change
FIXED = {
    "camera": {"elevation_deg": 60, "azimuth_deg": 30, "frame_fill": 0.5},
    "placement": {"yaw_deg": 0},
    "products_per_image": 1,
    "lighting": {"environment": {"image": "dome", "rotation_deg": 0}, "lamps": {"count": 0}},
}


@pytest.fixture
def used(monkeypatch):
    """The streams that are created: (seed, index, attempt, name)."""
    keys = set()
    for module in (sampler, assignment):
        create = module.stream
        monkeypatch.setattr(module, "stream", lambda *key, create=create: keys.add(key) or create(*key))
    return keys


@pytest.mark.parametrize(("group", "name"), [(SCENES, "recycling_line"), (SPECS, "free")])
def test_shots_and_exposures_have_no_stream_in_common(used, group, name):
    """Both are numbered from 0: only the names of their parameters tell their streams apart."""
    spec = group.spec(name)
    shot = draw_shot(spec, *stand_ins(spec), 0)
    of_shot = {key[-1] for key in used}
    used.clear()
    draw_exposures(spec, shot, [0])
    of_exposure = {key[-1] for key in used}
    assert len(of_shot) > 30 and len(of_exposure) > 10 and not of_shot & of_exposure


@pytest.mark.parametrize("name", ["exposure.noise_seed", "render.seed"])
def test_every_image_attempt_and_seed_has_a_seed_of_its_own(name):
    places = [(seed, index, attempt) for seed in (0, 1) for index in range(500) for attempt in (0, 1)]
    assert len({Sampler(*place).seed_number(name) for place in places}) == len(places)


@pytest.mark.slow
@pytest.mark.parametrize(("images", "spec"), [(2000, {}), (200, FIXED)])
def test_no_image_occurs_twice(flat_pipeline, images, spec):
    """Also where the noise of the sensor alone is left to chance."""
    pipeline = flat_pipeline(make_spec(images=images, resolution=[32, 32], exposures_per_shot=4, **spec))
    frames = (frame for task in tasks_for(pipeline.spec, range(images)) for frame in pipeline.frames(task))
    assert len({hashlib.sha256(frame.rgb_u8.tobytes()).digest() for frame in frames}) == images
