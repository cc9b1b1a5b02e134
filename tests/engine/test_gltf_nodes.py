"""Of a glTF file only the nodes of its scene count, without hidden ones and lower levels of detail."""

from __future__ import annotations

import copy

import pytest

from blendgen.engine.blender.importing.gltf_nodes import drop_unshown


def hidden(**node) -> dict:
    return {"extensions": {"KHR_node_visibility": {"visible": False}}, **node}


def mesh(name: str, **node) -> dict:
    return {"name": name, "mesh": 0, **node}


def shown(nodes: list[dict], scene: dict | None = None, *patterns: str) -> tuple[list[str], list[str]]:
    """(names of nodes with a mesh, notes)"""
    content = {"nodes": copy.deepcopy(nodes)} | (scene if scene is not None else {"scenes": [{"nodes": [0]}]})
    notes = drop_unshown(content, lambda names: bool({*patterns} & {*names}))[1]
    return [node["name"] for node in content["nodes"] if "mesh" in node], notes


ROOT = {"name": "root", "children": [1, 2]}


def test_a_hidden_node_hides_its_descendants():
    nodes = [
        ROOT,
        mesh("a"),
        hidden(name="b", children=[3], mesh=0, skin=0),
        mesh("c", children=[4]),
        mesh("d"),
    ]
    assert shown(nodes) == (["a"], ["left out: b, c, d (hidden in the file)"])
    assert shown(nodes, None, "b") == (["a", "b", "c", "d"], [])
    assert shown(nodes, None, "c") == (["a", "c", "d"], ["left out: b (hidden in the file)"])


def test_visible_nodes_stay():
    visible = {"extensions": {"KHR_node_visibility": {"visible": True}}}
    assert shown([ROOT, mesh("a") | visible, mesh("b", extensions={"KHR_node_visibility": {}})])[0] == [
        "a",
        "b",
    ]


def test_lower_levels_of_detail_are_left_out():
    levels = {"extensions": {"MSFT_lod": {"ids": [2, 3]}}}
    nodes = [ROOT | {"children": [1]}, mesh("a") | levels, mesh("low"), {"children": [4]}, mesh("lowest")]
    for scene in ({"scenes": [{"nodes": [0]}]}, {}):
        assert shown(nodes, scene) == (["a"], ["left out: low, lowest (levels of detail)"])


def test_only_the_scene_of_the_file_is_shown():
    nodes = [mesh("a"), mesh("b"), mesh("nowhere")]
    two = [{"nodes": [0]}, {"nodes": [1]}]
    assert shown(nodes, {"scenes": two}) == (["a"], ["left out: b, nowhere (not in the scene of the file)"])
    assert shown(nodes, {"scenes": two, "scene": 1})[0] == ["b"]
    assert shown(nodes, {})[0] == ["a", "b", "nowhere"]


def test_a_file_that_hides_everything_is_shown():
    nodes = [ROOT, hidden(name="a", mesh=0), hidden(name="b", mesh=0)]
    assert shown(nodes) == (["a", "b"], ["the file hides all of its objects; all are shown"])


@pytest.mark.parametrize("extension", ["KHR_node_visibility", "MSFT_lod"])
def test_a_file_may_require_these_extensions(extension):
    content = {"nodes": [mesh("a")], "extensionsRequired": [extension, "KHR_mesh_quantization"]}
    assert drop_unshown(content, lambda names: False) == (True, [])
    assert content["extensionsRequired"] == ["KHR_mesh_quantization"]


def test_other_files_do_not_change():
    content = {"nodes": [ROOT, mesh("a"), mesh("b")], "scenes": [{"nodes": [0]}], "extensionsRequired": ["X"]}
    before = copy.deepcopy(content)
    assert drop_unshown(content, lambda names: False) == (False, []) and content == before
