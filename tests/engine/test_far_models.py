"""Models far from the origin keep their shape, and animated ones are taken at rest, in every format.

All files are measured by one child, once for the module; tests then look at the outcomes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.measuring.entry import Measured, read_entry
from blendgen.models.scan import scan_directory
from tests.engine.wedge_files import AT_REST, CORNERS, FAR, NEAR, OWN, UNUSABLE_USD

pytest.importorskip("bpy")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> tuple[dict[str, Measured], dict[str, str]]:
    """Products, and reasons of refusals, by the name of their file."""
    folder = tmp_path_factory.mktemp("wedges")
    for name, data in (FAR | AT_REST | UNUSABLE_USD).items():
        (folder / name).write_bytes(data)
    sources = scan_directory(folder, "", None, "z")
    points = {name: OWN.get(name, CORNERS).tolist() for name in FAR}
    sources = [replace(s, options=s.options | {"points": points.get(s.display, [])}) for s in sources]
    jobs = [(source, tmp_path_factory.mktemp("entry")) for source in sources]
    refusals = list(BlenderMeasurer(timeout_s=60).measure(jobs))
    reasons = {refusal.source: refusal.reason for refusal in refusals if refusal is not None}
    entries = {source.display: read_entry(entry) for source, entry in jobs if source.display not in reasons}
    return entries, reasons


@pytest.fixture(scope="module")
def measured(outcomes) -> dict[str, Measured]:
    return outcomes[0]


@pytest.mark.parametrize("name", FAR)
def test_a_model_far_from_the_origin_keeps_its_shape_and_its_points(measured, name):
    """As the same wedge at the origin would, to a thousandth of a millimetre."""
    product, own = measured[name], OWN.get(name, CORNERS)
    np.testing.assert_allclose(product.size_m, (0.3, 0.2, 0.1), atol=1e-6)
    at_origin = NEAR - [0.15, 0.1, 0]
    keypoints = np.array([keypoint.position_m for keypoint in product.keypoints])
    np.testing.assert_allclose(keypoints, at_origin, atol=1e-6)
    frame = np.array(product.file_to_product)
    np.testing.assert_allclose(own @ frame[:3, :3].T + frame[:3, 3], at_origin, atol=1e-6)


@pytest.mark.parametrize("name", AT_REST)
def test_an_animated_model_is_taken_at_rest_and_says_so(measured, name):
    """The default value of USD, or that of its first frame; the node of glTF: all one metre off."""
    product = measured[name]
    np.testing.assert_allclose(product.size_m, (1.3, 0.2, 0.1), atol=1e-5)
    assert product.notes == ("it is animated: taken at rest",)


def test_usd_files_with_unusable_coordinates_are_refused_with_the_reason(outcomes):
    _, reasons = outcomes
    assert reasons.keys() == UNUSABLE_USD.keys()
    assert all("not finite" in reasons[name] for name in ("nan point.usda", "nan transform.usda"))
    assert "5,411,933 units from its origin" in reasons["refers to single precision.usda"]
