"""Scratches: fine lines that expose what is below the surface."""

from __future__ import annotations

from blendgen.engine.blender.shading.grime import scratches
from blendgen.engine.blender.shading.shader_graph import ShaderGraph, Socket
from blendgen.engine.blender.shading.shared_pattern import shared_pattern
from blendgen.engine.blender.wear.used_material import UsedMaterial

_BARE_LINEAR = (0.42, 0.41, 0.40)  # the material below the surface


def add_scratches(graph: UsedMaterial, amount: float) -> None:
    scratch = shared_pattern(graph, "scratches", amount, _scratches)
    color = graph.mix(graph.product(scratch, 0.3 + 0.5 * amount), graph.value("Base Color"), _BARE_LINEAR)
    graph.set(Base_Color=color)
    graph.rougher(scratch, 0.4)


def _scratches(s: ShaderGraph) -> Socket:
    return scratches(s, s.product(s.wear, 0.85), 91.0, 13.0)
