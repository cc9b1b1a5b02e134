"""Cracks: broken glass: cracks that start at the impact, and shards between them.

In: a used material of glass, the amount, and the point of the impact. There are two webs of cells around the
impact, which get wider and longer with distance: a coarse one whose cracks reach the rim, and a fine one that
breaks the glass between them; at the impact itself the glass is crushed. Shards tilt by a degree or two, so
that each reflects something else, and cracks end at random places.
"""

from __future__ import annotations

from dataclasses import dataclass

from blendgen.engine.blender.shading.shader_graph import Number, Socket
from blendgen.engine.blender.wear.used_material import UsedMaterial, perpendicular
from blendgen.scene.condition import Impact

_UNIT_M = 0.01  # at this distance from the impact a web has `cells` cells a radian
_CRACK_LINEAR = (0.74, 0.77, 0.78)


@dataclass(frozen=True)
class _Web:
    """power: cells widen as (distance / _UNIT_M) ** (1 - power); reach_m: how far most cracks run"""

    cells: float
    power: float
    reach_m: float
    half_width_m: float
    seed: float


def add_cracks(graph: UsedMaterial, amount: float, impact: Impact) -> None:
    """Change the material in place; amount: above 0, up to 1."""
    x, y = _about(graph, impact)
    distance = graph.math("MAXIMUM", graph.math("POWER", _squares(graph, x, y), 0.5), 0.0004)
    coarse = _Web(0.8 + 0.8 * amount, 0.1, 0.04 + 0.2 * amount, 0.0001, 3.0)
    fine = _Web(1.6 + 2.3 * amount, 0.36, 0.008 + 0.065 * amount, 0.000075, 8.0)
    lines, lean = [], []
    for web in (coarse, fine):
        line, tilt = _web(graph, web, x, y, distance)
        lines.append(line)
        lean.append(tilt)
    crushed = _crushed(graph, distance, 0.0018 + 0.0045 * amount)
    crack = graph.math("MAXIMUM", graph.math("MAXIMUM", *lines), crushed)
    # a crack is only visible where light meets it at the right angle, so it fades along its way
    visible = graph.ramp(graph.noise((90.0, 90.0), 2.0, seed=73.0), 0.36, 0.66, 0.22, 1.0)
    visible = graph.product(crack, graph.math("MAXIMUM", visible, crushed))
    graph.tilt(graph.tint(graph.add(*lean), 0.022 + 0.03 * amount))
    graph.relief(graph.product(crack, -0.05))
    graph.cover(graph.product(visible, 0.8), Base_Color=_CRACK_LINEAR)
    graph.cover(crack, Roughness=0.4, Coat_Weight=0.25)
    graph.darken_emission(graph.product(visible, 0.5))


def _about(graph: UsedMaterial, impact: Impact) -> tuple[Socket, Socket]:
    """The place in the plane of the glass, metres from the impact, slightly warped as cracks are."""
    across = perpendicular(impact.normal)
    offset = graph.add(graph.own, tuple(-value for value in impact.point_m))
    place = graph.combine(*(graph.dot(offset, direction) for direction in across))
    place = graph.warp(graph.warp(place, 45.0, 0.0022, 71.0), 300.0, 0.0003, 72.0)
    x, y, _ = graph.split(place)
    return x, y


def _web(graph: UsedMaterial, web: _Web, x, y, distance) -> tuple[Socket, Socket]:
    """(lines from 0 to 1, the tilt of each shard as a vector from -1 to 1)."""
    heading = graph.combine(graph.math("DIVIDE", x, distance), graph.math("DIVIDE", y, distance))
    share = graph.math("POWER", graph.math("DIVIDE", distance, _UNIT_M), web.power)
    place = graph.add(graph.tint(heading, graph.product(share, web.cells)), (web.seed, 0.0, 0.0))
    own, other = (_voronoi(graph, place, feature) for feature in ("F1", "F2"))
    chance, lean_x, lean_y = graph.split(own.outputs["Color"])
    left = _left(graph, web, heading, distance, chance)
    edge_m = _edge_m(graph, web, place, heading, own, other, graph.math("DIVIDE", distance, share))
    width = graph.product(graph.ramp(left, 0.0, 0.5, 0.35, 1.0), web.half_width_m)
    line = graph.ramp(edge_m, width, graph.product(width, 2.2), 1.0, 0.0)
    there = graph.math("GREATER_THAN", left, 0.0)
    lean = graph.combine(*(graph.ramp(value, 0.0, 1.0, -1.0, 1.0) for value in (lean_x, lean_y)))
    return graph.product(line, graph.ramp(left, 0.0, 0.15)), graph.tint(lean, there)


def _edge_m(graph: UsedMaterial, web: _Web, place, heading, own, other, stretch) -> Socket:
    """Metres to the edge between a cell and the next.

    Cells are `power` times as wide along the heading as across it, so a step towards an edge is
    longer on the glass the more it leads outwards.
    """
    here, there = own.outputs["Position"], other.outputs["Position"]
    towards = graph.vector("NORMALIZE", graph.vector("SUBTRACT", there, here))
    middle = graph.tint(graph.add(here, there), 0.5)
    cells = graph.dot(graph.vector("SUBTRACT", middle, place), towards)
    outwards = graph.dot(towards, heading)
    squares = graph.product(outwards, outwards, 1.0 - web.power**2)
    slope = graph.math("POWER", graph.math("SUBTRACT", 1.0, squares), 0.5)
    return graph.math("DIVIDE", graph.product(cells, stretch, 1 / web.cells), slope)


def _left(graph: UsedMaterial, web: _Web, heading, distance, chance) -> Socket:
    """The remaining share of a crack's length: 1 at the impact, 0 and below past its end.

    Cracks are longer in some directions than in others, and differ from shard to shard.
    """
    by_direction = graph.ramp(graph.noise(1.6, 2.0, 0.6, web.seed, heading), 0.3, 0.7, 0.45, 1.5)
    reach = graph.product(by_direction, graph.ramp(chance, 0.0, 1.0, 0.8, 1.2), web.reach_m)
    return graph.math("SUBTRACT", 1.0, graph.math("DIVIDE", distance, reach))


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
