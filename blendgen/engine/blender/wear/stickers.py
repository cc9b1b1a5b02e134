"""Stickers: paper labels with print, vinyl stickers and strips of tape, laid on by projection.

In: used materials and a Sticker, whose nodes are one group that they share. It covers the surface within its
outline that faces it and is about as high as the surface below its middle. Outline, depth and masks of the
product stay exact; the thickness of a sticker is a step in the normals. Tape is translucent and follows the
product around its edges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from blendgen.engine.blender.shading.nodes import add_node
from blendgen.engine.blender.shading.shader_graph import Number, Socket
from blendgen.engine.blender.wear.used_material import ProductGraph, UsedMaterial
from blendgen.geometry.color import hex_to_linear
from blendgen.scene.condition import Sticker
from blendgen.scene.frozen import Vector3

_EDGE_M = 0.00012
_INK_LINEAR = (0.018, 0.018, 0.02)
_WHITE_LINEAR = (0.82, 0.82, 0.8)
_BEND = 0.3  # how far a sticker reaches up or down, as a share of its length
_OUTPUTS = {"Mask": "Float", "Face": "Color", "Height": "Float"}
_BAR_M, _ROW_M, _GLYPH_M = 0.0006, 0.0022, 0.0008


def laid_down(sticker: Sticker, surface: BVHTree) -> Sticker:
    """The sticker with its middle projected onto the surface below; unchanged if there is none."""
    normal = Vector(sticker.normal)
    hit, *_ = surface.ray_cast(Vector(sticker.center_m) + _EDGE_M * normal, -normal)
    return sticker if hit is None else sticker.model_copy(update={"center_m": tuple(hit)})


def reaches(sticker: Sticker, points: np.ndarray) -> bool:
    """Whether a sticker may cover some of the surface between points (n, 3) of the product frame."""
    directions = np.array([sticker.along, _cross(sticker.normal, sticker.along), sticker.normal])
    length, width = sticker.size_m
    reach = np.array([length / 2 + _EDGE_M, width / 2 + _EDGE_M, _BEND * length])
    offsets = (points - np.array(sticker.center_m)) @ directions.T
    return len(points) > 0 and bool(((offsets.min(axis=0) <= reach) & (offsets.max(axis=0) >= -reach)).all())


def sticker_group(sticker: Sticker, pattern_offset_m: tuple[float, float]) -> bpy.types.NodeTree:
    """A new node group: the mask of the sticker, its colours, and its height in mm."""
    tree = bpy.data.node_groups.new("sticker", "ShaderNodeTree")
    for name, kind in _OUTPUTS.items():
        tree.interface.new_socket(name=name, in_out="OUTPUT", socket_type=f"NodeSocket{kind}")
    graph = ProductGraph(tree, pattern_offset_m)
    u, v, height = _place(graph, sticker)
    mask = graph.product(_outline(graph, sticker, u, v), _level(graph, sticker, height))
    height_mm = graph.product(mask, _height_mm(graph, sticker, u, v))
    add_node(
        tree, "NodeGroupOutput", {"Mask": mask, "Face": _face(graph, sticker, u, v), "Height": height_mm}
    )
    return tree


def add_sticker(graph: UsedMaterial, sticker: Sticker, group: bpy.types.NodeTree) -> None:
    """Cover the material so far with a sticker; group: of `sticker_group`."""
    node = graph.node("ShaderNodeGroup", node_tree=group)
    mask, face, height_mm = (node.outputs[name] for name in _OUTPUTS)
    opaque = graph.product(mask, sticker.opacity)
    graph.cover(opaque, Base_Color=face, Metallic=0.0, Transmission_Weight=0.0)
    graph.cover(mask, **_MATERIALS[sticker.kind].gloss)
    graph.darken_emission(opaque)
    graph.relief(height_mm)


def _place(graph: ProductGraph, sticker: Sticker) -> tuple[Socket, Socket, Socket]:
    """Metres along the length, the width and the normal from the sticker's middle."""
    offset = graph.add(graph.own, tuple(-value for value in sticker.center_m))
    across = _cross(sticker.normal, sticker.along)
    return tuple(graph.dot(offset, direction) for direction in (sticker.along, across, sticker.normal))


def _level(graph: ProductGraph, sticker: Sticker, height: Socket) -> Socket:
    """It follows a curved surface, but not a step."""
    return graph.math("LESS_THAN", graph.math("ABSOLUTE", height), _BEND * sticker.size_m[0])


def _cross(a: Vector3, b: Vector3) -> Vector3:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _outline(graph: ProductGraph, sticker: Sticker, u, v) -> Socket:
    """1 on the sticker; its ends are torn, or its corners round."""
    material = _MATERIALS[sticker.kind]
    length, width = sticker.size_m
    if material.is_tape:
        tear = graph.noise((40.0, 900.0), 3.0, 0.7, sticker.pattern, graph.combine(0.0, v))
        u = graph.sum(graph.math("ABSOLUTE", u), graph.ramp(tear, 0.3, 0.7, 0.0, 0.0016))
    corner = min(material.corner_m, 0.3 * width)
    beyond_u, beyond_v = (
        graph.math("MAXIMUM", graph.sum(graph.math("ABSOLUTE", value), corner - side / 2), 0.0)
        for value, side in ((u, length), (v, width))
    )
    out = graph.math(
        "POWER", graph.sum(graph.product(beyond_u, beyond_u), graph.product(beyond_v, beyond_v)), 0.5
    )
    inside = graph.ramp(out, corner + _EDGE_M, corner)
    return graph.product(inside, graph.ramp(graph.facing(sticker.normal), *material.facing))


def _face(graph: ProductGraph, sticker: Sticker, u, v) -> Socket:
    """The colour of the sticker with what is printed on it."""
    paper = hex_to_linear(sticker.color_srgb)
    tone = graph.ramp(graph.noise(120.0, 3.0, seed=60.0 + sticker.pattern), 0.3, 0.7, 0.9, 1.02)
    color = graph.tint(paper, tone)
    draw = _MATERIALS[sticker.kind].draw
    return color if draw is None else draw(graph, sticker, color, u, v)


def _printed(graph: ProductGraph, sticker: Sticker, color: Socket, u, v) -> Socket:
    return graph.mix(graph.product(_print(graph, sticker, u, v), 0.93), color, _INK_LINEAR)


def _with_emblem(graph: ProductGraph, sticker: Sticker, color: Socket, u, v) -> Socket:
    return graph.mix(_emblem(graph, sticker, u, v), color, _WHITE_LINEAR)


def _print(graph: ProductGraph, sticker: Sticker, u, v) -> Socket:
    """Lines of text, and a bar code below them or a block of square cells next to them."""
    length, width = sticker.size_m
    seed = round(1000 * sticker.pattern)
    if sticker.pattern < 0.62:
        code = graph.product(
            _coin(graph, _steps(graph, u, _BAR_M), float(seed), 0.5),
            _between(graph, u, -0.42 * length, 0.42 * length),
            _between(graph, v, -0.36 * width, 0.02 * width),
        )
        text = graph.product(_text(graph, u, v, length, seed), _between(graph, v, 0.1 * width, 0.4 * width))
        return graph.math("MAXIMUM", code, text)
    side = 0.72 * min(width, 0.45 * length)
    start = -0.44 * length
    cells = _coin(
        graph, _steps(graph, u, side / 18), graph.sum(_steps(graph, v, side / 18), float(seed)), 0.5
    )
    block = graph.product(
        cells, _between(graph, u, start, start + side), _between(graph, v, -side / 2, side / 2)
    )
    text = graph.product(
        _text(graph, u, v, length, seed),
        _between(graph, u, start + 1.2 * side, 0.44 * length),
        _between(graph, v, -0.4 * width, 0.4 * width),
    )
    return graph.math("MAXIMUM", block, text)


def _text(graph: ProductGraph, u, v, length: float, seed: int) -> Socket:
    """Rows of words of different lengths."""
    row = graph.sum(_steps(graph, v, _ROW_M), float(seed))
    within = graph.math("FRACT", graph.product(v, 1 / _ROW_M))
    stroke = graph.product(
        _between(graph, within, 0.28, 0.78), _coin(graph, _steps(graph, u, _GLYPH_M), row, 0.78)
    )
    end = graph.ramp(graph.random(row, 5.0), 0.0, 1.0, -0.1 * length, 0.44 * length)
    return graph.product(
        stroke, graph.math("GREATER_THAN", u, -0.44 * length), graph.math("LESS_THAN", u, end)
    )


def _emblem(graph: ProductGraph, sticker: Sticker, u, v) -> Number:
    """A disk, or a band along the sticker; a third have nothing."""
    width = sticker.size_m[1]
    if sticker.pattern < 0.35:
        out = graph.math("POWER", graph.sum(graph.product(u, u), graph.product(v, v)), 0.5)
        return graph.ramp(out, 0.3 * width + _EDGE_M, 0.3 * width)
    if sticker.pattern < 0.7:
        return _between(graph, v, -0.14 * width, 0.14 * width)
    return 0.0


def _height_mm(graph: ProductGraph, sticker: Sticker, u, v) -> Number:
    """Paper lies flat; tape has fine creases across it and blisters of air."""
    if not _MATERIALS[sticker.kind].is_tape:
        return 0.09
    creases = graph.noise((260.0, 30.0), 2.0, seed=61.0 + sticker.pattern, at=graph.combine(u, v))
    return graph.ramp(creases, 0.3, 0.7, 0.06, 0.12)


def _steps(graph: ProductGraph, value: Socket, step_m: float) -> Socket:
    return graph.math("FLOOR", graph.product(value, 1 / step_m))


def _coin(graph: ProductGraph, x: Number, y: Number, share: float) -> Socket:
    return graph.math("LESS_THAN", graph.random(x, y), share)


def _between(graph: ProductGraph, value: Socket, low: float, high: float) -> Socket:
    return graph.product(graph.math("GREATER_THAN", value, low), graph.math("LESS_THAN", value, high))


@dataclass(frozen=True)
class _Material:
    """What a kind of sticker is made of.

    corner_m: radius of its corners
    facing: cosines between the surface and the sticker's normal where it begins, and where it is whole
    gloss: inputs of the BSDF
    draw: (graph, sticker, colour, u, v) -> the colour with what is printed on it
    is_tape: with torn ends and creases
    """

    corner_m: float
    facing: tuple[float, float]
    gloss: dict[str, float]
    draw: Callable[..., Socket] | None = None
    is_tape: bool = False


# for each kind of scene/kinds/stickers.py
_MATERIALS = {
    "label": _Material(0.0012, (0.6, 0.75), {"Roughness": 0.72, "Coat_Weight": 0.0}, draw=_printed),
    "vinyl": _Material(
        0.003,
        (0.6, 0.75),
        {"Roughness": 0.32, "Coat_Weight": 0.5, "Coat_Roughness": 0.12},
        draw=_with_emblem,
    ),
    "tape": _Material(
        0.0,
        (-0.35, -0.15),
        {"Roughness": 0.3, "Coat_Weight": 0.35, "Coat_Roughness": 0.16},
        is_tape=True,
    ),
}
