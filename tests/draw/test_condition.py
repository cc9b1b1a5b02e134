"""Wear: where marks and stickers are, and what stays as it was when a product grows older."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from blendgen.draw.shot import draw_shot, shot_sampler
from blendgen.models.product import Catalog
from tests.conftest import make_class_table, make_product, make_spec

pytestmark = pytest.mark.slow

MARKS = ("scratches", "fingerprints", "dust", "scuffs", "stickers", "cracks")


@pytest.fixture(scope="module")
def plates():
    bead = make_product("bead", "box", (0.02, 0.02, 0.02))
    return Catalog((make_product("plate", "box", (0.07, 0.15, 0.008)), bead))


def shots(catalog, count=40, **changes):
    spec = make_spec(**changes)
    return [draw_shot(spec, catalog, make_class_table(catalog), index) for index in range(count)]


@pytest.fixture(scope="module")
def new_shots(plates):
    return shots(plates)


def test_what_is_new_has_no_marks(new_shots):
    for shot in new_shots:
        assert all(p.condition.is_new and not p.condition.stickers for p in shot.products)


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_leaves_every_other_draw_as_it_was(plates, new_shots, mark):
    own, marked = {mark, "impact"} if mark == "cracks" else {mark}, shots(plates, condition={mark: 0.8})
    for new, used in zip(new_shots, marked, strict=True):
        assert new.model_dump(exclude={"products"}) == used.model_dump(exclude={"products"})
        one, two = new.products[0], used.products[0]
        assert one.model_dump(exclude={"condition"}) == two.model_dump(exclude={"condition"})
        assert one.condition.model_dump(exclude=own) == two.condition.model_dump(exclude=own)
    assert not all(shot.products[0].condition.is_new for shot in marked)


def test_stickers_stay_where_they_are_as_more_come(plates):
    few, many, all_four = (shots(plates, 60, condition={"stickers": amount}) for amount in (0.2, 0.7, 1.0))
    for one, two in zip(few, many, strict=True):
        assert set(one.products[0].condition.stickers) <= set(two.products[0].condition.stickers)
    assert {len(shot.products[0].condition.stickers) for shot in all_four} == {4}
    mean = np.mean([len(shot.products[0].condition.stickers) for shot in few])
    assert mean == pytest.approx(0.8, abs=0.3)


@pytest.mark.parametrize("pose", ["upright", "free"])
def test_stickers_lie_on_what_looks_up_and_fit_it(plates, pose):
    for shot in shots(plates, condition={"stickers": 1}, placement={"pose": pose}):
        placed = shot.products[0]
        rotation = np.array(placed.object_to_world)[:3, :3]
        size = np.array(plates.product(placed.product).size_m)
        for sticker in placed.condition.stickers:
            normal, along = np.array(sticker.normal), np.array(sticker.along)
            assert (rotation @ normal)[2] > 0.57  # the least that the best of six faces can look up
            assert normal @ along == pytest.approx(0) and np.linalg.norm(along) == pytest.approx(1)
            on_face = (np.array(sticker.center_m) - [0, 0, size[2] / 2]) @ normal
            assert on_face == pytest.approx(np.abs(normal) @ size / 2)
            sides = sorted(size[np.abs(normal) < 0.5])
            assert sticker.size_m[1] <= 0.61 * sides[0]
            assert sticker.size_m[0] <= (1.21 if sticker.kind == "tape" else 0.61) * sides[1]


def test_glass_is_hit_across_its_thinnest_side_and_often_near_the_rim(plates):
    catalog = Catalog(plates.products[:1])
    points = []
    for shot in shots(catalog, 300, condition={"cracks": 0.5}):
        impact = shot.products[0].condition.impact
        assert impact.normal == (0.0, 0.0, 1.0)
        points.append(np.array(impact.point_m[:2]) / [0.035, 0.075])
    outer = np.abs(points).max(axis=1) > 0.75
    assert np.abs(points).max() < 1 and 0.5 < outer.mean() < 0.8


@pytest.fixture
def wardrobe():
    """A phone-like product, and the same in a case."""
    phone = make_product("phone", "box", (0.07, 0.15, 0.008), ("#101010", "#f0f0f0"))
    cased = replace(make_product("phone in case", "box", (0.074, 0.154, 0.01)), colorways=phone.colorways)
    other = make_product("other", "box", (0.08, 0.16, 0.008))
    return Catalog(
        (phone, other), products_in_case={"phone": cased, "other": replace(cased, colorways=other.colorways)}
    )


def test_as_many_phones_wear_a_case_as_the_spec_says():
    spec = make_spec(products=[{"catalog": "phones", "case": 0.3, "case_colors": ["clear", "#202020"]}])
    distribution = spec.products[0].case_distribution
    cases = Counter(shot_sampler(spec, index).value(distribution, "products.0.case") for index in range(2000))
    assert cases[None] == pytest.approx(1400, abs=80) and cases["clear"] == pytest.approx(300, abs=60)
    assert set(cases) == {None, "clear", "#202020"}


def test_a_case_changes_neither_class_nor_colourway_nor_what_else_is_drawn(wardrobe):
    products = [{"catalog": "phones", "case": 0.5}]
    bare, cased = shots(wardrobe, 60), shots(wardrobe, 60, products=products)
    assert 10 < sum(shot.products[0].case is not None for shot in cased) < 50
    for one, two in zip(bare, cased, strict=True):
        named = {"label", "label_id", "product", "colorway", "condition"}
        assert one.products[0].model_dump(include=named) == two.products[0].model_dump(include=named)
        assert one.environment == two.environment and one.camera.azimuth_deg == two.camera.azimuth_deg


def test_a_phone_in_its_case_takes_its_place_and_not_less(wardrobe):
    products = [{"catalog": "phones", "case": 1}]
    for shot in shots(wardrobe, 20, products=products, products_per_image=2):
        for placed in shot.products:
            assert placed.case is not None
            assert wardrobe.product_of(placed).size_m == (0.074, 0.154, 0.01)
