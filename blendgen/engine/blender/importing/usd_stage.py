"""USD stage: a USD file in, a layer over it that Blender's importer shows as other programs show the file.

Blender gives faces outside of all material subsets the first subset's material, can subdivide all meshes or
none, and opens textures only under their exact paths. The layer states those faces as one more subset, no
subdivision where the file does not ask for it, and the paths of textures that were looked up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.geometry.color import PLAIN_GREY_LINEAR
from blendgen.models.companions import Companions
from blendgen.models.lookup import Lookup

_SUBSET = "blendgen_other_faces"
_DEFAULT = "/blendgen/default"
_UDIM = "<UDIM>"


@dataclass(frozen=True)
class UsdTexture:
    """A file that a material names.

    attribute: that holds the name; is_resolved: USD finds the file
    """

    name: str
    attribute: Any
    is_resolved: bool


def layer_over(file: Path, companions: Companions, folder: Path) -> tuple[Path, bool]:
    """The file, or a layer over it in `folder`; and whether Blender is to subdivide its meshes."""
    from pxr import Sdf, Usd, UsdUtils

    source = Sdf.Layer.FindOrOpen(str(file))
    if source is None:  # left to Blender, which reads the file or names the reason
        return file, False
    layer = Sdf.Layer.CreateNew(str(folder / f"{file.stem}.usda"))
    UsdUtils.CopyLayerMetadata(source, layer, skipSublayers=True)
    layer.subLayerPaths.append(str(file))
    before = layer.ExportToString()
    stage = Usd.Stage.Open(layer)
    _state_textures(stage, Lookup(companions))
    _state_other_faces(stage)
    subdivided = _state_no_subdivision(stage)
    if layer.ExportToString() == before:
        return file, subdivided
    layer.Save()
    return Path(layer.realPath), subdivided


def unit_fault(file: Path) -> str | None:
    """Why the unit of a USD file cannot be used, in one line; None if nothing is wrong."""
    from pxr import Usd

    stage = Usd.Stage.Open(str(file))
    top = stage.GetRootLayer().pseudoRoot
    # some writers store a float, which UsdGeom.GetStageMetersPerUnit takes for an error
    metres = top.GetInfo("metersPerUnit") if top.HasInfo("metersPerUnit") else 1.0
    if isinstance(metres, (int, float)) and 0 < metres < math.inf:
        return None
    stated = f"{metres:g}" if isinstance(metres, (int, float)) else repr(metres)
    return f"its metersPerUnit is {stated}, which is not a length; correct it, or state unit in a sidecar"


def all_prims(stage: Any) -> Iterator[Any]:
    from pxr import Usd

    return iter(Usd.PrimRange.Stage(stage, Usd.TraverseInstanceProxies()))


def textures_of(material: Any) -> list[UsdTexture]:
    """The textures that the surface of a material shows; occlusion is left to the renderer."""
    from pxr import UsdShade

    source = UsdShade.Material(material).ComputeSurfaceSource()[0]
    waiting, visited, textures = [source.GetPrim()] if source else [], set(), []
    while waiting:
        prim = waiting.pop()
        if prim.GetPath() in visited:
            continue
        visited.add(prim.GetPath())
        shader = UsdShade.Shader(prim)
        if shader.GetIdAttr().Get() == "UsdUVTexture":
            textures += _texture_of(shader)
        for one in UsdShade.ConnectableAPI(prim).GetInputs():
            if one.GetBaseName() != "occlusion":
                waiting += [connected.source.GetPrim() for connected in one.GetConnectedSources()[0]]
    return textures


def _texture_of(shader: Any) -> list[UsdTexture]:
    file = shader.GetInput("file")
    attributes = file.GetValueProducingAttributes() if file else []
    value = attributes[0].Get() if attributes else None
    if value is None or not getattr(value, "path", ""):  # or it is not the path of a file
        return []
    return [UsdTexture(value.path, attributes[0], bool(value.resolvedPath))]


def materials_of(stage: Any) -> Iterator[Any]:
    from pxr import UsdShade

    return (prim for prim in all_prims(stage) if prim.IsA(UsdShade.Material))


def _state_textures(stage: Any, lookup: Lookup) -> None:
    from pxr import Sdf

    for material in list(materials_of(stage)):
        for texture in textures_of(material):
            if texture.is_resolved or _UDIM in texture.name:
                continue
            file = lookup.texture(texture.name).file
            if file is not None:
                prim = _editable(stage, texture.attribute.GetPrim())
                prim.GetAttribute(texture.attribute.GetName()).Set(Sdf.AssetPath(str(file)))


def _state_other_faces(stage: Any) -> None:
    """State the faces of a mesh outside of all its subsets as one more subset, with the mesh's material."""
    from pxr import UsdGeom, UsdShade, Vt

    for prim in [prim for prim in all_prims(stage) if prim.IsA(UsdGeom.Mesh)]:
        subsets = UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
        others = _other_faces(prim, subsets)
        if subsets and len(others):
            api = UsdShade.MaterialBindingAPI(_editable(stage, prim))
            material = api.ComputeBoundMaterial()[0] or _default(stage)
            subset = api.CreateMaterialBindSubset(_SUBSET, Vt.IntArray.FromNumpy(others))
            UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)


def _other_faces(mesh: Any, subsets: list) -> np.ndarray:
    from pxr import UsdGeom

    counts = UsdGeom.Mesh(mesh).GetFaceVertexCountsAttr().Get() or ()
    is_other = np.ones(len(counts), dtype=bool)
    for subset in subsets:
        faces = np.array(subset.GetIndicesAttr().Get() or (), dtype=np.int64)
        is_other[faces[(faces >= 0) & (faces < len(is_other))]] = False
    return np.flatnonzero(is_other).astype(np.int32)


def _default(stage: Any) -> Any:
    from pxr import Sdf, UsdShade

    material = UsdShade.Material.Define(stage, _DEFAULT)
    shader = UsdShade.Shader.Define(stage, f"{_DEFAULT}/surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(PLAIN_GREY_LINEAR)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return material


def _state_no_subdivision(stage: Any) -> bool:
    """Whether a mesh asks for subdivision; then those that do not are stated to have none.

    A mesh without a scheme is one of Catmull and Clark by USD's fallback, but its writer most often means
    polygons.
    """
    from pxr import UsdGeom

    meshes = [prim for prim in all_prims(stage) if prim.IsA(UsdGeom.Mesh)]
    schemes = {prim: UsdGeom.Mesh(prim).GetSubdivisionSchemeAttr() for prim in meshes}
    subdivided = [
        p for p, s in schemes.items() if s.HasAuthoredValue() and s.Get() == UsdGeom.Tokens.catmullClark
    ]
    for prim, scheme in schemes.items() if subdivided else ():
        if not scheme.HasAuthoredValue():
            UsdGeom.Mesh(_editable(stage, prim)).GetSubdivisionSchemeAttr().Set(UsdGeom.Tokens.none)
    return bool(subdivided)


def _editable(stage: Any, prim: Any) -> Any:
    """The prim where the layer can change it: the instances around it become copies."""
    path = prim.GetPath()
    while (instance := stage.GetPrimAtPath(path)).IsInstanceProxy():
        while not instance.IsInstance() or instance.IsInstanceProxy():
            instance = instance.GetParent()
        instance.SetInstanceable(False)
    return stage.GetPrimAtPath(path)
