import numpy as np
import pytest

from blendgen import annotate as annotation
from blendgen.annotate import subject_fault
from blendgen.catalog.label_names import label_names
from blendgen.catalog.product import Catalog
from blendgen.draw.shot import draw_shot
from blendgen.engine.flat import FlatEngine
from blendgen.film import Film
from blendgen.spec.output import Output
from tests.conftest import make_roster, make_spec

OUTPUT = Output()
NO_NAMES = label_names(Catalog(()), {})


def annotate(film, shot, output=OUTPUT, names=NO_NAMES):
    return annotation.annotate(film, shot, names, output)


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


def labels_with(film, shot, hidden_id):
    ids = np.where(film.instance_id == hidden_id, 0, film.instance_id).astype(np.uint16)
    return annotate(Film(film.radiance_linear, film.depth_m, ids, film.amodal_mask), shot)


def test_a_product_without_a_pixel_has_no_label(seen):
    shot, film = seen
    labels = labels_with(film, shot, 2)
    assert [label.instance_id for label in labels.objects] == [1]
    assert subject_fault(labels, shot) is None


def test_a_subject_that_is_not_seen_as_wanted_is_a_fault(seen):
    shot, film = seen
    assert "no pixel of" in subject_fault(labels_with(film, shot, 1), shot)
    narrow = shot.model_copy(update={"visible_band": (0.1, 0.4)})
    assert "100% of" in subject_fault(annotate(film, shot), narrow)
