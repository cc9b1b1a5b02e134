"""The cache of rendered pictures of models."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from blendgen.models.measuring.pictures import PictureCache, picture_key

KEY = picture_key(["facts", {"b": 1, "a": (1.5, 2)}])


def picture():
    return Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))


def test_a_picture_comes_back_with_what_is_known_of_it(tmp_path):
    cache = PictureCache(tmp_path)
    assert cache.find(KEY) is None
    cache.add(KEY, picture(), {"px_per_m": 0.1, "name": "\u2713"})
    stored, known = cache.find(KEY)
    assert stored.tobytes() == picture().tobytes() and known == {"px_per_m": 0.1, "name": "\u2713"}
    assert cache.find(picture_key(["other facts"])) is None


def test_the_key_does_not_depend_on_the_order_of_keys():
    assert picture_key(["facts", {"a": [1.5, 2], "b": 1}]) == KEY


@pytest.mark.parametrize("content", [b"", b"not a picture", "half"])
def test_a_damaged_picture_is_rendered_again(tmp_path, content):
    cache = PictureCache(tmp_path)
    cache.add(KEY, picture(), {})
    (file,) = tmp_path.rglob("*.png")
    file.write_bytes(file.read_bytes()[:60] if content == "half" else content)
    assert cache.find(KEY) is None


def test_a_folder_that_cannot_be_used_is_ignored(tmp_path):
    (tmp_path / "pictures").write_text("a file")
    cache = PictureCache(tmp_path)
    cache.add(KEY, picture(), {})
    assert cache.find(KEY) is None
