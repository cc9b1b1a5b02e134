import json

from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.scene.shot import Exposure, Shot
from tests.conftest import make_class_table, make_spec


def test_shot_and_exposure_survive_json_unchanged(shapes):
    spec = make_spec(products_per_image=2)
    shot = draw_shot(spec, shapes, make_class_table(shapes), 3)
    (exposure,) = draw_exposures(spec, shot, [3])
    assert Shot.model_validate(json.loads(json.dumps(shot.model_dump(mode="json")))) == shot
    assert Exposure.model_validate(json.loads(json.dumps(exposure.model_dump(mode="json")))) == exposure
