"""Condition: adds wear to a product's materials, and switches its screen on.

In: its materials, and a Condition. Out: copies of those that change. The nodes go between a material's own
colours, roughnesses and normals and its Principled BSDF, in the order in which things happen to a product: it
is touched, scratched, abraded, broken, labelled and gets dusty. Patterns are in the product's own frame, so
they turn with it; dust is on faces that look up in the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from blendgen.engine.blender.shading.grime import dust_cover, fine_grain, settle_dust, slow_grain
from blendgen.engine.blender.shading.nodes import KIND_MARK, RECESSED
from blendgen.engine.blender.shading.shader_graph import Number, ShaderGraph, Socket
from blendgen.engine.blender.shading.shared_pattern import shared_pattern
from blendgen.engine.blender.wear.cracks import add_cracks
from blendgen.engine.blender.wear.scratches import add_scratches
from blendgen.engine.blender.wear.scuffs import add_scuffs
from blendgen.engine.blender.wear.stickers import add_sticker
from blendgen.engine.blender.wear.used_material import (
    ANY_LOOK,
    Look,
    Marks,
    ProductGraph,
    UsedMaterial,
    look_of,
)
from blendgen.models.product import GLASS, SCREEN
from blendgen.scene.condition import Condition, Sticker

_ICON_PITCH_M = (0.0165, 0.0195)

StickerGroups = Mapping[Sticker, bpy.types.NodeTree]
# a function that changes the group, and its other arguments
Step = tuple[Any, ...]
KnownMarks = dict[tuple[Look, tuple[Step, ...]], Marks]


def with_marks(
    material: bpy.types.Material, kind: str, condition: Condition, stickers: StickerGroups, known: KnownMarks
) -> bpy.types.Material:
    """A copy of a material with its marks; itself if it has none, or has no Principled BSDF.

    kind: what the sidecar states that its part is; "": nothing
    stickers: their node groups
    known: grows by the marks that no material before had
    """
    principled = _principled(material)
    if principled is None:
        return material
    kind = kind or material.get(KIND_MARK, "")
    steps = _steps(kind, condition, stickers)
    if not steps:
        return material
    key = (look_of(principled) if condition.cracks or condition.stickers else ANY_LOOK), steps
    if key not in known:
        known[key] = _marks(*key, condition.pattern_offset_m)
    copy = material.copy()
    known[key].put_on(copy.node_tree, _principled(copy))
    return copy


def _principled(material: bpy.types.Material) -> bpy.types.Node | None:
    return next((node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"), None)


def _marks(look: Look, steps: tuple[Step, ...], pattern_offset_m: tuple[float, float]) -> Marks:
    graph = UsedMaterial(look, pattern_offset_m)
    for change, *values in steps:
        change(graph, *values)
    return graph.marks()


def _steps(kind: str, condition: Condition, stickers: StickerGroups) -> tuple[Step, ...]:
    """What happens to a material, in this order."""
    steps: list[Step] = []
    if condition.screen and kind == SCREEN:
        steps.append((_switch_on, condition.screen))
    if condition.fingerprints:
        steps.append((_touch, condition.fingerprints))
    if condition.scratches:
        steps.append((add_scratches, condition.scratches))
    if condition.scuffs and kind not in (GLASS, SCREEN, RECESSED):
        steps.append((add_scuffs, condition.scuffs))
    if condition.cracks and condition.impact is not None and kind in (GLASS, SCREEN):
        steps.append((add_cracks, condition.cracks, condition.impact))
    for sticker in () if kind == RECESSED else condition.stickers:
        steps.append((add_sticker, sticker, stickers[sticker]))
    if condition.dust:
        steps.append((_dust, condition.dust))
    return tuple(steps)


def _switch_on(graph: UsedMaterial, brightness: float) -> None:
    graph.set(Emission_Color=_picture(graph), Emission_Strength=brightness)


def _touch(graph: UsedMaterial, amount: float) -> None:
    graph.rougher(shared_pattern(graph, "smears", amount, _smears), 0.2)


def _dust(graph: UsedMaterial, amount: float) -> None:
    cover = shared_pattern(graph, "dust", amount, _dust_on_top)
    color, roughness = settle_dust(graph, cover, graph.value("Base Color"), graph.value("Roughness"))
    graph.set(Base_Color=color, Roughness=roughness)
    graph.rougher(cover, 0.6, ("Coat Roughness",))


def _dust_on_top(s: ShaderGraph) -> Socket:
    facing_up = s.split(s.node("ShaderNodeNewGeometry").outputs["Normal"])[2]
    return s.product(dust_cover(s, 0.35), s.ramp(facing_up, 0.2, 0.8))


def _picture(graph: ProductGraph) -> Socket:
    """A wallpaper of a few soft colours, and a grid of icons on about half of all screens."""
    hue = graph.noise((9.0, 6.0), detail=1.0, seed=98.0)
    light = graph.ramp(graph.noise((14.0, 9.0), detail=2.0, seed=99.0), 0.3, 0.7, 0.12, 1.0)
    wallpaper = _hsv(graph, graph.product(hue, 2.0), 0.55, light)
    x, y, _ = graph.split(graph.own)
    column = graph.math("FLOOR", graph.product(x, 1 / _ICON_PITCH_M[0]))
    row = graph.math("FLOOR", graph.product(y, 1 / _ICON_PITCH_M[1]))
    aside = graph.math("PINGPONG", graph.product(x, 1 / _ICON_PITCH_M[0]), 0.5)
    along = graph.math("PINGPONG", graph.product(y, 1 / _ICON_PITCH_M[1]), 0.5)
    inside = graph.math("GREATER_THAN", graph.math("MINIMUM", aside, along), 0.12)
    # the pattern's offset decides for the whole screen whether it has icons, and which
    shown = 1.0 if int(1000 * graph.pattern_offset_m[0]) % 2 else 0.0
    shift = round(1000 * graph.pattern_offset_m[1])
    chance = graph.random(graph.sum(column, float(shift)), row)
    icon = _hsv(graph, chance, 0.75, 0.9)
    there = graph.math("GREATER_THAN", graph.random(row, graph.sum(column, float(shift))), 0.15)
    return graph.mix(graph.product(inside, there, shown), wallpaper, icon)


def _hsv(graph: ShaderGraph, hue: Number, saturation: Number, value: Number) -> Socket:
    inputs = {"Red": graph.math("FRACT", hue), "Green": saturation, "Blue": value}
    return graph.node("ShaderNodeCombineColor", inputs, mode="HSV").outputs["Color"]


def _smears(s: ShaderGraph) -> Socket:
    """Greasy patches as large as fingertips, wiped in one direction; a larger amount has more of them."""
    wiped = s.turned(s.point, 24.0)
    patch = slow_grain(s, (70.0, 38.0), 96.0, wiped)[0]
    start = s.ramp(s.wear, 0.0, 1.0, 0.66, 0.44)
    fine = s.ramp(fine_grain(s, (900.0, 160.0), wiped)[0], 0.35, 0.65, 0.55, 1.0)
    strength = s.math("MINIMUM", s.sum(s.wear, 0.4), 1.0)
    return s.product(s.ramp(patch, start, s.sum(start, 0.12)), fine, strength)
