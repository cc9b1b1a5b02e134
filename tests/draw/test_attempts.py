"""Infeasible draws: drawn again with other values, given up after a limit, and counted by `check`."""

import pickle

import pytest

from blendgen.draw.attempts import MAX_ATTEMPTS, MAX_UNSETTLED_PILES, first_feasible, refuse_systematic
from blendgen.draw.shot import draw_feasible_shot, draw_shot, drawn_values
from blendgen.draw.survey import survey
from blendgen.draw.sweep import Sweep
from blendgen.errors import GeometryError, InfeasibleDraw, InfeasibleShot, Reason
from blendgen.models.inventory import Inventory
from blendgen.pipeline import Task
from tests.conftest import make_class_table, make_spec

# of the box and the ball, a camera as near as 1 cm is inside either
HALF_TOO_NEAR = {"distance_m": {"choice": {0.01: 1, 0.4: 1}}}
ALL_TOO_NEAR = {"distance_m": 0.01}


def shot_without_number(shot):
    return shot.model_dump(exclude={"index", "attempt"})


@pytest.mark.parametrize("sampling", ["independent", "low_discrepancy"])
def test_all_attempts_at_a_shot_differ(shapes, sampling):
    spec = make_spec(sampling=sampling, products_per_image=2, camera={"distance_m": {"uniform": [0.5, 0.6]}})
    for index in range(3):
        shots = [
            draw_shot(spec, shapes, make_class_table(shapes), index, attempt)
            for attempt in range(MAX_ATTEMPTS)
        ]
        assert len({shot.camera.distance_m for shot in shots}) == MAX_ATTEMPTS
        assert len({str(shot_without_number(shot)) for shot in shots}) == MAX_ATTEMPTS
        assert len({shot.render_seed for shot in shots}) == MAX_ATTEMPTS
        subjects = {(shot.products[0].label, shot.products[0].colorway, shot.split) for shot in shots}
        assert len(subjects) == 1  # balanced over the indices


@pytest.mark.parametrize("sampling", ["independent", "low_discrepancy"])
def test_an_infeasible_draw_is_the_next_attempt_and_changes_no_other_shot(shapes, sampling):
    table = make_class_table(shapes)
    spec, feasible = (
        make_spec(sampling=sampling, camera=camera) for camera in (HALF_TOO_NEAR, {"distance_m": 0.4})
    )
    shots = [draw_feasible_shot(spec, shapes, table, index) for index in range(40)]
    attempts = {shot.attempt for shot in shots}
    assert {0, 1} < attempts and all(shot.camera.distance_m == pytest.approx(0.4) for shot in shots)
    for index, shot in enumerate(shots):
        for attempt in range(shot.attempt):
            with pytest.raises(InfeasibleDraw, match="inside the products") as raised:
                draw_shot(spec, shapes, table, index, attempt)
            assert raised.value.reason == Reason.CAMERA_IN_PRODUCTS
        # apart from the distance, it is the shot of that attempt in a spec without infeasible draws
        assert shot == draw_shot(feasible, shapes, table, index, shot.attempt)


def test_a_shot_without_a_feasible_draw_is_given_up_with_its_most_frequent_reason(shapes):
    with pytest.raises(InfeasibleShot, match=r"shot 3: all 16 attempts failed: camera.distance_m") as raised:
        draw_feasible_shot(make_spec(camera=ALL_TOO_NEAR), shapes, make_class_table(shapes), 3)
    assert len(raised.value.faults) == MAX_ATTEMPTS
    often, once = (InfeasibleDraw(reason, reason.value) for reason in (Reason.LENS_FOLDS, Reason.OTHER))
    assert InfeasibleShot(0, (often, once, often, once, often)).fault is often


def failing(reason, permanent=False):
    attempts = []

    def make(attempt):
        attempts.append(attempt)
        raise InfeasibleDraw(reason, "it does not work", permanent)

    with pytest.raises(InfeasibleShot, match="it does not work"):
        first_feasible(0, make)
    return attempts


def test_fewer_piles_are_tried_than_cameras_and_a_permanent_fault_once():
    assert failing(Reason.CAMERA_BELOW_SURFACE) == list(range(MAX_ATTEMPTS))
    assert failing(Reason.PILE_UNSETTLED) == list(range(MAX_UNSETTLED_PILES))
    assert failing(Reason.LENS_FOLDS, permanent=True) == [0]


def test_only_geometry_errors_are_faults_of_an_attempt():
    with pytest.raises(ZeroDivisionError):
        first_feasible(0, lambda attempt: 1 // attempt)
    assert first_feasible(0, lambda attempt: attempt) == 0


@pytest.mark.parametrize("rig", [{}, {"rig": "overhead", "height_m": 1, "camera_count": 3}])
def test_a_lens_that_folds_is_permanent_where_the_camera_is_the_same_in_every_attempt(shapes, rig):
    lens = {"distortion": {"k1": -0.9}, "focal_length_mm": 12, **rig}
    spec, table = make_spec(camera=lens), make_class_table(shapes)
    with pytest.raises(InfeasibleDraw, match="folds over") as raised:
        draw_shot(spec, shapes, table, 0)
    assert raised.value.permanent == bool(rig) and raised.value.reason == Reason.LENS_FOLDS
    with pytest.raises(InfeasibleShot) as given_up:
        draw_feasible_shot(spec, shapes, table, 0)
    assert len(given_up.value.faults) == (1 if rig else MAX_ATTEMPTS)


def test_a_lens_that_would_be_rendered_too_wide_is_known_before_the_render(shapes):
    lens = {"k1": -0.49, "k2": 0.125, "k3": -0.0025}
    spec = make_spec(camera={"distortion": lens, "focal_length_mm": 18})
    with pytest.raises(InfeasibleDraw, match="more than 4 times as wide") as raised:
        draw_shot(spec, shapes, make_class_table(shapes), 0)
    assert raised.value.reason == Reason.LENS_TOO_WIDE


def test_the_errors_survive_the_way_to_another_process():
    fault = InfeasibleDraw(Reason.PILE_UNSETTLED, "no rest", permanent=True)
    shot = pickle.loads(pickle.dumps(InfeasibleShot(4, (fault,))))
    assert str(shot) == "shot 4: its attempt failed: no rest"
    assert shot.faults[0].permanent and shot.fault.reason == Reason.PILE_UNSETTLED
    assert isinstance(shot.fault, GeometryError)


def test_a_pipeline_draws_again_and_renders_only_feasible_shots(shapes, flat_pipeline):
    pipeline = flat_pipeline(make_spec(camera=HALF_TOO_NEAR))
    frames = [frame for index in range(12) for frame in pipeline.frames(Task(index, (index,)))]
    assert [frame.index for frame in frames] == list(range(12))
    assert max(frame.shot.attempt for frame in frames) > 0
    with pytest.raises(InfeasibleShot):
        flat_pipeline(make_spec(camera=ALL_TOO_NEAR)).rendered(Task(0, (0,)))


def test_what_only_the_render_shows_is_drawn_again_too(shapes, flat_pipeline):
    """Of two products in a row, each hides the other from some sides."""
    spec = make_spec(
        products_per_image=2,
        placement={"visible_fraction": [0.0, 0.7]},
        camera={"elevation_deg": 15, "azimuth_deg": {"uniform": [0, 360]}},
    )
    (frame,) = flat_pipeline(spec).frames(Task(0, (0,)))
    assert frame.labels.objects[0].visible_fraction <= 0.7
    alone = make_spec(placement={"visible_fraction": [0.0, 0.5]})
    with pytest.raises(InfeasibleShot, match=r"all 16 attempts failed: 100% of .* is visible") as raised:
        flat_pipeline(alone).rendered(Task(0, (0,)))
    assert raised.value.fault.reason == Reason.SUBJECT_VISIBILITY


def test_a_check_says_which_share_of_the_draws_is_infeasible_and_why(shapes):
    inventory = Inventory(shapes, make_class_table(shapes))
    sampled = survey(make_spec(images=40, camera=HALF_TOO_NEAR), inventory).sampled
    assert sampled.shots == 40
    (infeasible,) = sampled.infeasible
    assert infeasible.reason == "camera_in_products" and "inside the products" in infeasible.example
    assert infeasible.draws == sampled.draws - 40
    assert 20 < infeasible.draws < 70  # on average one for each shot
    clean = survey(make_spec(images=5), inventory).sampled
    assert clean.infeasible == () and clean.draws == 5


def test_a_check_warns_of_a_large_share(shapes):
    inventory = Inventory(shapes, make_class_table(shapes))
    few = {"distance_m": {"choice": {0.01: 1, 0.4: 30}}}
    notes = [survey(make_spec(images=60, camera=camera), inventory).notes for camera in (HALF_TOO_NEAR, few)]
    assert any("of the draws are infeasible" in note for note in notes[0])
    assert not any("infeasible" in note for note in notes[1])


@pytest.mark.slow
def test_a_check_counts_the_shots_that_cannot_be_made_as_a_run_leaves_them_out(shapes):
    inventory = Inventory(shapes, make_class_table(shapes))
    mostly_too_near = {"distance_m": {"choice": {0.01: 20, 0.4: 1}}}
    spec = make_spec(images=30, camera=mostly_too_near)
    report = survey(spec, inventory)
    sampled = report.sampled
    infeasible = [index for index in range(30) if is_infeasible(spec, shapes, index)]
    assert sampled.given_up == len(infeasible) > 0 and sampled.shots == 30 - len(infeasible) > 0
    assert sampled.draws == sampled.shots + sum(reason.draws for reason in sampled.infeasible)
    assert f"{len(infeasible)} of the first 30 shots have no feasible draw" in report.notes[0]


def is_infeasible(spec, shapes, index):
    try:
        draw_feasible_shot(spec, shapes, make_class_table(shapes), index)
    except InfeasibleShot:
        return True
    return False


def test_a_check_fails_where_a_run_would_stop_and_where_no_image_can_be_made(shapes):
    inventory = Inventory(shapes, make_class_table(shapes))
    systematic = r"^the first 8 shots all fail for the same reason \(camera_in_products\): camera.distance_m"
    with pytest.raises(GeometryError, match=systematic):
        survey(make_spec(camera=ALL_TOO_NEAR), inventory)
    with pytest.raises(InfeasibleShot, match="shot 0: all 16 attempts failed"):
        survey(make_spec(images=7, camera=ALL_TOO_NEAR), inventory)


def test_the_first_shots_are_refused_only_if_all_fail_for_the_same_reason():
    refuse_systematic([("a", "message")] * 7)
    refuse_systematic([("a", "message")] * 7 + [("b", "message")])
    with pytest.raises(GeometryError, match=r"\(a\): first$"):
        refuse_systematic([("a", "first")] + [("a", "message")] * 7)


def test_the_values_of_a_preview_are_those_of_the_attempt_that_is_rendered(shapes):
    table, spec = make_class_table(shapes), make_spec(camera=HALF_TOO_NEAR)
    again = next(i for i in range(20) if draw_feasible_shot(spec, shapes, table, i).attempt)
    assert drawn_values(spec, shapes, table, again)["camera.distance_m"] == 0.4
    with pytest.raises(InfeasibleShot):
        drawn_values(make_spec(camera=ALL_TOO_NEAR), shapes, table, 0, Sweep("camera.roll_deg", True, 0, 4))
