"""Import a model in this process and describe how it looks: its materials, and what a render lacks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from PIL import Image

from blendgen.engine.blender.importing.asset import empty_blender
from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.importers import import_model
from blendgen.engine.blender.importing.join import join_product
from blendgen.engine.blender.importing.shown import shown_parts
from blendgen.engine.blender.importing.textures import pack_images
from blendgen.models.companions import Companions
from blendgen.models.scan import model_suffix

bpy.utils.expose_bundled_modules()


@dataclass
class Look:
    """A product in the open Blender file.

    base: the base colour of each material by name: three values, or (kind of node, its image or layer)
    """

    mesh: bpy.types.Mesh
    base: dict[str, tuple]
    missing: list[str]
    lost: list[str]
    notes: list[str]

    def image(self, material: str) -> bpy.types.Image:
        return next(n.image for n in self.mesh.materials[material].node_tree.nodes if n.type == "TEX_IMAGE")

    def colors(self) -> np.ndarray:
        """(n, 3) of the colour attribute, scene-linear."""
        (attribute,) = self.mesh.color_attributes
        rgba = np.empty(len(attribute.data) * 4, np.float32)
        attribute.data.foreach_get("color", rgba)
        return rgba.reshape(-1, 4)[:, :3]


def look(model: Path, root: Path | None = None, textures: str = "", unit: str | None = None) -> Look:
    empty_blender()
    companions, findings = Companions(model, root, textures=textures), Findings()
    import_model(companions, model_suffix(model), unit, None, findings)
    product, _ = join_product([part.mesh for part in shown_parts(findings)])
    missing = pack_images(list(product.data.materials), companions, findings)
    base = {material.name: _base(material) for material in product.data.materials}
    return Look(product.data, base, missing, findings.lost, findings.notes)


def _base(material: bpy.types.Material) -> tuple:
    principled = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    socket = principled.inputs["Base Color"]
    if not socket.is_linked:
        return tuple(round(value, 3) for value in socket.default_value[:3])
    node = socket.links[0].from_node
    if node.type == "TEX_IMAGE":
        return (node.type, Path(node.image.filepath).name or node.image.name)
    return (node.type, node.layer_name)


def write_png(path: Path, color: tuple[int, ...] = (200, 30, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB" if len(color) == 3 else "RGBA", (4, 4), color).save(path, "PNG")
