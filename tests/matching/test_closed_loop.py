"""A spec matched to pictures of a known camera makes pictures that no statistic tells from them."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen import api
from blendgen.photos.sets import differences, of_set
from blendgen.photos.statistics import measured
from tests.matching.places import photos_of, sampled_with, write_base, write_photos

PHOTOS, IMAGES = range(1, 8), range(21, 28)
CAMERA = {
    "exposure_gain_db": 21,
    "blur_px": 1.5,
    "mechanical_vignetting_ev": 2.2,
    "natural_vignetting": 0.0,
    "jpeg_quality": 82,
}
# what this camera does differently from that of the neutral spec
DIFFERENT = {"noise_dark", "noise_mid", "noise_bright", "edge_blur", "vignetting", "jpeg_quality"}
# of the sensor, and not of what is in the pictures
OF_THE_SENSOR = DIFFERENT | {"noise_correlation", "aberration", "fine_detail"}


def statistics(images):
    return of_set([measured(image) for image in images])


def apart(photos, images) -> dict[str, str]:
    """Statistics of the sensor that differ, with what to do about them."""
    every = differences(photos, images)
    return {one.name: one.move for one in every if one.verdict == "differs" and one.name in OF_THE_SENSOR}


@pytest.mark.slow
def test_a_matched_spec_makes_the_statistics_of_its_photos_and_a_neutral_one_does_not(tmp_path):
    place = write_photos(tmp_path / "place", photos_of(PHOTOS, **CAMERA))
    base = write_base(tmp_path)
    matched = api.match(place, tmp_path / "matched.yaml", spec=base)
    photos = statistics(photos_of(PHOTOS, **CAMERA))
    neutral = apart(photos, statistics(sampled_with(api.load_spec(base).spec, IMAGES)))
    assert set(neutral) >= DIFFERENT
    assert "raise exposure.gain_db" in neutral["noise_mid"]
    assert "raise sensor.blur_px" in neutral["edge_blur"]
    assert "lower sensor.jpeg_quality" in neutral["jpeg_quality"]
    assert "raise sensor.mechanical_vignetting_ev" in neutral["vignetting"]
    spec = api.load_spec(tmp_path / "matched.yaml").spec
    assert apart(photos, statistics(sampled_with(spec, IMAGES))) == {}
    values = {one.field: one.value for one in matched.values}
    assert values["sensor.jpeg_quality"] == pytest.approx(82, abs=1)
    for field, known in (("sensor.blur_px", 1.5), ("exposure.gain_db", 21)):
        low, high = values[field]["uniform"]
        assert np.mean([low, high]) == pytest.approx(known, rel=0.2)
