"""Meshes: turns arrays into Blender meshes and objects, which are reused by name.

Vertices are metres in the object's own frame, faces are quads counted counter-clockwise from
outside. A mesh of the same name is emptied and filled again, so repeated calls add no data blocks.
"""

from __future__ import annotations

import math

import bpy
import numpy as np

from blendgen.engine.blender.session.stage import link_to_scene
from blendgen.scene.ground import Surface

Arrays = tuple[np.ndarray, np.ndarray]


def quad_mesh(
    name: str, vertices_m: np.ndarray, quads: np.ndarray, material, smooth: bool = False
) -> bpy.types.Mesh:
    """A mesh, flat-shaded unless smooth. vertices_m: (n, 3); quads: (m, 4) indices."""
    name = f"surface.{name}"
    mesh = bpy.data.meshes.get(name) or bpy.data.meshes.new(name)
    mesh.clear_geometry()
    mesh.vertices.add(len(vertices_m))
    mesh.loops.add(quads.size)
    mesh.polygons.add(len(quads))
    mesh.polygons.foreach_set("loop_start", np.arange(0, quads.size, 4, dtype=np.int32))
    # attributes are copied at once; vertices, loops and shade_flat would take ten times longer
    _fill(mesh.attributes["position"], "vector", vertices_m, np.float32)
    _fill(mesh.attributes[".corner_vert"], "value", quads, np.int32)
    sharp = mesh.attributes.get("sharp_face") or mesh.attributes.new("sharp_face", "BOOLEAN", "FACE")
    _fill(sharp, "value", np.full(len(quads), not smooth), np.bool_)
    mesh.update(calc_edges=True)
    mesh.materials.clear()
    mesh.materials.append(material)
    return mesh


def _fill(attribute, key: str, values: np.ndarray, kind: type) -> None:
    attribute.data.foreach_set(key, np.ascontiguousarray(values, kind).ravel())


def place(mesh: bpy.types.Mesh, surface: Surface, along_m: float = 0.0) -> bpy.types.Object:
    """A new object in the scene, along_m down the belt, rotated with it."""
    yaw_rad = math.radians(surface.yaw_deg)
    placed = bpy.data.objects.new(mesh.name, mesh)
    placed.location = (-along_m * math.sin(yaw_rad), along_m * math.cos(yaw_rad), 0.0)
    placed.rotation_euler = (0.0, 0.0, yaw_rad)
    link_to_scene(placed)
    return placed


def join(parts: list[Arrays]) -> Arrays:
    """Several (vertices, quads) as one."""
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in parts[:-1]])
    quads = [quads + start for (_, quads), start in zip(parts, starts, strict=True)]
    return np.concatenate([vertices for vertices, _ in parts]), np.concatenate(quads)


def plate(x_m: tuple[float, float], y_m: tuple[float, float], z_m: float) -> Arrays:
    """One level rectangle, seen from above."""
    (x0, x1), (y0, y1) = x_m, y_m
    vertices = np.array([(x0, y0, z_m), (x1, y0, z_m), (x1, y1, z_m), (x0, y1, z_m)])
    return vertices, np.array([(0, 1, 2, 3)])


def extrude(outline_xz_m: np.ndarray, y_m: tuple[float, float]) -> Arrays:
    """A closed outline in x, z, listed over its top towards +x, drawn along y; the ends stay open."""
    count = len(outline_xz_m)
    ends = [np.column_stack([outline_xz_m[:, 0], np.full(count, y), outline_xz_m[:, 1]]) for y in y_m]
    near = np.arange(count)
    following = np.roll(near, -1)
    quads = np.column_stack([near, following, following + count, near + count])
    return np.concatenate(ends), quads


def mirrored_x(arrays: Arrays) -> Arrays:
    """The mirror image in x, faces still outward."""
    vertices, quads = arrays
    return vertices * (-1.0, 1.0, 1.0), quads[:, ::-1]


def lathe(outline_rz_m: list[tuple[float, float]], segments: int = 16) -> Arrays:
    """A turned part around z from (radius, z) points, listed from the bottom rim up."""
    angle = np.arange(segments) * (2 * math.pi / segments)
    circle = np.column_stack([np.cos(angle), np.sin(angle), np.ones(segments)])
    rings = [circle * (r, r, z) for r, z in outline_rz_m]
    near = np.arange(segments)
    following = np.roll(near, -1)
    band = np.column_stack([near, following, following + segments, near + segments])
    quads = [band + row * segments for row in range(len(rings) - 1)]
    return np.concatenate(rings), np.concatenate(quads)
