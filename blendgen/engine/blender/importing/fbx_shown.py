"""FBX shown: hides from renders what an FBX file hides, and the lower levels of its LOD groups.

Blender's importer hides invisible objects only in the viewport, without what is in them, and makes LOD groups
ordinary parents. The levels of a group are its children, in the order of their connections.
source: FBX SDK, FbxNode::Visibility and FbxLODGroup
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import bpy

from blendgen.engine.blender.importing.fbx_bytes import stored_number
from blendgen.engine.blender.importing.marks import WHY_HIDDEN

_KIND = "LodGroup"
# id, name, element and kind of an object; child and parent of a connection: binary, then text
_BINARY_OBJECT = re.compile(rb"L(.{8})S.{4}([^\x00]*)\x00\x01(Model|NodeAttribute)S.{4}(\w+)", re.S)
_BINARY_LINK = re.compile(rb"S(?:\x02\0\0\0|\0\0\0\x02)OOL(.{8})L(.{8})", re.S)
_TEXT_OBJECT = re.compile(rb'(?:Model|NodeAttribute): (-?\d+), "(Model|NodeAttribute)::([^"\n]*)", "(\w+)"')
_TEXT_LINK = re.compile(rb'C: "OO", ?(-?\d+), ?(-?\d+)')


def hide_unshown(data: bytes) -> None:
    """Hide objects of the open file from renders; data: the FBX file that they come from."""
    for owner in [o for o in bpy.data.objects if o.hide_viewport]:
        _hide(owner, "hidden in the file")
    for levels in lod_groups(data):
        for name in levels[1:]:
            if name in bpy.data.objects:
                _hide(bpy.data.objects[name], "levels of detail")


def _hide(owner: bpy.types.Object, reason: str) -> None:
    for hidden in (owner, *owner.children_recursive):
        hidden.hide_render = True
        hidden[WHY_HIDDEN] = reason


def lod_groups(data: bytes) -> list[list[str]]:
    """The names of the levels of each LOD group, the best one first."""
    if _KIND.encode() not in data:
        return []
    objects = {number: (element, name, kind) for number, element, name, kind in _objects(data)}
    links = list(_links(data))
    groups = {number for number, (_, _, kind) in objects.items() if kind == _KIND}
    groups |= {parent for child, parent in links if child in groups}
    levels = {
        group: [objects[child][1] for child, parent in links if parent == group and _is_model(objects, child)]
        for group in sorted(groups)
        if _is_model(objects, group)
    }
    return [names for names in levels.values() if len(names) > 1]


def _is_model(objects: dict[int, tuple[str, str, str]], number: int) -> bool:
    return number in objects and objects[number][0] == "Model"


def _objects(data: bytes) -> Iterator[tuple[int, str, str, str]]:
    binary = ((_id(data, stored), *texts) for stored, *texts in _BINARY_OBJECT.findall(data))
    text = ((int(number), name, element, kind) for number, element, name, kind in _TEXT_OBJECT.findall(data))
    for number, name, element, kind in (*binary, *text):
        yield number, element.decode(), name.decode("utf-8", "replace"), kind.decode()


def _links(data: bytes) -> Iterator[tuple[int, int]]:
    for child, parent in _BINARY_LINK.findall(data):
        yield _id(data, child), _id(data, parent)
    for child, parent in _TEXT_LINK.findall(data):
        yield int(child), int(parent)


def _id(data: bytes, stored: bytes) -> int:
    return int(stored_number(data, "q", stored))
