"""USD looks: what the materials of an imported USD file lack, and a plain colour in its place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import bpy
import numpy as np

from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.textures import NOWHERE, find_texture, note_reason, outside_reason
from blendgen.engine.blender.importing.usd_stage import UsdTexture, all_prims, materials_of, textures_of
from blendgen.engine.blender.shading.nodes import add_node, enable_nodes
from blendgen.files.names import some_of
from blendgen.geometry.color import PLAIN_GREY_LINEAR
from blendgen.models.companions import IMAGE_SUFFIXES, Companions
from blendgen.models.scan import model_suffix

_LANGUAGES = {"mdl": "MDL", "mtlx": "MaterialX", "ri": "RenderMan", "arnold": "Arnold"}
# inputs for the base colour in MDL, MaterialX and others
_BASE_COLORS = (
    "diffuse_color_constant",
    "base_color",
    "baseColor",
    "diffuse_reflection_color",
    "diffuse_color",
    "diffuseColor",
)
_DISPLAY_COLOR = "displayColor"
_ASSET = re.compile(r"@([^@]+)@")
# of the subdivided meshes of a model, which then take half a second and 8 MB of the cache
_MOST_TRIANGLES = 500_000


def complete_usd(
    file: Path, companions: Companions, objects: list[bpy.types.Object], findings: Findings
) -> None:
    """Give the materials of a USD file or its copy what Blender left out, and report what is lost."""
    from pxr import Usd

    stage = Usd.Stage.Open(str(file))
    findings.lost += _missing_layers(stage)
    prims: dict[str, list[Any]] = {}
    for prim in materials_of(stage):
        prims.setdefault(prim.GetName(), []).append(prim)
    for material in dict.fromkeys(_materials(objects)):
        alike = prims.get(material.name) or prims.get(re.sub(r"\.\d{3,}$", "", material.name), [])
        if alike:
            _complete(material, alike, companions, findings)
            if not _has_surface(material):
                _show_plain(material, alike, objects)
    findings.lost += _other_subdivision(stage)
    _level_subdivision(objects, findings)


def _materials(objects: list[bpy.types.Object]) -> Iterator[bpy.types.Material]:
    for owner in objects:
        yield from (slot.material for slot in owner.material_slots if slot.material is not None)


def _missing_layers(stage: Any) -> Iterator[str]:
    for error in stage.GetCompositionErrors():
        names = _ASSET.findall(str(error))
        if names:
            name = PurePosixPath(names[0].replace("\\", "/")).name
            yield f"reference {name!r} cannot be read; put the file next to the model"


def _complete(
    material: bpy.types.Material, prims: list[Any], companions: Companions, findings: Findings
) -> None:
    if not _has_surface(material):
        findings.lost += [message for prim in prims if (message := _other_languages(prim))]
        return
    nodes = [node for node in material.node_tree.nodes if node.type == "TEX_IMAGE"]
    loaded = {_name(node.image.filepath or node.image.name) for node in nodes if node.image is not None}
    absent = [
        texture for prim in prims for texture in textures_of(prim) if not loaded & _names(texture, companions)
    ]
    empty = [node for node in nodes if node.image is None]
    for node, texture in zip(empty, absent, strict=False):
        node.image = _stand_in(texture.name, companions)
    for texture in absent[len(empty) :]:
        findings.lost.append(f"material {material.name!r}: texture {_name(texture.name)!r} is not used")


def _names(texture: UsdTexture, companions: Companions) -> set[str]:
    """Names that the image of a texture may have."""
    file = find_texture(texture.name, companions).file
    return {_name(texture.name), *([file.name] if file else [])}


def _name(path: str) -> str:
    """The name of a file, which may be in an archive."""
    return PurePosixPath(path.replace("\\", "/").rstrip("]").replace("[", "/")).name


def _stand_in(name: str, companions: Companions) -> bpy.types.Image:
    """An image that counts as missing."""
    image = bpy.data.images.new(_name(name), 1, 1)
    image.source, image.filepath = "FILE", f"{NOWHERE}/{_name(name)}"
    note_reason(image, outside_reason(find_texture(name, companions)))
    return image


def _has_surface(material: bpy.types.Material) -> bool:
    nodes = material.node_tree.nodes if material.node_tree else ()
    return any(node.type == "OUTPUT_MATERIAL" and node.inputs["Surface"].is_linked for node in nodes)


def _show_plain(material: bpy.types.Material, prims: list[Any], objects: list[bpy.types.Object]) -> None:
    """Show the plain colour that other shaders state, or the displayColor of the meshes, or grey."""
    tree = enable_nodes(material)
    tree.nodes.clear()
    color = next((color for prim in prims if (color := _stated_color(prim))), None)
    principled = add_node(tree, "ShaderNodeBsdfPrincipled", {"Base Color": color or PLAIN_GREY_LINEAR})
    add_node(tree, "ShaderNodeOutputMaterial", {"Surface": principled.outputs[0]})
    shown_by = [owner.data for owner in objects if material.name in owner.material_slots]
    if color is None and any(_DISPLAY_COLOR in getattr(mesh, "color_attributes", ()) for mesh in shown_by):
        colors = add_node(tree, "ShaderNodeVertexColor", layer_name=_DISPLAY_COLOR)
        tree.links.new(colors.outputs["Color"], principled.inputs["Base Color"])


def _stated_color(prim: Any) -> tuple[float, float, float] | None:
    for shader, name in itertools.product(_shaders(prim), _BASE_COLORS):
        value: Any = shader.GetInput(name).Get() if shader.GetInput(name) else None
        if np.shape(value) == (3,):  # a color of another shader may be a number or a texture
            return tuple(value)
    return None


def _shaders(material: Any) -> list[Any]:
    from pxr import Usd, UsdShade

    return [UsdShade.Shader(p) for p in Usd.PrimRange(material) if p.IsA(UsdShade.Shader)]


def _other_languages(prim: Any) -> str:
    """Why the surface of a material is not shown; "" if it has none."""
    from pxr import UsdShade

    outputs = [one for one in UsdShade.Material(prim).GetSurfaceOutputs() if one.HasConnectedSource()]
    contexts = [one.GetBaseName().rpartition(":")[0] for one in outputs]
    languages = [_LANGUAGES.get(context, context) or "of unknown shaders" for context in contexts]
    if not languages:
        return ""
    textures = _asset_names(prim)
    without = f" without {some_of(textures)}" if textures else ""
    return (
        f"material {prim.GetName()!r}: its shading is {some_of(languages)}, which is not read; "
        f"a plain colour is shown{without}; export UsdPreviewSurface"
    )


def _asset_names(material: Any) -> list[str]:
    values = [one.Get() for shader in _shaders(material) for one in shader.GetInputs()]
    paths = [str(getattr(value, "path", "")) for value in values]
    return [_name(path) for path in paths if model_suffix(path) in IMAGE_SUFFIXES]


def _other_subdivision(stage: Any) -> Iterator[str]:
    from pxr import UsdGeom

    for prim in all_prims(stage):
        scheme = UsdGeom.Mesh(prim).GetSubdivisionSchemeAttr().Get() if prim.IsA(UsdGeom.Mesh) else None
        if scheme == UsdGeom.Tokens.loop:
            yield f"subdivision of {prim.GetName()}: Blender does not read the scheme loop"


def _level_subdivision(objects: list[bpy.types.Object], findings: Findings) -> None:
    """Subdivide as finely as there are triangles for."""
    subdivided = [o for o in objects if any(modifier.type == "SUBSURF" for modifier in o.modifiers)]
    corners = sum(len(owner.data.loops) for owner in subdivided)
    level = next((n for n in (3, 2, 1) if 2 * corners * 4 ** (n - 1) <= _MOST_TRIANGLES), 0)
    for owner in subdivided:
        for modifier in [modifier for modifier in owner.modifiers if modifier.type == "SUBSURF"]:
            modifier.levels = modifier.render_levels = level
    if subdivided and level == 0:
        findings.lost.append(
            f"subdivision of {some_of([o.name for o in subdivided])}: there are too many faces"
        )
