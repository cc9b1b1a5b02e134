"""Cracks: glass that was hit: cracks that run out from the impact, and shards between them.

In: a used material of glass, how much, and where it was hit. Two webs of cells are drawn about the
impact, wider and longer the farther they are from it: a coarse one whose cracks run on to the rim,
and a fine one that breaks the glass between them; at the impact itself the glass is crushed.
Shards lean by a degree or two, so that each mirrors something else, and cracks end at chance.
"""

from __future__ import annotations

from dataclasses import dataclass

from blendgen.engine.blender.shader_graph import Number, Socket
from blendgen.engine.blender.used_material import UsedMaterial, perpendicular
from blendgen.shot import Impact

_UNIT_M = 0.01  # at this distance from the impact a web has `cells` cells a radian
_CRACK_LINEAR = (0.74, 0.77, 0.78)


@dataclass(frozen=True)
class _Web:
    """power: cells widen as (distance / _UNIT_M) ** (1 - power); reach_m: beyond it most have ended"""

    cells: float
    power: float
    reach_m: float
    half_width_m: float
    seed: float


def add_cracks(graph: UsedMaterial, amount: float, impact: Impact) -> None:
    """Change the material in place; amount: above 0, up to 1."""
    x, y = _about(graph, impact)
    distance = graph.math("MAXIMUM", graph.math("POWER", _squares(graph, x, y), 0.5), 0.0004)
    coarse = _Web(0.75 + 0.6 * amount, 0.14, 0.035 + 0.17 * amount, 0.00013, 3.0)
    fine = _Web(1.5 + 2.1 * amount, 0.42, 0.008 + 0.075 * amount, 0.0001, 8.0)
    lines, lean = [], []
    for web in (coarse, fine):
        line, tilt = _web(graph, web, x, y, distance)
        lines.append(line)
        lean.append(tilt)
    crushed = _crushed(graph, distance, 0.0018 + 0.0045 * amount)
    crack = graph.math("MAXIMUM", graph.math("MAXIMUM", *lines), crushed)
    # a crack shows where light meets it at the right angle, so it comes and goes along its way
    seen = graph.ramp(graph.noise((90.0, 90.0), 2.0, seed=73.0), 0.34, 0.62, 0.3, 1.0)
    visible = graph.product(crack, graph.math("MAXIMUM", seen, crushed))
    graph.tilt(graph.tint(graph.add(*lean), 0.022 + 0.03 * amount))
    graph.relief(graph.product(crack, -0.05))
    graph.cover(graph.product(visible, 0.8), Base_Color=_CRACK_LINEAR)
    graph.cover(crack, Roughness=0.4, Coat_Weight=0.25)
    graph.darken_emission(graph.product(visible, 0.5))


def _about(graph: UsedMaterial, impact: Impact) -> tuple[Socket, Socket]:
    """The place in the plane of the glass, metres from the impact, bent a little as cracks are."""
    across = perpendicular(impact.normal)
    offset = graph.add(graph.own, tuple(-value for value in impact.point_m))
    place = graph.combine(*(graph.along(direction, offset) for direction in across))
    place = graph.warp(graph.warp(place, 45.0, 0.0022, 71.0), 300.0, 0.0003, 72.0)
    x, y, _ = graph.split(place)
    return x, y


def _web(graph: UsedMaterial, web: _Web, x, y, distance) -> tuple[Socket, Socket]:
    """(lines from 0 to 1, the lean of each shard as a vector from -1 to 1)."""
    share = graph.math("DIVIDE", distance, _UNIT_M)
    per_m = graph.product(graph.math("POWER", share, web.power - 1.0), web.cells / _UNIT_M)
    place = graph.combine(graph.product(x, per_m), graph.product(y, per_m), web.seed)
    edge = _voronoi(graph, place, "DISTANCE_TO_EDGE").outputs["Distance"]
    cell = _voronoi(graph, place, "F1").outputs["Color"]
    chance, lean_x, lean_y = graph.split(cell)
    there = graph.math(
        "LESS_THAN", chance, graph.ramp(distance, 0.35 * web.reach_m, 1.4 * web.reach_m, 1.0, 0.0)
    )
    width = graph.product(per_m, web.half_width_m)
    line = graph.product(graph.ramp(edge, width, graph.product(width, 2.2), 1.0, 0.0), there)
    lean = graph.combine(*(graph.ramp(value, 0.0, 1.0, -1.0, 1.0) for value in (lean_x, lean_y)))
    return line, graph.tint(lean, there)


def _crushed(graph: UsedMaterial, distance: Socket, radius_m: float) -> Socket:
    """Glass ground to grains at the impact."""
    ragged = graph.sum(distance, graph.ramp(graph.noise(420.0, 3.0, 0.7, 74.0), 0.3, 0.7, 0.0, radius_m))
    grains = graph.ramp(graph.noise(2600.0, 1.0, seed=75.0), 0.4, 0.62, 0.25, 1.0)
    return graph.product(graph.ramp(ragged, 1.5 * radius_m, 0.5 * radius_m), grains)


def _voronoi(graph: UsedMaterial, place: Socket, feature: str):
    inputs = {"Vector": place, "Scale": 1.0}
    return graph.node("ShaderNodeTexVoronoi", inputs, voronoi_dimensions="2D", feature=feature)


def _squares(graph: UsedMaterial, x: Number, y: Number) -> Socket:
    return graph.sum(graph.product(x, x), graph.product(y, y))
