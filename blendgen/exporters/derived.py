"""Derived: a data set that is made of another one: the counts of its rows, and the files that describe it.

In: rows, and the dataset.json of the other one. Out: files in a Destination. dataset.json is written last, so
that a killed run leaves nothing that can be opened.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

from blendgen.dataset.images_card import images_card
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import Summary
from blendgen.dataset.own_files import spec_bytes
from blendgen.dataset.pack_plan import CONTAINER_KEY, IMAGES_KEY
from blendgen.dataset.source import Source
from blendgen.exporters.destination import Destination

_OF_PACKS = (CONTAINER_KEY, IMAGES_KEY)


def derived_record(source: Source, pairs: Counter[tuple[str, str]], key: str, origin: Any) -> dict[str, Any]:
    """The dataset.json of a data set with loose files and without failed images.

    pairs: number of its images of each label and split; key, origin: what it was made of
    """
    record = {name: value for name, value in source.record.items() if name not in _OF_PACKS}
    return record | counts(pairs) | {key: origin} | {"images_failed": 0, "images_failed_per_reason": {}}


def counts(pairs: Counter[tuple[str, str]]) -> dict[str, Any]:
    """As dataset.json has them."""
    summary = Summary(pairs)
    return {
        "images": summary.images,
        "images_per_split": summary.per_split(),
        "images_per_label": summary.per_label(),
    }


def write_own_files(
    source: Source, record: dict[str, Any], identity: Any, destination: Destination, has_lists: bool
) -> None:
    """Add the files that do not belong to an image, dataset.json last. identity: of all images, as JSON"""
    layout = Layout(source.root)
    images_digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
    destination.write_bytes(layout.spec.name, spec_bytes(layout))
    card = images_card(record, images_digest, has_lists)
    destination.write_bytes(layout.name(layout.images_card), card)
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    destination.write_text(layout.record.name, text)
