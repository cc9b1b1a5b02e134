"""Visibility: refuses a product that no pixel of any picture shows. Runs only in the measuring process.

A render labels the first surface along the ray through the centre of each pixel that is at least half
opaque: glass that refracts has a label, a surface without opacity has none. What is opaque by the plain
values of its materials is not rendered; everything else is, small and from six sides.
"""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Matrix

from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.importers import ImportRefused
from blendgen.engine.blender.session.capture import render_passes
from blendgen.files.names import some_of

OPAQUE_ALPHA = 0.5
# a product that is so long in a picture has to cover a pixel of it
_THIN_PX = 128
_SHARE = 0.01
_VIEW_PX = 32
_MAX_LISTED = 5
_QUARTER = math.pi / 2
# a rotation about x, then one about y: the six sides towards the camera
_VIEWS = ((0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (0, 3))


def refuse_invisible(
    product: bpy.types.Object, vertices: np.ndarray, triangles: np.ndarray, findings: Findings
) -> None:
    """Raises ImportRefused for a product that is too thin or too transparent to be seen.

    vertices: (n, 3) metres, product frame; triangles: (m, 3) indices of them
    findings: gets a note about a product whose labels are dotted
    """
    areas_m2 = _areas_m2(vertices, triangles)
    side_m = float(np.ptp(vertices, axis=0).max())
    # source: Cauchy: on average over all directions, a closed convex surface covers a quarter of its area
    if areas_m2.sum() / 4 < (side_m / _THIN_PX) ** 2:
        raise ImportRefused(
            f"too thin to be seen: where it is {_THIN_PX} px long, it covers less than one pixel; give it "
            "thickness, or remove parts that are far away"
        )
    if _opaque_share(product.data, areas_m2) < _SHARE:
        _judge_views(product, vertices, findings)


def _judge_views(product: bpy.types.Object, vertices: np.ndarray, findings: Findings) -> None:
    """As refuse_invisible, by renders.

    Cycles labels a surface of less than half opacity in random pixels, which another seed changes.
    """
    scene = _scene_of_views(product, vertices)
    outline = _mask(scene, 0.0)
    first, second = (_mask(scene, OPAQUE_ALPHA, seed) for seed in (0, 1))
    few = _SHARE * np.count_nonzero(outline)
    names = some_of([material.name for material in product.data.materials], _MAX_LISTED)
    advice = "raise the opacity, or use transmission for glass"
    if np.count_nonzero(first) <= few:
        raise ImportRefused(
            f"cannot be seen: less than {_SHARE:.0%} of it is at least half opaque (materials {names}); "
            f"{advice}"
        )
    if np.count_nonzero(first != second) > few:
        findings.notes.append(f"less than half opaque, so its masks are dotted (materials {names}); {advice}")


def _areas_m2(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def _opaque_share(mesh: bpy.types.Mesh, areas_m2: np.ndarray) -> float:
    """Share of the surface whose materials are opaque by their plain values."""
    slots = np.empty(len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("material_index", slots)
    opaque = np.array([_is_opaque(material) for material in mesh.materials], bool)
    return float(areas_m2[opaque[slots]].sum() / areas_m2.sum())


def _is_opaque(material: bpy.types.Material) -> bool:
    output = None if material.node_tree is None else material.node_tree.get_output_node("CYCLES")
    links = () if output is None else output.inputs["Surface"].links
    shader = next((link.from_node for link in links), None)
    if shader is None or shader.type != "BSDF_PRINCIPLED":
        return False
    alpha = shader.inputs["Alpha"]
    return not alpha.is_linked and alpha.default_value >= OPAQUE_ALPHA


def _scene_of_views(product: bpy.types.Object, vertices: np.ndarray) -> bpy.types.Scene:
    """A new scene that shows the product from six sides."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    size_m = float(np.linalg.norm(high - low))
    scene = bpy.data.scenes.new("views")
    centred = Matrix.Translation((-(low + high) / 2).tolist())
    for number, (about_x, about_y) in enumerate(_VIEWS):
        turned = Matrix.Rotation(about_y * _QUARTER, 4, "Y") @ Matrix.Rotation(about_x * _QUARTER, 4, "X")
        view = bpy.data.objects.new(f"view_{number}", product.data)
        view.matrix_world = Matrix.Translation((number * size_m, 0, 0)) @ turned @ centred
        view.pass_index = 1
        scene.collection.objects.link(view)
    _set_camera(scene, size_m)
    _configure(scene)
    return scene


def _mask(scene: bpy.types.Scene, alpha: float, seed: int = 0) -> np.ndarray:
    """(h, w) bool: the pixels whose ray meets a surface that is at least so opaque."""
    scene.view_layers[0].pass_alpha_threshold, scene.cycles.seed = alpha, seed
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        (passes,) = render_passes().values()
    return passes["Object Index"][..., 0] > 0


def _set_camera(scene: bpy.types.Scene, size_m: float) -> None:
    """Look down at a row of views, each as wide and high as the diagonal of the product."""
    camera = bpy.data.objects.new("views", bpy.data.cameras.new("views"))
    camera.data.type, camera.data.sensor_fit = "ORTHO", "HORIZONTAL"
    camera.data.ortho_scale = len(_VIEWS) * size_m
    camera.data.clip_start, camera.data.clip_end = size_m / 10, size_m * 10
    camera.location = ((len(_VIEWS) - 1) / 2 * size_m, 0, 2 * size_m)
    scene.collection.objects.link(camera)
    scene.camera = camera


def _configure(scene: bpy.types.Scene) -> None:
    """One ray through the centre of each pixel, in the calling process alone."""
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = len(_VIEWS) * _VIEW_PX, _VIEW_PX
    render.use_compositing = render.use_sequencer = False
    render.threads_mode, render.threads = "FIXED", 1
    if hasattr(render, "compositor_device"):
        render.compositor_device = "CPU"
    if hasattr(render, "use_texture_cache"):
        render.use_texture_cache = False
    scene.cycles.samples, scene.cycles.max_bounces = 1, 0
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = False
    scene.view_layers[0].use_pass_object_index = True
