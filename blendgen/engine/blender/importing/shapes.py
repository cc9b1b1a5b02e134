"""Shapes: boxes and spheres of exactly known shape, for tests and the conformance of engines."""

from __future__ import annotations

import itertools
from typing import Any

import bpy
import numpy as np

from blendgen.engine.blender.importing.join import PRODUCT_NAME, to_product_frame
from blendgen.engine.blender.shading.nodes import new_material
from blendgen.geometry.color import hex_to_linear

SHAPES = ("box", "sphere")
# 1 - cos(pi / 96) = 0.05 % of the radius is lost between two meridians.
_SPHERE_MERIDIANS = 96
_SPHERE_PARALLELS = 48


def build_shape(options: dict[str, Any]) -> bpy.types.Object:
    """A box (sharp) or sphere (smooth) called "product", its one material slot called "body".

    options: {"shape", "size_m": [x, y, z], "base_color_srgb": "#rrggbb"}
    raises: ValueError for an unknown shape
    """
    if options["shape"] not in SHAPES:
        raise ValueError(f"shape must be one of {', '.join(SHAPES)}; got {options['shape']!r}")
    mesh = bpy.data.meshes.new(PRODUCT_NAME)
    _fill(mesh, options["shape"], options["size_m"])
    color = hex_to_linear(options.get("base_color_srgb") or "#b0b0b0")
    mesh.materials.append(new_material("body", Base_Color=color, Roughness=0.5)[0])
    product = bpy.data.objects.new(PRODUCT_NAME, mesh)
    bpy.context.scene.collection.objects.link(product)
    to_product_frame(product)
    return product


def _fill(mesh: bpy.types.Mesh, shape: str, size_m) -> None:
    vertices, faces = _box() if shape == "box" else _sphere()
    mesh.from_pydata((vertices * size_m).tolist(), [], faces)
    mesh.update()
    if shape == "sphere":
        mesh.shade_smooth()


def _box() -> tuple[np.ndarray, list[tuple[int, ...]]]:
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))
    return corners, [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def _sphere() -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Meridians and parallels. bmesh's sphere is not used: it numbers its vertices differently every time."""
    polar = np.linspace(0, np.pi, _SPHERE_PARALLELS + 1)[1:-1, None]
    around = np.arange(_SPHERE_MERIDIANS) * (2 * np.pi / _SPHERE_MERIDIANS)
    flat = np.ones_like(around)
    rings = np.stack(
        [np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar) * flat], -1
    )
    vertices = np.concatenate([[(0, 0, 1)], rings.reshape(-1, 3), [(0, 0, -1)]]) / 2
    near = 1 + np.arange(_SPHERE_MERIDIANS)
    following = np.roll(near, -1)
    faces: list[tuple[Any, ...]] = []  # of NumPy's integers
    count, last = _SPHERE_MERIDIANS, len(vertices) - 1
    faces += [(0, a, b) for a, b in zip(near, following, strict=True)]
    for ring in range(_SPHERE_PARALLELS - 2):
        below = count * ring
        pairs = zip(near + below, following + below, strict=True)
        faces += [(a, a + count, b + count, b) for a, b in pairs]
    end = count * (_SPHERE_PARALLELS - 2)
    faces += [(b, a, last) for a, b in zip(near + end, following + end, strict=True)]
    return vertices, [tuple(int(i) for i in face) for face in faces]
