"""Sweep and low-discrepancy sampling: what changes from image to image, and how evenly."""

import numpy as np
import pytest

from blendgen.draw.sampler import Sampler
from blendgen.draw.shot import draw_exposures, draw_shot, drawn_values
from blendgen.draw.sweep import Sweep, parameter_of
from blendgen.spec.distributions import Uniform
from blendgen.spec.vector_distributions import Disk
from tests.conftest import make_class_table, make_spec

SPEC = make_spec(
    products_per_image=2,
    lighting={"lamps": {"count": 2}},
    sensor={"preset": "webcam", "read_noise_e": {"uniform": [2, 9]}},
)
CAMERA = ("azimuth_deg", "elevation_deg", "roll_deg", "focal_length_mm")


def drawn(shapes, index, sweep=None):
    """What was drawn for an image, by section of the spec, without what only follows from it."""
    class_table = make_class_table(shapes)
    shot = draw_shot(SPEC, shapes, class_table, index, sweep=sweep)
    (exposure,) = draw_exposures(SPEC, shot, [index], sweep)
    camera = shot.camera.model_dump()
    return {
        "products": [(p.product, p.colorway) for p in shot.products],
        "placement": [np.array(p.object_to_world)[:3, :3].tolist() for p in shot.products],
        "surface": shot.surface.model_dump(exclude={"width_m"}),
        "camera": {
            name: camera[name] for name in ("azimuth_deg", "elevation_deg", "roll_deg", "focal_length_mm")
        },
        "lighting": [shot.environment, *((lamp.kind, lamp.size_m) for lamp in shot.lamps)],
        "exposure": (exposure.camera_ev, exposure.lamp_ev, exposure.gain_db, exposure.noise_seed),
        "sensor": (exposure.sensor.read_noise_e, exposure.sensor.pattern_seed),
        "render": shot.render_seed,
    }


def test_numbers_in_a_stream_do_not_count_for_its_parameter():
    assert parameter_of("lighting.lamps.2.size_m") == "lighting.lamps.size_m"


def test_varying_a_parameter_changes_it_alone_and_evenly(shapes):
    images = [drawn(shapes, i, Sweep("camera.roll_deg", True, 7, 5)) for i in range(5)]
    rolls = [image["camera"].pop("roll_deg") for image in images]
    assert rolls == sorted(rolls) and len(set(rolls)) == 5
    reference = drawn(shapes, 7)
    del reference["camera"]["roll_deg"]
    assert all(image == reference for image in images)


@pytest.mark.parametrize(
    "section", ["products", "placement", "surface", "camera", "lighting", "exposure", "sensor"]
)
def test_a_section_is_varied_alone_and_ablated_alone(shapes, section):
    """With any section held or let go, the others are the same to the bit."""
    anchor = drawn(shapes, 4)
    varied = [drawn(shapes, i, Sweep(section, True, 4, 4)) for i in range(4)]
    ablated = [drawn(shapes, i, Sweep(section, False, 4, 4)) for i in range(4)]
    free = [drawn(shapes, i) for i in range(4)]
    for name in anchor:
        if name == section:
            assert [one[name] for one in varied] == [one[name] for one in free] or section == "products"
            assert all(one[name] == anchor[name] for one in ablated)
            assert any(one[name] != anchor[name] for one in varied)
        else:
            assert all(one[name] == anchor[name] for one in varied)
            assert [one[name] for one in ablated] == [one[name] for one in free]


def test_products_can_be_varied_while_all_else_stays(shapes):
    images = [drawn(shapes, i, Sweep("products", True, 0, 4)) for i in range(4)]
    assert len({image["products"][0] for image in images}) >= 2
    assert len({str(image["camera"]) for image in images}) == 1


def test_drawn_values_are_listed_by_parameter(shapes):
    values = drawn_values(SPEC, shapes, make_class_table(shapes), 3)
    assert (
        values["camera.elevation_deg"]
        == draw_shot(SPEC, shapes, make_class_table(shapes), 3).camera.elevation_deg
    )
    assert "lighting.lamps.size_m" in values and "exposure.camera_ev" in values
    assert "lighting.lamps.count" not in values  # a constant here


@pytest.mark.parametrize("count", [64, 100])
def test_low_discrepancy_sampling_fills_the_range_of_each_parameter(count):
    """Discrepancy far below that of independent draws, for any length and any seed."""
    for seed in range(4):
        values = np.sort(
            [Sampler(seed, i, 0, True).value(Uniform(0, 1), "camera.roll_deg") for i in range(count)]
        )
        gap = np.abs(values - (np.arange(count) + 0.5) / count).max()
        assert gap < 2 / count


def test_renamed_parameters_keep_the_streams_of_their_old_names():
    independent, spread = Sampler(3, 5, 0), Sampler(3, 5, 0, True)
    assert independent.u("camera.subject_offset", 2) == [0.17603806703140135, 0.5661296968276108]
    assert independent.u("products_per_image", 1) == [0.555481828823176]
    assert independent.u("products_per_image.plus", 1) == [0.6996905676334246]
    assert spread.u("camera.subject_offset", 2) == [0.47389084845781326, 0.9927795361727476]
    assert spread.u("products_per_image", 1) == [0.02150698844343424]
    assert spread.u("camera.roll_deg", 1) == [0.7203925400972366]


def test_the_first_power_of_two_numbers_fall_one_into_each_part():
    for seed in range(5):
        units = [Sampler(seed, i, 0, True).u("a", 1)[0] for i in range(128)]
        for length in (2, 8, 32, 128):
            assert sorted(int(unit * length) for unit in units[:length]) == list(range(length))


def test_low_discrepancy_sampling_leaves_parameters_independent():
    """Of different parameters, of the numbers of one, and of different seeds."""
    points = [Sampler(3, i, 0, True).value(Disk(1), "camera.subject_offset") for i in range(512)]
    columns = list(zip(*points, strict=True))
    columns += [
        [Sampler(seed, i, 0, True).value(Uniform(0, 1), name) for i in range(512)]
        for seed, name in ((3, "a.x"), (3, "a.y"), (4, "a.x"))
    ]
    correlation = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlation).max() < 0.15


def test_low_discrepancy_sampling_gives_any_image_alone_what_it_gives_in_order():
    distribution = Uniform(0, 1)
    forwards = [Sampler(1, i, 0, True).value(distribution, "a") for i in range(20)]
    backwards = [Sampler(1, i, 0, True).value(distribution, "a") for i in reversed(range(20))]
    assert forwards == backwards[::-1]
    assert Sampler(1, 3, 1, True).value(distribution, "a") != forwards[3]  # another attempt is another draw
