"""The registry of label files: every kind is written where, when and as its record states."""

import numpy as np
import OpenEXR
import pycocotools.mask
import pytest

from blendgen.dataset.label_file import decode
from blendgen.dataset.label_registry import FOLDERS, LABEL_FILES, encoded_files
from blendgen.pipeline import tasks_for
from blendgen.spec.output import Output
from tests.conftest import make_spec

ON_BY_SPEC = [name for name in LABEL_FILES if name != "image"]
KEYS = {name: "masks" if name == "mask" else name for name in ON_BY_SPEC}


def frame_of(flat_pipeline, **output):
    spec = make_spec(products_per_image=2, output=output)
    pipeline = flat_pipeline(spec)
    return next(pipeline.frames(next(tasks_for(spec, [0])))), spec.output


@pytest.fixture
def everything(flat_pipeline):
    return frame_of(flat_pipeline, **dict.fromkeys(KEYS.values(), True))


def test_names_and_folders_are_unique_and_alike():
    assert len(set(FOLDERS)) == len(LABEL_FILES)
    assert {name: kind.folder for name, kind in LABEL_FILES.items() if kind.folder != name} == {
        "image": "images",
        "mask": "masks",
    }
    assert all(kind.name == name for name, kind in LABEL_FILES.items())


@pytest.mark.parametrize("name", ON_BY_SPEC)
def test_each_key_of_output_asks_for_its_own_file(flat_pipeline, name):
    off = Output(masks=False)
    assert [kind.name for kind in LABEL_FILES.values() if kind.is_wanted(off)] == ["image"]
    frame, output = frame_of(flat_pipeline, **{"masks": False, KEYS[name]: True})
    assert list(encoded_files(frame, output)) == ["image", name]


def test_the_files_of_an_image_decode_to_its_size(everything):
    frame, output = everything
    files = encoded_files(frame, output)
    assert list(files) == list(LABEL_FILES)
    height, width = frame.rgb_u8.shape[:2]
    for name, data in files.items():
        suffix = LABEL_FILES[name].suffixes[0]
        channels = decode(data, suffix, height * width)
        assert {values.shape for values in channels.values()} == {(height, width)}
        assert decode(data[: len(data) // 2], suffix, height * width) is None
        assert decode(data, suffix, height * width // 5) is None, "claims five times the pixels of its row"


def test_each_path_is_that_of_one_kind_only(everything):
    frame, output = everything
    for kind in LABEL_FILES.values():
        path = kind.path(frame.shot, 7, output)
        assert path.endswith(f"/{frame.shot.split}/{frame.shot.products[0].label}/000007{kind.suffixes[0]}")
        assert [other.name for other in LABEL_FILES.values() if other.path_fault(path) is None] == [kind.name]
        assert "does not end in" in kind.path_fault(path + ".svg")


def test_amodal_masks_are_read_as_the_documentation_says(everything, tmp_path):
    frame, output = everything
    path = tmp_path / "000042.exr"
    path.write_bytes(encoded_files(frame, output)["amodal_masks"])
    channels = OpenEXR.File(str(path), separate_channels=True).channels()
    assert {channel.pixels.dtype for channel in channels.values()} == {np.dtype(np.float16)}
    for label in frame.labels.objects:
        mask = np.asfortranarray(channels[f"instance_{label.instance_id}"].pixels > 0, np.uint8)
        assert pycocotools.mask.area(pycocotools.mask.encode(mask)) == round(
            label.area / label.visible_fraction
        )


def test_a_mask_decodes_to_the_instance_ids(everything):
    frame, output = everything
    ids = decode(encoded_files(frame, output)["mask"], ".png", frame.labels.instance_id.size)[""]
    assert np.array_equal(ids, frame.labels.instance_id) and set(np.unique(ids)) >= {0, 1}
