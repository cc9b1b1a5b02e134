"""Optional labels of the Blender engine: the conformance suite; they do not change the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blendgen.annotate import annotate
from blendgen.errors import InfeasibleDraw, Reason
from blendgen.models.label_names import label_names
from blendgen.spec.output import Output
from tests.conftest import make_spec
from tests.engine import label_conformance
from tests.engine.conformance import make_camera, make_shot, overhead_lamp, place

pytest.importorskip("bpy")


@pytest.fixture(scope="module")
def catalog(stock):
    return label_conformance.with_keypoints(stock)


def build(catalog, output, samples=4):
    from blendgen.engine.blender.session.engine import BlenderEngine

    render = make_spec(render={"samples_per_pixel": samples, "max_bounces": 1, "denoise": False}).render
    return BlenderEngine(catalog, render, 1, 2, output)


LIDDED_BOX = """
v -3 -2 0\nv 3 -2 0\nv 3 2 0\nv -3 2 0\nv -3 -2 2\nv 3 -2 2\nv 3 2 2\nv -3 2 2
usemtl body\nf 4 3 2 1\nf 1 2 6 5\nf 2 3 7 6\nf 3 4 8 7\nf 4 1 5 8
usemtl lid\nf 5 6 7 8
"""


@pytest.fixture(scope="module")
def lidded(tmp_path_factory):
    """A box of 6 x 4 x 2 cm whose top is a separate part, with a colourway for both parts."""
    from blendgen.engine.blender.importing.measurer import BlenderMeasurer
    from blendgen.models.load import load_catalog
    from blendgen.models.measuring.cache import AssetCache
    from blendgen.models.product import Colorway, MaterialOverride
    from blendgen.models.scan import scan_directory

    folder = tmp_path_factory.mktemp("lidded")
    (folder / "box.obj").write_text(LIDDED_BOX)
    sources = scan_directory(folder, "models", "cm", "z")
    catalog = load_catalog(sources, BlenderMeasurer(), AssetCache(tmp_path_factory.mktemp("cache")))
    # both slots have the same material, but must stay separate parts
    swapped = {"body": MaterialOverride(material="lid")}
    colorways = (*catalog.products[0].colorways, Colorway("plain", swapped))
    return replace(catalog, products=(replace(catalog.products[0], colorways=colorways),))


@pytest.mark.slow
@pytest.mark.parametrize("colorway", ["default", "plain"])
def test_parts_are_where_their_faces_are(lidded, colorway):
    box = lidded.product("box")
    engine = build(lidded, Output(parts=True), 1)
    shot = make_shot(
        [place(1, box, yaw_deg=15, colorway=colorway), place(2, box, y=0.07)],
        make_camera(30, 40, resolution=(256, 192)),
    )
    film = engine.render(shot)
    names = label_names(lidded, {})
    parts = annotate(film, shot, names, Output(parts=True)).parts
    assert names.parts == tuple(sorted(box.parts)) == ("body", "lid")
    height_m = visible_height_m(film, shot.camera)
    own = film.instance_id > 0
    assert set(np.unique(parts[own])) == {1, 2} and not parts[~own].any()
    assert (parts[own & (height_m < 0.0195)] == 1).all()
    assert height_m[parts == 2].min() > 0.0199
    assert np.count_nonzero(parts == 2) > 1000


def visible_height_m(film, camera):
    points = label_conformance.points_of_pixels(film, camera, np.isfinite(film.depth_m))
    height_m = np.full(film.depth_m.shape, np.nan)
    height_m[np.isfinite(film.depth_m)] = points[:, 2]
    return height_m


@pytest.fixture(scope="module")
def engine(catalog):
    return build(catalog, label_conformance.EVERYTHING)


MORE = (  # render more; the other checks fail where these would, if a pass is missing or in the wrong place
    label_conformance.check_keypoints,
    label_conformance.check_normals,
    label_conformance.check_albedo,
    label_conformance.check_overscan,
    label_conformance.check_overscan_includes_products_outside_the_image,
    label_conformance.check_nothing_is_beyond_the_border,
)


@pytest.mark.parametrize(
    "check",
    [pytest.param(c, marks=pytest.mark.slow) if c in MORE else c for c in label_conformance.CHECKS],
    ids=lambda check: check.__name__,
)
def test_optional_labels(engine, catalog, check):
    check(engine, catalog.product("box"), catalog.product("sphere"))


@pytest.mark.slow
def test_coarse_pixels_measure_truncation(engine, catalog, monkeypatch):
    """A product behind the camera needs the largest overscan, with pixels for the size of the image only."""
    box, camera = catalog.product("box"), make_camera(0, 90, 0, distance_m=0.3, target=(0.05, 0.09, 0))
    above = place(2, box)
    pose = [list(row) for row in above.object_to_world]
    pose[2][3] = 1.0
    above = above.model_copy(update={"object_to_world": tuple(map(tuple, pose))})
    cut = place(1, box, yaw_deg=20)
    share = []
    for products in ([cut], [cut, above]):
        overscan = engine.render(make_shot(products, camera)).overscan
        mask = overscan.amodal_masks[1]
        share.append(1 - overscan.inside[mask].sum() / mask.sum())
        monkeypatch.setattr("blendgen.optics.overscan._MAX_PIXELS", np.prod(camera.resolution))
    assert overscan.camera.resolution == camera.resolution and not overscan.inside.all()
    assert share[0] > 0.1 and share[1] == pytest.approx(share[0], abs=0.03)


def test_image_and_masks_are_the_same_with_all_labels_or_none(catalog):
    camera = make_camera(0, 60, 0, distance_m=0.25, target=(0.03, 0.05, 0), resolution=(64, 48))
    box, sphere = catalog.product("box"), catalog.product("sphere")
    shot = make_shot([place(1, box), place(2, sphere, y=0.08)], camera, [overhead_lamp()])
    plain = build(catalog, Output(), 2).render(shot)
    full = build(catalog, label_conformance.EVERYTHING, 2)
    for film in (full.render(shot), full.render(shot)):  # twice: the second after an overscan
        for group, radiance in plain.radiance_linear.items():
            assert np.array_equal(radiance, film.radiance_linear[group])
        assert np.array_equal(plain.depth_m, film.depth_m)
        assert np.array_equal(plain.instance_id, film.instance_id)
    assert plain.part_slot is plain.soft_masks is plain.keypoint_seen is plain.overscan is None


@pytest.mark.parametrize(("products", "is_infeasible"), [(15, False), (16, True)])
def test_a_shot_with_more_products_in_line_than_cryptomatte_stores_is_drawn_again(products, is_infeasible):
    """Of one pixel: a pass holds the ids and shares of two objects."""
    from blendgen.engine.blender.session import amodal

    share = 1 / products
    ranks = [(amodal.cryptomatte_id(f"thing {i}"), share) if i < products else (0, 0) for i in range(16)]
    pairs = np.array(ranks, np.float32).reshape(8, 1, 1, 4)
    passes = {f"CryptoObject{number:02d}": pair for number, pair in enumerate(pairs)}
    if is_infeasible:
        with pytest.raises(InfeasibleDraw, match="more than 15 products are behind one another") as raised:
            amodal.masks(passes, {1: "thing 3"})
        assert raised.value.reason == Reason.PRODUCTS_IN_LINE and not raised.value.permanent
    else:
        masks = amodal.masks(passes, {1: "thing 14", 2: "thing 15"})
        assert masks[1].all() and not masks[2].any()


def test_each_object_gets_its_own_pixels_and_shares():
    """Of many pixels with objects in any rank, compared with one search for each object."""
    from blendgen.engine.blender.session import amodal

    rng = np.random.default_rng(0)
    names = {number: f"thing {number}" for number in range(1, 6)}
    ids = np.array([0.0, *(amodal.cryptomatte_id(name) for name in names.values())], np.float32)
    ranks = np.argsort(rng.random((12, 17, 6)), axis=-1)[..., :4]  # no object twice in a pixel
    shares = np.where(ranks > 0, rng.random(ranks.shape), 0).astype(np.float32)
    passes = {
        f"CryptoObject0{pair}": np.stack(
            [plane[..., 2 * pair + one] for one in (0, 1) for plane in (ids[ranks], shares)], axis=-1
        )
        for pair in (0, 1)
    }
    passes["CryptoObject02"] = np.zeros_like(passes["CryptoObject01"])
    masks, soft = amodal.masks(passes, names), amodal.soft_masks(passes, names)
    for number in names:
        own = ranks == number
        assert np.array_equal(masks[number], own.any(axis=-1))
        assert np.array_equal(soft[number], np.where(own, shares, 0).sum(axis=-1))
    assert amodal.masks(passes, {}) == {}
