"""Scuffs: what rubbing does: worn edges first, then patches on the faces.

In: a used material and how much. Convex edges are found by looking into the product from its
surface: near one, the next face is close. That works on any mesh, however coarse, and leaves seams
and inner corners alone. Worn places are lighter, matt and full of fine scratches.
"""

from __future__ import annotations

from blendgen.engine.blender.shader_graph import Socket
from blendgen.engine.blender.used_material import UsedMaterial

_EDGE_M = 0.002  # how far from an edge wear reaches
_SAMPLES = 6
_BARE_LINEAR = (0.55, 0.54, 0.52)
_HAIRLINES_DEG = (8.0, 63.0, -37.0)


def add_scuffs(graph: UsedMaterial, amount: float) -> None:
    """Change the material in place; amount: above 0, up to 1."""
    # some edges were dragged over things and others hardly touched; rubbed faces are few and large
    met = graph.ramp(graph.noise(26.0, 2.0, seed=80.0, space="3D"), 0.36, 0.62, 0.38, 1.05)
    grain = graph.ramp(graph.noise(160.0, 5.0, 0.7, seed=81.0, space="3D"), 0.3, 0.7, 0.0, 0.55)
    rubbed = graph.ramp(graph.noise(17.0, 6.0, 0.68, seed=82.0, space="3D"), 0.47, 0.72, 0.0, 0.75)
    field = graph.sum(graph.math("MAXIMUM", graph.product(_edges(graph), met), rubbed), grain)
    start = 1.3 - 0.68 * amount
    worn = graph.product(graph.ramp(field, start, start + 0.22), _hairlines(graph))
    graph.cover(graph.product(worn, 0.45 + 0.35 * amount), Base_Color=_BARE_LINEAR)
    graph.cover(worn, Roughness=0.62, Coat_Weight=0.0)


def _edges(graph: UsedMaterial) -> Socket:
    """1 on a convex edge, 0 at _EDGE_M from it."""
    node = graph.node(
        "ShaderNodeAmbientOcclusion", {"Distance": _EDGE_M}, inside=True, only_local=True, samples=_SAMPLES
    )
    return graph.ramp(node.outputs["AO"], 0.985, 0.72)


def _hairlines(graph: UsedMaterial) -> Socket:
    """Fine scratches in a few directions, from 0.35 between them to 1."""
    total = None
    for number, angle_deg in enumerate(_HAIRLINES_DEG):
        turned = graph.turned(graph.point, angle_deg)
        lines = graph.noise((1900.0, 130.0, 900.0), 2.0, 0.6, 83.0 + number, turned, "3D")
        lines = graph.ramp(lines, 0.44, 0.6, 0.35, 1.0)
        total = lines if total is None else graph.math("MAXIMUM", total, lines)
    return total
