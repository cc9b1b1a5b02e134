"""same_as: a parameter that follows another one."""

import pytest

from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.errors import SpecError
from tests.conftest import make_class_table, make_spec
from tests.spec.test_load import MINIMAL, check, problems


def test_a_parameter_takes_the_value_of_another(shapes):
    spec = make_spec(lighting={"lamps": {"count": 2, "azimuth_deg": {"same_as": "camera.azimuth_deg"}}})
    free = make_spec(lighting={"lamps": {"count": 2}})
    for index in range(5):
        shot = draw_shot(spec, shapes, make_class_table(shapes), index)
        # the other parameter is drawn as if nothing referred to it
        assert shot.camera == draw_shot(free, shapes, make_class_table(shapes), index).camera
        for lamp in shot.lamps:
            x, y = lamp.lamp_to_world[0][2], lamp.lamp_to_world[1][2]
            turned = shot.camera.world_to_camera[2]
            assert x * -turned[0] + y * -turned[1] == pytest.approx(
                ((x * x + y * y) * (turned[0] ** 2 + turned[1] ** 2)) ** 0.5, abs=1e-9
            )


def test_an_offset_has_a_distribution_of_its_own(shapes):
    spec = make_spec(
        exposure={
            "environment_temperature_k": {"uniform": [3000, 6000]},
            "white_balance_temperature_k": {
                "same_as": "exposure.environment_temperature_k",
                "plus": {"uniform": [100, 200]},
            },
            "white_balance_mode": "fixed",
            "gain_db": {"same_as": "exposure.grain", "plus": 3},
            "grain": {"uniform": [0, 1]},
        }
    )
    shot = draw_shot(spec, shapes, make_class_table(shapes), 0)
    for exposure in draw_exposures(spec, shot, range(10)):
        assert exposure.gain_db == pytest.approx(exposure.grain + 3)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("camera: {roll_deg: {same_as: camera.azimut_deg}}", "did you mean camera.azimuth_deg?"),
        ("camera: {roll_deg: {same_as: per_image}}", "same_as: `per_image` is now `products_per_image`"),
        ("camera: {roll_deg: {same_as: condition.scratches}}", "is not a parameter with one value"),
        ("camera: {roll_deg: {same_as: placement.yaw_deg}}", "is not a parameter with one value"),
        ("camera: {elevation_deg: {same_as: camera.azimuth_deg}}", "must be at least 1 and at most 90"),
        ("camera: {elevation_deg: {same_as: camera.elevation_deg}}", "use same_as: "),
        ("camera: {roll_deg: {same_as: exposure.camera_ev}}", "can refer only to exposure and sensor"),
        (
            "camera: {roll_deg: {same_as: surface.kind}}",
            "surface.kind is not a numeric parameter; refer to one that is",
        ),
        ("camera: {roll_deg: {same_as: camera.subject_offset, minus: 3}}", "expected {same_as: PARAMETER"),
        ("camera: {roll_deg: {same_as: camera.azimuth_deg, plus: x}}", "plus must be a number"),
    ],
)
def test_a_faulty_link_is_an_error_with_its_place(line, expected):
    (problem,) = problems(MINIMAL + line + "\n")
    assert problem.startswith("x.yaml:4:10: camera.") and expected in problem


def test_links_come_back_from_a_resolved_spec():
    from blendgen.spec.load import resolved_values, resolved_yaml

    spec = check(MINIMAL + "camera: {roll_deg: {same_as: camera.azimuth_deg, plus: {normal: [0, 2]}}}\n")
    assert resolved_values(check(resolved_yaml(spec))) == resolved_values(spec)
    with pytest.raises(SpecError):
        check(MINIMAL, "camera.roll_deg={same_as: 3}")
