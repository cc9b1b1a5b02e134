"""A sidecar to start from is right as it is, whatever the materials are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from blendgen.models.sidecar.apply import with_sidecar
from blendgen.models.sidecar.read import check_sidecar
from blendgen.models.sidecar.schema import LONGEST_NAME
from blendgen.models.sidecar.template import template
from blendgen.spec.yaml_source import parse
from tests.conftest import make_product, with_measured

FRAME = ((0.001, 0, 0, 0), (0, 0, -0.001, 0), (0, 0.001, 0, 0), (0.0, 0, 0, 1))


@pytest.mark.parametrize("name", ["mug", "1", "null", "Tasse für Tee", "a #c"])
def test_what_was_measured_is_a_sidecar_that_fits(name):
    parts = ("mat[1]*", 'say "no": #1', "true", "Glas 茶", "a?b\\c", "..", "\u202e")
    labels = (*parts[:4], "a?b_c", "_", "_")  # a name is not a path, and can be seen
    product = with_measured(make_product(name, "mesh", (0.04, 0.04, 0.1)), parts=parts, file_to_product=FRAME)
    text = template(product, {"unit": "mm", "up": None})
    file = check_sidecar(parse(text, "mug.yaml"), Path("mug.obj"))
    described, problems = with_sidecar(product, file)
    assert problems == []
    assert (described.part_names, described.model_class, file.sidecar.unit) == (labels, name, "mm")
    assert "+y up" in text


def test_names_that_a_sidecar_has_no_room_for_are_shortened():
    parts = ("a" * 120 + "1", "a" * 120 + "2", "b" * 101)
    product = with_measured(
        make_product("m" * 150, "mesh", (0.04, 0.04, 0.1)), parts=parts, file_to_product=FRAME
    )
    file = check_sidecar(parse(template(product, {}), "mug.yaml"), Path("mug.obj"))
    described, problems = with_sidecar(product, file)
    assert problems == []
    assert described.model_class == "m" * LONGEST_NAME
    assert set(described.part_names) == {"a" * LONGEST_NAME, "b" * LONGEST_NAME}
