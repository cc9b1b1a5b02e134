"""Images card: README.md in images/, which tells Hugging Face datasets the splits of the folders.

In: the record of a finished data set. Out: the text. Without it, the loader reads splits from the words of
all names: a class `test_tube` would become test images, and a split `hard` would be left out.
source: https://huggingface.co/docs/hub/datasets-manual-configuration
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from blendgen.scene.split_names import hub_split

MARK = b"---\n# the images of a data set of blendgen\n"  # the file begins like this
_SKIPPED = ("__", ".")  # folders whose names begin like this are read only where a pattern names them


def images_card(record: dict[str, Any]) -> bytes:
    """The card of a record with `name`, `classes` and `images_per_split`."""
    files = [
        {"split": hub_split(split), "path": list(_patterns(split, record["classes"]))}
        for split in record["images_per_split"]
    ]
    head = {"configs": [{"config_name": "default", "data_files": files, "drop_labels": False}]}
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    return MARK + text.encode() + b"---\n"


def _patterns(split: str, classes: Iterable[str]) -> Iterable[str]:
    yield f"{split}/**"
    for label in classes:
        if label.startswith(_SKIPPED):
            yield f"{split}/{label}/**"
