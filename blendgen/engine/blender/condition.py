"""Condition: scratches, fingerprints and dust on a product, and its screen switched on.

In: a copy of one of its materials and how worn it is. The nodes are put between the material's own
colours and roughnesses and its Principled BSDF. Patterns lie in the product's own frame, so they
turn with it; dust lies on what faces up in the world.
"""

from __future__ import annotations

import bpy

from blendgen.engine.blender.grime import dust_cover, scratches, settle_dust
from blendgen.engine.blender.nodes import add_node
from blendgen.engine.blender.shader_graph import Number, ShaderGraph, Socket
from blendgen.shot import Condition

_BARE_LINEAR = (0.42, 0.41, 0.40)  # what a scratch lays open
_SCREENS = ("display", "screen")
_ICON_PITCH_M = (0.0165, 0.0195)
_SCRATCH_ANGLES_DEG = (13.0, -41.0, 77.0, -8.0)


def wear_out(material: bpy.types.Material, condition: Condition) -> None:
    """Change a material in place; nothing where it has no Principled BSDF."""
    principled = next((n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED"), None)
    if principled is None:
        return
    graph = _Used(material, principled, condition)
    if condition.screen and material.name.casefold().startswith(_SCREENS):
        graph.set(Emission_Color=_picture(graph), Emission_Strength=condition.screen)
    color, roughness = graph.given("Base Color"), graph.given("Roughness")
    coat = graph.given("Coat Roughness")
    if condition.fingerprints:
        smear = _smears(graph, condition.fingerprints)
        roughness, coat = (_rougher(graph, value, smear, 0.2) for value in (roughness, coat))
    if condition.scratches:
        scratch = scratches(graph, 0.85 * condition.scratches, 91.0, _SCRATCH_ANGLES_DEG, 18)
        color = graph.mix(graph.product(scratch, 0.3 + 0.5 * condition.scratches), color, _BARE_LINEAR)
        roughness, coat = (_rougher(graph, value, scratch, 0.4) for value in (roughness, coat))
    if condition.dust:
        facing_up = graph.split(graph.node("ShaderNodeNewGeometry").outputs["Normal"])[2]
        cover = graph.product(dust_cover(graph, 0.35), graph.ramp(facing_up, 0.2, 0.8))
        color, roughness = settle_dust(graph, cover, color, roughness)
        coat = _rougher(graph, coat, cover, 0.6)
    graph.set(Base_Color=color, Roughness=roughness, Coat_Roughness=coat)


class _Used(ShaderGraph):
    """The nodes of a material that a product already has."""

    def __init__(self, material: bpy.types.Material, principled, condition: Condition):
        self.tree, self.principled = material.node_tree, principled
        self.wear, self.dust = condition.scratches, condition.dust
        own = add_node(self.tree, "ShaderNodeTexCoord").outputs["Object"]
        self.point = self.add(own, (*condition.pattern_offset_m, 0.0))
        self.pattern_offset_m = condition.pattern_offset_m

    def given(self, name: str) -> Socket | Number | tuple:
        """What feeds a socket of the BSDF so far: a link's source, or its value."""
        socket = self.principled.inputs[name]
        if socket.is_linked:
            return socket.links[0].from_socket
        value = socket.default_value
        return tuple(value)[:3] if hasattr(value, "__len__") else float(value)


def _picture(graph: ShaderGraph) -> Socket:
    """A wallpaper of a few soft colours, and a grid of icons on about half of all screens."""
    own = add_node(graph.tree, "ShaderNodeTexCoord").outputs["Object"]
    hue = graph.noise((9.0, 6.0), detail=1.0, seed=98.0)
    light = graph.ramp(graph.noise((14.0, 9.0), detail=2.0, seed=99.0), 0.3, 0.7, 0.12, 1.0)
    wallpaper = _hsv(graph, graph.product(hue, 2.0), 0.55, light)
    x, y, _ = graph.split(own)
    column = graph.math("FLOOR", graph.product(x, 1 / _ICON_PITCH_M[0]))
    row = graph.math("FLOOR", graph.product(y, 1 / _ICON_PITCH_M[1]))
    aside = graph.math("PINGPONG", graph.product(x, 1 / _ICON_PITCH_M[0]), 0.5)
    along = graph.math("PINGPONG", graph.product(y, 1 / _ICON_PITCH_M[1]), 0.5)
    inside = graph.math("GREATER_THAN", graph.math("MINIMUM", aside, along), 0.12)
    # the pattern's place decides for the whole screen whether it has icons, and which
    shown = 1.0 if int(1000 * graph.pattern_offset_m[0]) % 2 else 0.0
    shift = round(1000 * graph.pattern_offset_m[1])
    chance = graph.random(graph.sum(column, float(shift)), row)
    icon = _hsv(graph, chance, 0.75, 0.9)
    there = graph.math("GREATER_THAN", graph.random(row, graph.sum(column, float(shift))), 0.15)
    return graph.mix(graph.product(inside, there, shown), wallpaper, icon)


def _hsv(graph: ShaderGraph, hue: Number, saturation: Number, value: Number) -> Socket:
    inputs = {"Red": graph.math("FRACT", hue), "Green": saturation, "Blue": value}
    return graph.node("ShaderNodeCombineColor", inputs, mode="HSV").outputs["Color"]


def _rougher(graph: ShaderGraph, roughness: Number, mask: Socket, by: float) -> Socket:
    return graph.math("ADD", roughness, graph.product(mask, by), clamp=True)


def _smears(graph: ShaderGraph, amount: float) -> Socket:
    """Greasy patches as large as fingertips, wiped in one direction, with more of them at more."""
    wiped = graph.turned(graph.warp(graph.point, 30.0, 0.006, 95.0), 24.0)
    patch = graph.noise((70.0, 38.0), detail=2.5, roughness=0.6, seed=96.0, at=wiped)
    start = 0.66 - 0.22 * amount
    fine = graph.ramp(graph.noise((900.0, 160.0), detail=1.0, seed=97.0, at=wiped), 0.35, 0.65, 0.55, 1.0)
    return graph.product(graph.ramp(patch, start, start + 0.12), fine, min(1.0, 0.4 + amount))
