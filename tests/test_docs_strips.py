"""The strips of the documentation: a recipe for every parameter, and pictures that differ."""

import numpy as np
import pytest

from blendgen.draw.sampler import Sampler
from blendgen.draw.shot import draw_shot
from blendgen.draw.sweep import Sweep
from blendgen.spec.fields import DistributionField
from tests.conftest import make_class_table
from tests.docs_strips import index_page, picture, strip_of
from tests.strip_recipes import SCENE, parameters, recipes


def distribution_of(spec, key):
    for name in key.split("."):
        spec = getattr(spec, name, None)  # the scene may lack the section
    return spec


def test_every_parameter_has_a_recipe_that_the_spec_accepts_and_that_varies():
    known = recipes()
    assert list(known) == [key for key, _, _ in parameters()] and len(known) > 70
    for key, recipe in known.items():
        distribution = distribution_of(strip_of(key, recipe).spec, key)
        values = {Sampler(0, index, 0).value(distribution, key) for index in range(20)}
        assert len(values) > 1, key


def test_every_strip_of_the_camera_can_be_sampled(shapes):
    """No lens folds the image, and no product is too large for its frame."""
    class_table = make_class_table(shapes)
    for key, recipe in recipes().items():
        if key.startswith("camera."):
            strip = strip_of(key, recipe)
            sweep = Sweep(key, True, 0, strip.tiles)
            shots = [draw_shot(strip.spec, shapes, class_table, i, sweep=sweep) for i in range(strip.tiles)]
            assert len({shot.camera for shot in shots}) == strip.tiles, key


def test_the_scene_of_the_strips_varies_in_nothing_else():
    """What a strip shows is the effect of its parameter alone."""
    spec = strip_of("camera.elevation_deg", recipes()["camera.elevation_deg"]).spec
    quiet = {"sensor.grain_size_px", "exposure.strobe_s"}
    for key, checks, _ in parameters():
        assert isinstance(checks, DistributionField)
        distribution = distribution_of(spec, key)
        if key != "camera.elevation_deg" and key not in quiet and distribution is not None:
            assert distribution.dimensions == 0, key


def test_the_index_has_unit_default_range_and_picture():
    page = index_page(["camera.elevation_deg", "exposure.gain_db"])
    assert (
        "| `exposure.gain_db` | dB | `{uniform: [0.0, 9.0]}` | 0 to 48 | ![](exposure.gain_db.jpg) |" in page
    )
    assert "| `camera.elevation_deg` | degrees |" in page and page.count("![]") == 2


@pytest.mark.slow
def test_a_strip_shows_what_its_parameter_does():
    small = {"resolution": [48, 48], "render": {"preset": "draft", "samples_per_pixel": 4}}
    page = np.asarray(picture(strip_of("exposure.camera_ev", recipes()["exposure.camera_ev"], small)))
    tiles = [page[6:54, x : x + 48].mean() for x in range(6, page.shape[1] - 48, 54)]
    assert len(tiles) == 6 and np.all(np.diff(tiles) > 0)
    assert SCENE["resolution"] == [128, 128]  # the recipes are not touched
