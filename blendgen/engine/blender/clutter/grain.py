"""Grain: the shader graph of a finish, with 3D patterns instead of patterns on a surface seen from above.

`point` is the place in the product frame in metres; the look of a part does not depend on its pose. Wear and
dust are fixed: they are part of the finish.
"""

from __future__ import annotations

from blendgen.engine.blender.shading.grime import marks
from blendgen.engine.blender.shading.nodes import add_node
from blendgen.engine.blender.shading.shader_graph import Number, ShaderGraph, Socket


class Grain(ShaderGraph):
    wear = 0.35
    dust = 0.0

    def __init__(self, tree, principled):
        self.tree, self.principled = tree, principled
        self.point = add_node(tree, "ShaderNodeTexCoord").outputs["Object"]

    def cloud(self, per_m, low: Number, high: Number, detail=2.0, seed=0.0, roughness=0.5) -> Socket:
        """3D noise, stretched so that it mostly goes from low to high."""
        value = self.noise(per_m, detail, roughness, seed, space="3D")
        return self.ramp(value, 0.32, 0.68, low, high)

    def pebbles(self, per_m: float, seed: float = 0.0) -> Socket:
        """Distance to the nearest of random points in space, in cells."""
        inputs = {"Vector": self.scaled(self.point, per_m, seed), "Scale": 1.0}
        return self.node("ShaderNodeTexVoronoi", inputs, voronoi_dimensions="3D").outputs["Distance"]

    def flecks(self, cell_mm: float, radius: tuple[float, float], share: float, seed: float) -> Socket:
        """Irregular specks in space; radius: smallest and largest, in cells."""
        inputs = {"Vector": self.scaled(self.point, 1000 / cell_mm, seed), "Scale": 1.0}
        node = self.node("ShaderNodeTexVoronoi", inputs, voronoi_dimensions="3D")
        chance = self.node("ShaderNodeSeparateColor", {"Color": node.outputs["Color"]})
        reach = self.ramp(chance.outputs["Green"], 0.0, 1.0, *radius)
        ragged = self.math(
            "ADD", node.outputs["Distance"], self.cloud(8000 / cell_mm, -0.09, 0.09, 3.0, seed)
        )
        shape = self.ramp(self.math("DIVIDE", ragged, reach), 1.0, 0.75)
        return self.product(shape, self.math("LESS_THAN", chance.outputs["Red"], share))

    def scratches(self, share: Number, seed: float, angles_deg, length_mm: float) -> Socket:
        """Scratches, slightly curved, in a few directions; the longest has length_mm."""
        bent = self.warp(self.point, 26.0, 0.004, seed)
        total = None
        for number, angle_deg in enumerate(angles_deg):
            cell_mm = (8.0, length_mm * 20)
            at = self.turned(bent, angle_deg)
            layer = marks(self, cell_mm, (0.014, 0.05), share, seed + 1.7 * number, at)
            total = layer if total is None else self.math("MAXIMUM", total, layer)
        return total

    def stains(self, amount: Number, seed: float) -> Socket:
        """Single ragged blots, most of them small."""
        ragged = self.warp(self.warp(self.point, 40.0, 0.012, seed), 240.0, 0.0025, seed + 1)
        blot = marks(self, (85.0, 95.0), (0.02, 0.16), self.product(amount, 0.75), seed, ragged)
        inside = self.noise(110.0, detail=3.0, roughness=0.65, seed=seed)
        return self.product(blot, self.ramp(inside, 0.35, 0.6, 0.25, 1.0))

    def wave(self, phase: Socket, per_m: float) -> Socket:
        """A sine from 0 to 1; per_m: crests per metre of the phase."""
        angle = self.product(phase, per_m * 6.283185307)
        return self.ramp(self.math("SINE", angle), -1.0, 1.0)

    def radius(self) -> Socket:
        """Distance from the vertical axis, metres."""
        x, y, _ = self.split(self.point)
        return self.math("SQRT", self.sum(self.product(x, x), self.product(y, y)))
