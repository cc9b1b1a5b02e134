"""Scuffs: the result of rubbing: worn edges first, then patches on the faces.

In: a used material and the amount. There is an edge where nearby normals differ; it is convex where a ray
into the product soon meets another face. Both together work on any mesh, however coarse, and ignore concave
corners and thin sheets. Worn places are lighter, matte and full of fine scratches.
"""

from __future__ import annotations

from blendgen.engine.blender.shading.shader_graph import Socket
from blendgen.engine.blender.wear.used_material import UsedMaterial

_EDGE_M = 0.002  # how far from an edge wear reaches
_SAMPLES = 6
_BARE_LINEAR = (0.55, 0.54, 0.52)
_HAIRLINES_DEG = (8.0, 63.0, -37.0)


def add_scuffs(graph: UsedMaterial, amount: float) -> None:
    """Change the material in place; amount: above 0, up to 1."""
    # some edges are worn much more than others; worn patches on faces are few and large
    met = graph.ramp(graph.noise(26.0, 2.0, seed=80.0, space="3D"), 0.36, 0.62, 0.38, 1.05)
    grain = graph.ramp(graph.noise(160.0, 5.0, 0.7, seed=81.0, space="3D"), 0.3, 0.7, 0.0, 0.55)
    rubbed = graph.ramp(graph.noise(17.0, 6.0, 0.68, seed=82.0, space="3D"), 0.47, 0.72, 0.0, 0.75)
    field = graph.sum(graph.math("MAXIMUM", graph.product(_edges(graph), met), rubbed), grain)
    start = 1.3 - 0.68 * amount
    wear = graph.product(graph.ramp(field, start, start + 0.22), _hairlines(graph))
    wear = graph.math("MAXIMUM", wear, graph.product(_nicks(graph, amount), met))
    graph.cover(graph.product(wear, 0.45 + 0.35 * amount), Base_Color=_BARE_LINEAR)
    graph.cover(wear, Roughness=0.62, Coat_Weight=0.0)


def _nicks(graph: UsedMaterial, amount: float) -> Socket:
    """Small dents of about a millimetre, which are also visible on faces and round edges."""
    start = 0.75 - 0.07 * amount
    return graph.ramp(graph.noise(430.0, 1.5, seed=84.0, space="3D"), start, start + 0.03)


def _edges(graph: UsedMaterial) -> Socket:
    """1 on a convex edge, 0 at _EDGE_M from it."""
    into = graph.node(
        "ShaderNodeAmbientOcclusion", {"Distance": _EDGE_M}, inside=True, only_local=True, samples=_SAMPLES
    )
    near = graph.node("ShaderNodeBevel", {"Radius": 1.5 * _EDGE_M}, samples=_SAMPLES).outputs["Normal"]
    own = graph.node("ShaderNodeNewGeometry").outputs["Normal"]
    bent = graph.ramp(graph.dot(near, own), 0.997, 0.9)
    return graph.product(graph.ramp(into.outputs["AO"], 0.985, 0.72), bent)


def _hairlines(graph: UsedMaterial) -> Socket:
    """Fine scratches in a few directions, from 0.35 between them to 1."""
    total = None
    for number, angle_deg in enumerate(_HAIRLINES_DEG):
        turned = graph.turned(graph.point, angle_deg)
        lines = graph.noise((1900.0, 130.0, 900.0), 2.0, 0.6, 83.0 + number, turned, "3D")
        lines = graph.ramp(lines, 0.44, 0.6, 0.35, 1.0)
        total = lines if total is None else graph.math("MAXIMUM", total, lines)
    return total
