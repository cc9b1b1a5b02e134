"""glTF nodes: takes the meshes of nodes that are not shown out of the JSON of a glTF file. Does not load bpy.

Not shown are nodes outside of the file's scene, hidden nodes and their descendants, and lower levels of
detail. Blender's importer shows some of these, depending on its version.
source: Khronos, glTF 2.0 (3.5.1), KHR_node_visibility; Microsoft, MSFT_lod
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from blendgen.engine.blender.importing.findings import ALL_HIDDEN, left_out_note

VISIBILITY, LEVELS = "KHR_node_visibility", "MSFT_lod"
_OF_A_MESH = ("mesh", "skin", "weights")
_INSTANCING = "EXT_mesh_gpu_instancing"


def drop_unshown(content: dict[str, Any], is_wanted: Callable[[list[str]], bool]) -> tuple[bool, list[str]]:
    """Change the content in place.

    is_wanted: from the names of a node and of what it is in, whether it stays
    returns: whether the content changed, and notes for Findings
    """
    nodes = [node if isinstance(node, dict) else {} for node in content.get("nodes", ())]
    required = content.get("extensionsRequired", [])
    content_changed = bool({VISIBILITY, LEVELS} & {*required})
    if content_changed:
        content["extensionsRequired"] = [name for name in required if name not in (VISIBILITY, LEVELS)]
    names = _names(nodes)
    unshown = {i: why for i, why in _unshown(content, nodes).items() if "mesh" in nodes[i]}
    unshown = {i: why for i, why in unshown.items() if not is_wanted(names[i])}
    if not unshown:
        return content_changed, []
    if not any("mesh" in node for i, node in enumerate(nodes) if i not in unshown):
        return content_changed, [ALL_HIDDEN]
    for i in unshown:
        _drop_mesh(nodes[i])
    return True, list(_notes(unshown, names))


def _unshown(content: dict[str, Any], nodes: list[dict]) -> dict[int, str]:
    """Node -> why it is not shown."""
    unshown = {}
    scenes = content.get("scenes", [])
    if scenes:
        roots = scenes[content.get("scene", 0)].get("nodes", [])
        in_scene = _with_descendants(roots, nodes)
        unshown = {i: "not in the scene of the file" for i in range(len(nodes)) if i not in in_scene}
    hidden = [i for i, node in enumerate(nodes) if _extension(node, VISIBILITY).get("visible") is False]
    lower = [level for node in nodes for level in _extension(node, LEVELS).get("ids", ())]
    unshown |= dict.fromkeys(_with_descendants(hidden, nodes), "hidden in the file")
    return unshown | dict.fromkeys(_with_descendants(lower, nodes), "levels of detail")


def _extension(node: dict, name: str) -> dict:
    extension = node.get("extensions", {}).get(name, {})
    return extension if isinstance(extension, dict) else {}


def _with_descendants(roots: list[int], nodes: list[dict]) -> set[int]:
    waiting, reached = list(roots), set()
    while waiting:
        i = waiting.pop()
        if i not in reached and 0 <= i < len(nodes):
            reached.add(i)
            waiting += nodes[i].get("children", ())
    return reached


def _names(nodes: list[dict]) -> list[list[str]]:
    """For each node its name and those of what it is in, from the inside to the outside."""
    parents = {child: i for i, node in enumerate(nodes) for child in node.get("children", ())}
    return [[nodes[k].get("name") or f"node {k}" for k in _chain(i, parents)] for i in range(len(nodes))]


def _chain(i: int, parents: dict[int, int]) -> Iterator[int]:
    visited: set[int] = set()
    while i not in visited:
        visited.add(i)
        yield i
        i = parents.get(i, i)


def _drop_mesh(node: dict) -> None:
    for key in _OF_A_MESH:
        node.pop(key, None)
    node.get("extensions", {}).pop(_INSTANCING, None)


def _notes(unshown: dict[int, str], names: list[list[str]]) -> Iterator[str]:
    for reason in dict.fromkeys(unshown.values()):
        yield left_out_note([names[i][0] for i, why in unshown.items() if why == reason], reason)
