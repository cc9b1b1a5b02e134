import numpy as np
import pytest

from blendgen.annotate import annotate, hidden_products
from blendgen.draw.shot import draw_shot
from blendgen.engine.flat import FlatEngine
from blendgen.shot import Film
from tests.conftest import make_roster, make_spec


@pytest.fixture
def seen(shapes):
    spec = make_spec(per_image=2, resolution=[96, 96])
    shot = draw_shot(spec, shapes, make_roster(shapes), 1)
    return shot, FlatEngine(shapes).render(shot)


def test_boxes_and_areas_are_those_of_the_masks(seen):
    shot, film = seen
    for label in annotate(film, shot).objects:
        mask = film.instance_id == label.instance_id
        x, y, width, height = label.bbox
        assert label.area == mask.sum() == mask[y : y + height, x : x + width].sum()
        assert mask[y].any() and mask[y + height - 1].any()
        assert mask[:, x].any() and mask[:, x + width - 1].any()


def test_a_half_hidden_product_is_half_visible(seen):
    shot, film = seen
    whole = film.amodal_mask[1]
    rows = np.flatnonzero(whole.any(axis=1))
    ids = np.where(whole, 1, 0).astype(np.uint16)
    ids[: (rows[0] + rows[-1]) // 2] = 0
    first = annotate(Film(film.radiance_linear, film.depth_m, ids, film.amodal_mask), shot).objects[0]
    assert first.visible_fraction == pytest.approx((ids == 1).sum() / whole.sum())
    assert first.bbox_amodal[3] > first.bbox[3]


def test_a_product_without_a_pixel_is_reported_as_hidden(seen):
    shot, film = seen
    ids = np.where(film.instance_id == 2, 0, film.instance_id)
    labels = annotate(Film(film.radiance_linear, film.depth_m, ids, film.amodal_mask), shot)
    assert hidden_products(labels) == [shot.products[1].product]
    assert labels.objects[1].bbox == (0, 0, 0, 0)
    assert labels.objects[1].visible_fraction == 0
