"""Scuffs: what rubbing does: worn edges first, then patches on the faces.

In: a used material and how much. Convex edges are found by looking into the product from its
surface: near one, the next face is close. That works on any mesh, however coarse, and leaves seams
and inner corners alone. Worn places are lighter, matt and full of fine scratches.
"""

from __future__ import annotations

from blendgen.engine.blender.shader_graph import Socket
from blendgen.engine.blender.used_material import UsedMaterial

_EDGE_M = 0.0011  # how far from an edge wear reaches
_SAMPLES = 6
_BARE_LINEAR = (0.55, 0.54, 0.52)
_HAIRLINES_DEG = (8.0, 63.0, -37.0)


def add_scuffs(graph: UsedMaterial, amount: float) -> None:
    """Change the material in place; amount: above 0, up to 1."""
    patch = graph.ramp(graph.noise(55.0, 5.0, 0.68, seed=81.0, space="3D"), 0.3, 0.7)
    field = graph.sum(graph.product(_edges(graph), 0.8), graph.product(patch, 0.6))
    start = 1.18 - 0.6 * amount
    worn = graph.product(graph.ramp(field, start, start + 0.22), _hairlines(graph))
    graph.cover(graph.product(worn, 0.35 + 0.3 * amount), Base_Color=_BARE_LINEAR)
    graph.cover(worn, Roughness=0.62, Coat_Weight=0.0)


def _edges(graph: UsedMaterial) -> Socket:
    """1 on a convex edge, 0 at _EDGE_M from it."""
    node = graph.node(
        "ShaderNodeAmbientOcclusion", {"Distance": _EDGE_M}, inside=True, only_local=True, samples=_SAMPLES
    )
    return graph.ramp(node.outputs["AO"], 0.97, 0.6)


def _hairlines(graph: UsedMaterial) -> Socket:
    """Fine scratches in a few directions, from 0.35 between them to 1."""
    total = None
    for number, angle_deg in enumerate(_HAIRLINES_DEG):
        turned = graph.turned(graph.point, angle_deg)
        lines = graph.noise((1900.0, 130.0, 900.0), 2.0, 0.6, 83.0 + number, turned, "3D")
        lines = graph.ramp(lines, 0.44, 0.6, 0.35, 1.0)
        total = lines if total is None else graph.math("MAXIMUM", total, lines)
    return total
