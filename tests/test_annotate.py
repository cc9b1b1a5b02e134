from dataclasses import replace

import numpy as np
import pytest

from blendgen import annotate as annotation
from blendgen.annotate import require_visible_subject
from blendgen.draw.shot import draw_shot
from blendgen.engine.flat import FlatEngine
from blendgen.errors import InfeasibleDraw, Reason
from blendgen.geometry.projection import inverse_rigid, project, transform_points, undistort
from blendgen.models.label_names import label_names
from blendgen.models.product import Catalog, Keypoint
from blendgen.scene.film import Film
from blendgen.spec.output import Output
from tests.conftest import make_class_table, make_spec
from tests.engine.conformance import make_camera, make_shot, place
from tests.engine.label_conformance import corners, with_keypoints

OUTPUT = Output()
NO_NAMES = label_names(Catalog(()), {})


def annotate(film, shot, output=OUTPUT, names=NO_NAMES):
    return annotation.annotate(film, shot, names, output)


@pytest.fixture
def rendered(shapes):
    spec = make_spec(products_per_image=2, resolution=[96, 96])
    shot = draw_shot(spec, shapes, make_class_table(shapes), 1)
    return shot, FlatEngine(shapes).render(shot)


def test_boxes_and_areas_are_those_of_the_masks(rendered):
    shot, film = rendered
    for label in annotate(film, shot).objects:
        mask = film.instance_id == label.instance_id
        x, y, width, height = label.bbox
        assert label.area == mask.sum() == mask[y : y + height, x : x + width].sum()
        assert mask[y].any() and mask[y + height - 1].any()
        assert mask[:, x].any() and mask[:, x + width - 1].any()


def test_a_half_hidden_product_is_half_visible(rendered):
    shot, film = rendered
    whole = film.amodal_masks[1]
    rows = np.flatnonzero(whole.any(axis=1))
    ids = np.where(whole, 1, 0).astype(np.uint16)
    ids[: (rows[0] + rows[-1]) // 2] = 0
    first = annotate(Film(film.radiance_linear, film.depth_m, ids, film.amodal_masks), shot).objects[0]
    assert first.visible_fraction == pytest.approx((ids == 1).sum() / whole.sum())
    assert first.bbox_amodal[3] > first.bbox[3]


def test_an_amodal_mask_contains_every_visible_pixel(rendered):
    """Also one that the pass for amodal masks has missed; a product that nothing shows has a mask too."""
    shot, film = rendered
    cut = {instance_id: np.zeros_like(mask) for instance_id, mask in film.amodal_masks.items()}
    cut[1] = film.amodal_masks[1] & (film.instance_id != 1)
    labels = annotate(Film(film.radiance_linear, film.depth_m, film.instance_id, cut), shot)
    assert set(labels.amodal_masks) == {placed.instance_id for placed in shot.products}
    for instance_id, mask in labels.amodal_masks.items():
        assert mask.dtype == bool and mask[film.instance_id == instance_id].all()
    assert np.array_equal(labels.amodal_masks[1], film.amodal_masks[1])
    for label in labels.objects:
        assert label.area <= labels.amodal_masks[label.instance_id].sum()


def labels_with(film, shot, hidden_id):
    ids = np.where(film.instance_id == hidden_id, 0, film.instance_id).astype(np.uint16)
    return annotate(Film(film.radiance_linear, film.depth_m, ids, film.amodal_masks), shot)


def test_a_product_without_a_pixel_has_no_label(rendered):
    shot, film = rendered
    labels = labels_with(film, shot, 2)
    assert [label.instance_id for label in labels.objects] == [1]
    require_visible_subject(labels, shot)


@pytest.mark.parametrize(
    ("instance_id", "band", "reason", "message"),
    [
        (1, (0.0, 1.0), Reason.SUBJECT_INVISIBLE, "no pixel shows"),
        (2, (0.1, 0.4), Reason.SUBJECT_VISIBILITY, "100% of .* is visible, wanted 10% to 40%"),
    ],
)
def test_a_shot_with_too_little_or_too_much_of_its_subject_is_infeasible(
    rendered, instance_id, band, reason, message
):
    shot, film = rendered
    labels = labels_with(film, shot, instance_id)
    with pytest.raises(InfeasibleDraw, match=message) as raised:
        require_visible_subject(labels, shot.model_copy(update={"visible_band": band}))
    assert raised.value.reason == reason and not raised.value.permanent


EVERYTHING = Output(semantic=True, parts=True, normals=True, obb=True, truncation=True, keypoints=True)


@pytest.fixture
def annotated(shapes):
    """Labels of a box and a ball with all outputs: shot, film, labels."""

    def build(camera, *products, output=EVERYTHING):
        catalog = with_keypoints(shapes)
        shot = make_shot(
            [place(i, catalog.product(name), **at) for i, (name, at) in enumerate(products, 1)], camera
        )
        with_ids = [p.model_copy(update={"label_id": p.instance_id + 3}) for p in shot.products]
        shot = shot.model_copy(update={"products": tuple(with_ids)})
        film = FlatEngine(catalog, output).render(shot)
        names = label_names(catalog, {name: [name] for name, _ in products})
        return shot, annotate(film, shot, output, names), names

    return build


def test_every_pixel_has_the_class_and_the_part_of_its_product(annotated):
    _, labels, names = annotated(make_camera(), ("box", {}), ("sphere", {"y": 0.09}))
    for instance_id, class_id in ((0, 0), (1, 5), (2, 6)):
        assert (labels.semantic[labels.instance_id == instance_id] == class_id).all()
    assert names.parts == ("body",)
    assert np.array_equal(labels.parts, np.minimum(labels.instance_id, 1))


def test_normals_are_in_the_frame_of_the_camera(annotated):
    """Seen straight from above, the level looks against the optical axis."""
    _, labels, _ = annotated(make_camera(0, 90, 0), ("box", {}))
    assert np.allclose(labels.normals[labels.instance_id == 0], (0, 0, -1), atol=1e-6)


def test_keypoints_are_visible_hidden_or_not_in_the_image(annotated):
    """From above the upper corners are visible and the lower hidden; moved aside, some leave the image."""
    camera = make_camera(0, 90, 0, distance_m=0.3, target=(0, 0, 0))
    shot, labels, names = annotated(camera, ("box", {}))
    points = np.array(labels.objects[0].keypoints)
    expected = [2 if corner[2] > 0 else 1 for corner in corners(names.catalog.product("box"))]
    assert points[:, 2].tolist() == expected
    world = transform_points(shot.products[0].object_to_world, corners(names.catalog.product("box")))
    assert np.allclose(points[:, :2], project(world, camera.intrinsics, camera.world_to_camera))
    _, labels, _ = annotated(camera, ("box", {"x": 0.06, "y": 0.1}))
    outside = [point for point in labels.objects[0].keypoints if point[2] == 0]
    assert 0 < len(outside) < 8 and set(outside) == {(0.0, 0.0, 0)}


def test_a_class_has_the_keypoints_of_all_its_products_in_one_order(shapes):
    box, ball = with_keypoints(shapes).products
    own = (Keypoint("top", (0, 0, 0.06)), Keypoint("corner_3", (0, 0, 0)))
    catalog = Catalog((box, replace(ball, keypoints=own)))
    names = label_names(catalog, {"thing": ["box", "sphere"]})
    assert names.keypoints["thing"] == (*(f"corner_{i}" for i in range(8)), "top")
    placed = place(1, ball).model_copy(update={"label": "thing"})
    assert names.keypoint_places(placed) == [None, None, None, 1, None, None, None, None, 0]


@pytest.mark.parametrize("distortion", [(0.0,) * 5, (-0.25, 0.05, 0.001, -0.001, 0.0)])
def test_truncation_is_the_share_that_the_border_cuts_off(annotated, distortion):
    """A ball whose middle lies on the border is cut in halves; in the middle of the image it is whole."""
    camera = make_camera(0, 90, 0, distance_m=0.4, target=(0, 0, 0))
    camera = camera.model_copy(update={"distortion": distortion})
    on_sensor = (-camera.resolution[0] / 2 / camera.intrinsics[0][0], 0.0)
    ray = np.append(undistort(np.array(on_sensor), distortion), 1.0) * 0.37
    edge = transform_points(inverse_rigid(camera.world_to_camera), [ray])[0]
    _, labels, _ = annotated(camera, ("sphere", {"x": edge[0], "y": edge[1]}))
    assert labels.objects[0].truncation == pytest.approx(0.5, abs=0.06)
    _, labels, _ = annotated(camera, ("sphere", {}))
    assert labels.objects[0].truncation == 0


def test_outputs_that_are_off_are_absent(annotated):
    _, labels, _ = annotated(make_camera(), ("box", {}), output=Output())
    assert labels.semantic is labels.parts is labels.normals is labels.soft_masks is None
    one = labels.objects[0]
    assert one.truncation is one.obb is one.keypoints is None


def test_classes_take_16_bit_only_where_there_are_many(annotated, shapes):
    _, labels, names = annotated(make_camera(), ("box", {}))
    assert labels.semantic.dtype == np.uint8
    shot = make_shot([place(1, shapes.product("box"))])
    film = FlatEngine(shapes).render(shot)
    many = annotate(film, shot, Output(semantic=True), replace(names, classes=255))
    assert many.semantic.dtype == np.uint16 and set(np.unique(many.semantic)) == {0, 1}
