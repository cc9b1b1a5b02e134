"""A design moves the parameters that it names, and nothing else changes by a bit."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from blendgen.draw.design import Cell, Design, random_parameters
from blendgen.draw.shot import draw_exposures, draw_shot, drawn_values, shot_sampler
from blendgen.errors import UsageError
from blendgen.experiments.factorial import bits_for, factorial
from blendgen.experiments.factors import factors
from blendgen.spec.distributions import Choice, Integers, Normal, Uniform
from tests.conftest import make_class_table, make_spec

CHANGES = {
    "surface": {"kind": {"choice": ["paper", "belt_rubber", "cardboard"]}, "wear": 0.2, "width_m": 1.0},
    "camera": {"distance_m": 0.5, "elevation_deg": {"uniform": [40, 80]}, "focal_length_mm": 30},
    "lighting": {"lamps": {"count": 2, "size_m": {"uniform": [0.1, 0.5]}}},
}


@pytest.fixture
def spec():
    return make_spec(**CHANGES)


def values_of(shot) -> dict:
    return shot.model_dump(exclude={"index", "split"})


def test_parameters_are_those_that_vary(spec, shapes):
    parameters = random_parameters(spec, shapes, make_class_table(shapes), range(12))
    assert {"surface.kind", "camera.elevation_deg", "lighting.lamps.size_m"} <= {*parameters}
    assert not {"camera.distance_m", "surface.wear", "lighting.lamps.count"} & {*parameters}
    assert parameters["camera.elevation_deg"] == Uniform(40, 80)


def test_only_the_moved_parameter_changes(spec, shapes):
    table = make_class_table(shapes)
    moves = {"camera.elevation_deg": (0.75, 1.0), "surface.kind": (0.34, 0.6)}
    design = Design((Cell(7, {}), *(Cell(7, {name: part}) for name, part in moves.items())))
    same, higher, other = (draw_shot(spec, shapes, table, index, sweep=design) for index in range(3))
    anchor = draw_shot(spec, shapes, table, 7)
    assert values_of(same) == values_of(anchor)
    assert 70 <= higher.camera.elevation_deg <= 80 and higher.render_seed == anchor.render_seed
    assert higher.products == anchor.products and higher.surface == anchor.surface
    assert other.surface.kind == "belt_rubber"
    drawn = drawn_values(spec, shapes, table, 7)
    for index, name in enumerate(moves, 1):
        values = drawn_values(spec, shapes, table, index, design)
        assert {key for key in drawn if drawn[key] != values[key]} == {name}


def test_lamps_keep_their_differences(spec, shapes):
    design = Design((Cell(3, {"lighting.lamps.size_m": (0.0, 0.25)}),))
    shot = draw_shot(spec, shapes, make_class_table(shapes), 0, sweep=design)
    sizes = [lamp.size_m[0] for lamp in shot.lamps]
    assert len({*sizes}) == 2 and max(sizes) <= 0.2


def test_the_noise_of_the_sensor_stays(spec, shapes):
    design = Design((Cell(5, {}), Cell(5, {"exposure.gain_db": (0.75, 1.0)})))
    table = make_class_table(shapes)
    exposures = []
    for index in range(2):
        shot = draw_shot(spec, shapes, table, index, sweep=design)
        exposures += draw_exposures(spec, shot, [index], design)
    assert exposures[0].noise_seed == exposures[1].noise_seed


def test_a_design_moves_also_the_numbers_of_low_discrepancy_sampling(shapes):
    spec = make_spec(**CHANGES, sampling="low_discrepancy")
    design = Design((Cell(7, {}), Cell(7, {"camera.elevation_deg": (0.0, 0.25)})))
    plain, moved = (
        shot_sampler(spec, index, sweep=design).u("camera.elevation_deg", 1)[0] for index in range(2)
    )
    assert moved == pytest.approx(plain / 4)


@pytest.mark.parametrize("levels", [[2] * 29, [2] * 12 + [3, 4, 4], [8, 5, 2, 2, 3], [2]])
def test_each_pair_of_levels_is_as_frequent_as_any_other(levels):
    bits = bits_for(levels)
    for block in range(3):
        table = factorial(levels, bits, 5, block)
        assert table.shape == (2**bits, len(levels)) and (table.max(axis=0) + 1).tolist() == levels
        for a, b in combinations(range(len(levels)), 2):
            if {levels[a], levels[b]} <= {2, 4, 8}:
                pairs = np.bincount(table[:, a] * levels[b] + table[:, b], minlength=levels[a] * levels[b])
                assert len({*pairs.tolist()}) == 1


def test_blocks_have_other_columns():
    first, second = (factorial([2] * 15, 4, 5, block) for block in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, factorial([2] * 15, 4, 5, 0))


def test_too_many_parameters_are_refused():
    with pytest.raises(ValueError, match="no design"):
        bits_for([8] * 300)


def test_levels_are_outer_quarters_all_directions_and_values():
    parameters = {
        "camera.elevation_deg": Uniform(40, 80),
        "camera.azimuth_deg": Uniform(0, 360),
        "camera.roll_deg": Normal(0, 4),
        "lighting.lamps.count": Integers(1, 3),
        "surface.kind": Choice(("paper", "steel_table", "cardboard"), (3.0, 0.0, 1.0)),
    }
    names = {one.name: [level.name for level in one.levels] for one in factors(parameters)}
    assert names["camera.elevation_deg"] == ["40 to 50", "70 to 80"] and len(names["camera.azimuth_deg"]) == 4
    assert names["lighting.lamps.count"] == ["1", "2", "3"]
    assert names["surface.kind"] == ["paper", "cardboard"]
    for one in factors(parameters):
        for level in one.levels:
            ends = [
                one.distribution.quantile(u) for u in (level.part[0], (level.part[0] + level.part[1]) / 2)
            ]
            assert level.value is None or ends == [level.value] * 2
    assert [one.name for one in factors(parameters, ["camera"])] == [
        name for name in parameters if "camera" in name
    ]
    with pytest.raises(UsageError, match=r"did you mean surface\.kind"):
        factors(parameters, ["surface.kin"])
