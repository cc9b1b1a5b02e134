import json
from pathlib import Path

import pytest
import yaml

from blendgen.spec.schema import json_schema

jsonschema = pytest.importorskip("jsonschema")
SCENES = sorted((Path(__file__).resolve().parents[2] / "scenes").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_the_schema_accepts_the_shipped_scenes(validator, path):
    values = json.loads(json.dumps(yaml.safe_load(path.read_text())))
    assert [error.message for error in validator.iter_errors(values)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"seeed": 1},
        {"sensor": "nope"},
        {"surface": {"kind": "nope"}},
        {"camera": {"roll_deg": {"uniform": [1]}}},
        {"products_per_image": 0},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(validator, change):
    values = {"blendgen": 1, "name": "x", "products": [{"catalog": "shapes"}], **change}
    assert list(validator.iter_errors(values))


def test_the_schema_accepts_a_colour_alone_as_a_finish(validator):
    recolor = {"red": {"body": "#ff0000", "lid": {"roughness": 0.5}}, "own": {}}
    products = [{"directory": "models", "recolor": recolor}]
    assert not list(validator.iter_errors({"blendgen": 1, "name": "x", "products": products}))
    products[0]["recolor"]["red"]["body"] = 3
    assert list(validator.iter_errors({"blendgen": 1, "name": "x", "products": products}))
