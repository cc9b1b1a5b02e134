"""Template: a first sidecar from the measured values; the user has to check the class."""

from __future__ import annotations

import json
from collections.abc import Mapping

from blendgen.files.names import is_hidden, name_fault
from blendgen.models.product import Product
from blendgen.models.product_names import folder_name
from blendgen.models.sidecar.frame import FileFrame
from blendgen.models.sidecar.schema import LONGEST_NAME, VERSION


def template(product: Product, options: Mapping[str, str | None]) -> str:
    """The YAML text; optional keys are comments.

    options: those of its source; its unit and up are included
    """
    frame, size = FileFrame(product), " x ".join(f"{1000 * side:.4g}" for side in product.size_m)
    poses = [
        f"#   {frame.up_name(pose)} up: {100 * pose.probability:.0f} %" for pose in product.stable_poses[:8]
    ]
    middle = frame.to_file((0.0, 0.0, product.size_m[2]))
    stated = [f"{key}: {options[key]}" for key in ("unit", "up") if options.get(key)]
    lines = [
        f"# {product.name}: {size} mm, {product.measured.triangles} triangles; check with: blendgen models",
        "# Points and directions are in the model file's own axes and unit.",
        f"blendgen_model: {VERSION}",
        f"class: {_text(product.name[:LONGEST_NAME])}",
        *stated,
        "parts:                       # label: pattern(s) of material names",
        *(f"  {_text(label)}: {_text(names)}" for label, names in _parts(product).items()),
        "# keypoints:                 # names of points on the surface; this is about the top of the box",
        f"#   top: [{', '.join(f'{x:.4g}' for x in middle + 0.0)}]",
        "# symmetries:",
        "#   discrete: [{axis: z, fold: 2}]",
        "# It rests with:",
        *poses,
        "# exclude_poses: ['-z']",
    ]
    return "\n".join(lines) + "\n"


def _parts(product: Product) -> dict[str, list[str]]:
    """Label -> names of materials; labels are limited in length and characters."""
    parts: dict[str, list[str]] = {}
    for name in product.parts:
        parts.setdefault(_label(name), []).append(name)
    return parts


def _label(name: str) -> str:
    label = "".join("_" if letter in "/\\" or is_hidden(letter) else letter for letter in name[:LONGEST_NAME])
    return folder_name(label) if name_fault(label) else label


def _text(text: str | list[str]) -> str:
    """YAML of a quoted text, or of a list of them."""
    if isinstance(text, list) and len(text) == 1:
        text = text[0]
    return json.dumps(text, ensure_ascii=False)
