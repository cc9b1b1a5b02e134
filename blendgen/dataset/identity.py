"""Identity: the digest of a data set, and a spec that loads from any folder.

In: a checked spec and its inventory. Out: the digest that decides whether `generate` may continue a
folder, and the spec as it is stored next to the images.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from blendgen.models.inventory import Inventory
from blendgen.models.measuring.entry import file_sha256
from blendgen.models.product import Product
from blendgen.spec.load import SpecFile, resolved_values
from blendgen.spec.model import Spec
from blendgen.spec.section import Section

# Raise it with every change that makes other images, labels or sampled values from the same spec; the tests
# in tests/golden fail until then. A folder made with another version is not continued.
PIXELS_VERSION = 6

# of `output`: how images are stored, which dataset.json states by itself
_STORAGE = ("container", "images_per_file")
# folders and files that a spec names; their content counts, not their path
_PATHS = ("directory", "recolor_table")


def digest(spec: Spec, inventory: Inventory) -> str:
    """Hex sha256 over everything that decides the images; not how many there are, nor how they are stored."""
    values = resolved_values(spec)
    values.pop("images")
    for key in _STORAGE:
        values["output"].pop(key, None)
    _without_paths(values)
    catalog = inventory.catalog
    content = [
        (product.name, product.content_hash, *_stated(product))
        for product in (*catalog.models, *catalog.products_in_case.values())
    ]
    folders = (catalog.environments, catalog.photos, catalog.backdrops)
    pictures = [[(name, file_sha256(path)) for name, path in files.items()] for files in folders]
    classes = [
        asdict(variant) for variants in inventory.class_table.variants.values() for variant in variants
    ]
    text = json.dumps([PIXELS_VERSION, values, content, pictures, classes], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def values_digest(spec: Spec) -> str:
    """Hex sha256 over all values of a spec, without the paths of a machine and the content of models."""
    text = json.dumps([PIXELS_VERSION, values_without_paths(spec)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def values_without_paths(spec: Spec) -> dict[str, Any]:
    """All values of a spec, defaults included, but for the paths of folders and files."""
    values = resolved_values(spec)
    _without_paths(values)
    return values


def _stated(product: Product) -> list[Any]:
    """What spec and sidecar state about a product in addition to its content."""
    parts: list[Any] = [*product.colorways, *product.stable_poses, *product.keypoints, product.symmetries]
    return [*(asdict(part) for part in parts), product.part_names, product.part_kinds]


def portable_spec(spec_file: SpecFile) -> Spec:
    """The spec with absolute paths, which loads from any folder."""
    spec: Spec = _absolute(spec_file.spec, spec_file)
    return spec


def _without_paths(value: Any) -> None:
    if isinstance(value, dict):
        for key in _PATHS:
            value.pop(key, None)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _without_paths(item)


def _absolute(section: Any, spec_file: SpecFile) -> Any:
    """A section and its subsections, with absolute paths."""
    if isinstance(section, list):
        return [_absolute(item, spec_file) for item in section]
    if not isinstance(section, Section):
        return section
    values = {name: getattr(section, name) for name in type(section).model_fields}
    changed = {name: _absolute(value, spec_file) for name, value in values.items()}
    for name in _PATHS:
        if isinstance(values.get(name), str):
            changed[name] = str((spec_file.folder / values[name]).resolve())
    return section.model_copy(update=changed)


def named_paths(spec_file: SpecFile) -> list[tuple[Path, bool]]:
    """Each folder and file that a spec names, once: the absolute path, and whether the spec has it so."""
    texts = dict.fromkeys(_path_texts(resolved_values(spec_file.spec)))
    return [((spec_file.folder / text).resolve(), Path(text).is_absolute()) for text in texts]


def _path_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (value[key] for key in _PATHS if isinstance(value.get(key), str))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _path_texts(item)
