"""Images card: README.md in images/, or in data/ if images are in packs. It tells Hugging Face datasets the
splits.

In: the record of a finished data set. Out: the text. Without it, the loader reads splits from the words of
all names, and a split `hard` would be left out. The loader's cache tells folders with a card apart by the
name of the folder and by `configs` alone: without the `description`, it would return the images of another
data set. If the splits have lists (image_lists.py), it reads them, and the card names their columns.
source: https://huggingface.co/docs/hub/datasets-manual-configuration
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from blendgen.dataset.layout import Layout
from blendgen.dataset.pack_plan import CONTAINER_KEY, PackPlan
from blendgen.scene.split_names import hub_split

MARK = b"---\n# the images of a data set of blendgen\n"  # the file begins like this


def card_name(layout: Layout, record: Mapping[str, Any]) -> str:
    """Where the card is, relative to the data set."""
    return layout.name(layout.images_card if CONTAINER_KEY not in record else layout.packs_card)


def images_card(record: dict[str, Any], images_digest: str, has_lists: bool = False) -> bytes:
    """The card of a record with `images_per_split`.

    images_digest: of all images; has_lists: whether image_lists.py has written lists
    """
    plan = PackPlan.of_record(record)
    names = "{}/**" if plan is None else f"{{}}-*{plan.suffix}"
    files = [{"split": hub_split(split), "path": names.format(split)} for split in record["images_per_split"]]
    config = {"config_name": "default", "description": f"images {images_digest}", "data_files": files}
    labels = listed_labels(record["classes"]) if has_lists else {"drop_labels": False}
    configs = [config | labels if plan is None else config]
    text = yaml.safe_dump({"configs": configs}, sort_keys=False, allow_unicode=True)
    return MARK + text.encode() + b"---\n"


def listed_labels(classes: Iterable[str]) -> dict[str, Any]:
    """What a configuration states where labels are read from lists, and not from the names of folders."""
    names = {str(number): label for number, label in enumerate(classes)}
    label = {"name": "label", "dtype": {"class_label": {"names": names}}}
    return {"drop_labels": True, "features": [{"name": "image", "dtype": "image"}, label]}
