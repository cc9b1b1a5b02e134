"""Layers: the UV maps and colours of meshes that become one mesh get names under which they stay apart.

Joining merges layers by their names. So the UV maps that renders use get one name, and layers of different
kinds different ones. Names that a shader asks for do not change.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from blendgen.engine.blender.importing.textures import trees

_MAIN_UV = "UVMap"
_KINDS = {"FLOAT2": "uv", "BYTE_COLOR": "color", "FLOAT_COLOR": "color"}


def name_layers(meshes: Iterable[bpy.types.Mesh]) -> str:
    """Rename layers of meshes that will be joined; returns the name of the UV map that renders use."""
    named = {mesh: _names_in_shaders(mesh) for mesh in meshes}
    mains = {layer.name for mesh in named for layer in mesh.uv_layers if layer.active_render}
    main_uv = _free_name(_MAIN_UV, _other_uvs_in_shaders(named))
    if len(mains) == 1 and mains & set().union(*named.values()):
        (main_uv,) = mains
    _separate_kinds(named)
    for mesh, in_shaders in named.items():
        _name_main_uv(mesh, main_uv, in_shaders)
    return main_uv


def _names_in_shaders(mesh: bpy.types.Mesh) -> set[str]:
    nodes = [node for tree in trees(list(mesh.materials)) for node in tree.nodes]
    keys = ("uv_map", "layer_name", "attribute_name")
    return {getattr(node, key) for node in nodes for key in keys if hasattr(node, key)} - {""}


def _other_uvs_in_shaders(named: dict[bpy.types.Mesh, set[str]]) -> set[str]:
    """Names of UV maps that a shader asks for, and that are not what renders use without a name."""
    return {
        layer.name
        for mesh, in_shaders in named.items()
        for layer in mesh.uv_layers
        if layer.name in in_shaders and not layer.active_render
    }


def _separate_kinds(named: dict[bpy.types.Mesh, set[str]]) -> None:
    kinds: dict[str, str] = {}
    layers = [(mesh, layer) for mesh in named for layer in mesh.attributes if not _is_internal(layer)]
    # what a shader asks for comes first, and keeps its name
    for mesh, layer in sorted(
        layers, key=lambda one: (one[1].name not in named[one[0]], _kind(one[1]) != "uv")
    ):
        if kinds.setdefault(layer.name, _kind(layer)) != _kind(layer):
            layer.name = _free_name(layer.name, kinds.keys() | {one.name for one in mesh.attributes})
            kinds[layer.name] = _kind(layer)


def _is_internal(layer: bpy.types.Attribute) -> bool:
    return layer.is_internal or layer.is_required


def _kind(layer: bpy.types.Attribute) -> str:
    return _KINDS.get(layer.data_type, layer.data_type)


def _name_main_uv(mesh: bpy.types.Mesh, name: str, in_shaders: set[str]) -> None:
    main = next((layer for layer in mesh.uv_layers if layer.active_render), None)
    if main is None or main.name == name:
        return
    other = mesh.uv_layers.get(name)
    if other is not None:
        other.name = _free_name(f"{name}_other", {layer.name for layer in mesh.attributes})
    if main.name in in_shaders:
        _copy(mesh, main, name)
    else:
        main.name = name


def _copy(mesh: bpy.types.Mesh, main: bpy.types.MeshUVLoopLayer, name: str) -> None:
    """A second UV map with the same content; none if the mesh has as many as it can have."""
    source = main.name
    copy = mesh.uv_layers.new(name=name, do_init=False)
    if copy is not None:
        corners = np.empty(len(mesh.loops) * 2, dtype=np.float32)
        mesh.uv_layers[source].uv.foreach_get("vector", corners)
        copy.uv.foreach_set("vector", corners)
        copy.active_render = True


def _free_name(name: str, taken: Iterable[str]) -> str:
    taken, number = set(taken), 2
    free = name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
