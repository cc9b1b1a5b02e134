"""Images card: README.md in images/, which tells Hugging Face datasets the splits of the folders.

In: the record of a finished data set. Out: the text. Without it, the loader reads splits from the words of
all names, and a split `hard` would be left out. The loader's cache tells folders with a card apart by the
name of the folder and by `configs` alone: without the `description`, it would return the images of another
data set.
source: https://huggingface.co/docs/hub/datasets-manual-configuration
"""

from __future__ import annotations

from typing import Any

import yaml

from blendgen.scene.split_names import hub_split

MARK = b"---\n# the images of a data set of blendgen\n"  # the file begins like this


def images_card(record: dict[str, Any], images_digest: str) -> bytes:
    """The card of a record with `images_per_split`; images_digest: of all images."""
    files = [{"split": hub_split(split), "path": f"{split}/**"} for split in record["images_per_split"]]
    config = {"config_name": "default", "description": f"images {images_digest}", "data_files": files}
    head = {"configs": [{**config, "drop_labels": False}]}
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    return MARK + text.encode() + b"---\n"
