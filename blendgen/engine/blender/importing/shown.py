"""Shown: what Blender's own render of the open scene shows, as meshes in world coordinates.

The parts come from the dependency graph of a render, which a render engine of ours gets. It follows the
switches for rendering of objects, collections and modifiers, not those of the viewport. Curves, text and
metaballs are in it twice, as themselves and as the mesh that an engine renders; only the mesh counts.
source: Cycles, BlenderSync::object_is_geometry and sync_object
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.preflight import ImportRefused

SHADOW_CATCHER = "shadow catcher"
# steps of a render before and after the engine: they open files, or run scripts of the file (Freestyle)
_UNUSED = ("use_compositing", "use_sequencer", "use_freestyle", "use_border", "use_multiview")
_STROKES = ("GREASEPENCIL", "GPENCIL")
# what a render may show, and a mesh cannot
_NO_SURFACE = {
    "CURVES": "hair curves",
    "VOLUME": "a volume",
    **dict.fromkeys(_STROKES, "Grease Pencil strokes"),
}


@dataclass(frozen=True, eq=False)
class Part:
    """One surface or point set, or one instance of it.

    owner: the object of the scene that it belongs to; an instance belongs to its instancer
    source: the object that has the geometry
    mesh: in world coordinates, with the materials of its object
    unseen: why a camera does not see it although it is rendered; "" if it does
    """

    owner: bpy.types.Object
    source: bpy.types.Object
    mesh: bpy.types.Mesh
    unseen: str = ""

    @property
    def names(self) -> tuple[str, str]:
        return self.owner.name, self.source.name


class _Engine(bpy.types.RenderEngine):
    """Gives the dependency graph of a render to `read`; Blender would swallow what that raises."""

    bl_idname = "BLENDGEN_SHOWN"
    bl_label = "blendgen"
    read: Callable[[Any], None]
    failure: BaseException | None = None

    def render(self, depsgraph) -> None:
        try:
            _Engine.read(depsgraph)
        except BaseException as error:  # noqa: BLE001 - raised again after the render
            _Engine.failure = error


def shown_parts(findings: Findings) -> list[Part]:
    """The parts of the open scene; one view layer of it is evaluated, the first that renders use.

    findings: gets what has no surface, such as hair
    """
    scene = bpy.context.scene
    _hide_strokes(scene, findings)
    _prepare(scene)
    parts: list[Part] = []
    _render(lambda depsgraph: parts.extend(_parts(depsgraph, findings)))
    # The depsgraph's own order differs between Blender 4.5 and 5.2.
    return sorted(parts, key=lambda part: part.names)


def _hide_strokes(scene: bpy.types.Scene, findings: Findings) -> None:
    """Blender itself would draw them after the engine, on the GPU."""
    for strokes in [o for o in scene.objects if o.type in _STROKES and not o.hide_render]:
        _note_no_surface(strokes, findings)
        strokes.hide_render = True


def _prepare(scene: bpy.types.Scene) -> None:
    """Make a render as small as it can be; none of this changes what the scene shows."""
    render = scene.render
    render.resolution_x = render.resolution_y = 4
    render.resolution_percentage = 100
    for key in _UNUSED:
        setattr(render, key, False)
    if scene.camera is None:  # Blender renders nothing without one
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    used = next((layer for layer in scene.view_layers if layer.use), scene.view_layers[0])
    for layer in scene.view_layers:
        layer.use = layer == used


def _render(read: Callable[[Any], None]) -> None:
    _Engine.read, _Engine.failure = staticmethod(read), None
    bpy.utils.register_class(_Engine)
    render = bpy.context.scene.render
    engine, render.engine = render.engine, _Engine.bl_idname
    try:
        bpy.ops.render.render()
    except RuntimeError as error:
        raise ImportRefused(f"Blender cannot render its scene: {str(error).splitlines()[0]}") from error
    finally:
        render.engine = engine
        bpy.utils.unregister_class(_Engine)
    if _Engine.failure is not None:
        raise _Engine.failure


def _parts(depsgraph, findings: Findings) -> Iterator[Part]:
    layer = depsgraph.view_layer_eval
    for instance in depsgraph.object_instances:
        if not instance.show_self:
            continue
        shape = instance.object
        owner = instance.parent if instance.is_instance else shape
        if shape.type in _NO_SURFACE and not (shape.type == "CURVES" and len(shape.data.curves) == 0):
            _note_no_surface(shape, findings)
        findings.lost.extend(_lost_hair(shape))
        mesh = _mesh_of(shape, depsgraph)
        if mesh is not None:
            apply_transform(mesh, instance.matrix_world.copy())
            yield Part(owner.original, shape.original, mesh, _unseen(owner, shape, layer))


def _note_no_surface(owner: bpy.types.Object, findings: Findings) -> None:
    what = _NO_SURFACE[owner.type]
    findings.lost.append(f"object {owner.name!r}: {what} cannot be rendered; convert the object to a mesh")


def _lost_hair(evaluated: bpy.types.Object) -> Iterator[str]:
    for modifier in evaluated.modifiers:
        system = modifier.particle_system if modifier.type == "PARTICLE_SYSTEM" else None
        if system is None or not modifier.show_render:
            continue
        if system.settings.type == "HAIR" and system.settings.render_type == "PATH":
            what = f"particle hair {system.name!r}"
            yield f"object {evaluated.name!r}: {what} cannot be rendered; convert it to a mesh"


def _unseen(owner: bpy.types.Object, shape: bpy.types.Object, layer: bpy.types.ViewLayer) -> str:
    if owner.is_shadow_catcher or shape.is_shadow_catcher:
        return SHADOW_CATCHER
    if owner.is_holdout or owner.holdout_get(view_layer=layer):
        return "holdout"
    if not (owner.visible_camera and shape.visible_camera) or owner.indirect_only_get(view_layer=layer):
        return "not visible to the camera"
    return ""


def _mesh_of(evaluated: bpy.types.Object, depsgraph) -> bpy.types.Mesh | None:
    if evaluated.type == "POINTCLOUD":
        cloud = bpy.data.meshes.new("points")
        cloud.vertices.add(len(evaluated.data.points))
        return cloud
    if evaluated.type != "MESH":
        return None
    if evaluated.original.evaluated_get(depsgraph).data == evaluated.data:
        mesh = bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True, depsgraph=depsgraph)
    else:  # geometry that no object has: new_from_object would give the instancer's own mesh
        mesh = evaluated.data.copy()
    _set_materials(
        mesh, [slot.material.original if slot.material else None for slot in evaluated.material_slots]
    )
    return mesh


def _set_materials(mesh: bpy.types.Mesh, materials: list[bpy.types.Material | None]) -> None:
    """Give a mesh the materials of its object's slots; faces keep their slots."""
    slots = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    mesh.materials.clear()  # moves every face to the first slot
    for material in materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", slots)


def apply_transform(mesh: bpy.types.Mesh, matrix: Matrix) -> None:
    """Transform a mesh's vertices; faces still face outwards and custom normals stay perpendicular."""
    linear = np.array(matrix.to_3x3())
    determinant = np.linalg.det(linear)
    gram = linear.T @ linear
    similar = determinant > 0 and np.allclose(gram, np.eye(3) * gram[0, 0], atol=1e-5 * gram.max())
    normals = None
    if mesh.has_custom_normals and not similar and determinant != 0:
        normals = _corner_vectors(mesh) @ np.linalg.inv(linear)
        normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        attribute = mesh.attributes.new("normal", "FLOAT_VECTOR", "CORNER")
        attribute.data.foreach_set("vector", normals.astype(np.float32).ravel())
        carrier = attribute.name  # the file may have an attribute of the other name
    mesh.transform(matrix)
    if determinant < 0:
        mesh.flip_normals()
    if normals is not None:
        _restore_normals(mesh, mesh.attributes[carrier])


def _corner_vectors(mesh: bpy.types.Mesh) -> np.ndarray:
    vectors = np.empty(len(mesh.loops) * 3, dtype=np.float32)
    mesh.corner_normals.foreach_get("vector", vectors)
    return vectors.reshape(-1, 3).astype(np.float64)


def _restore_normals(mesh: bpy.types.Mesh, attribute: bpy.types.Attribute) -> None:
    """Flipping reverses the corners of each face, so the normals travel as a corner attribute."""
    vectors = np.empty(len(mesh.loops) * 3, dtype=np.float32)
    attribute.data.foreach_get("vector", vectors)
    mesh.attributes.remove(attribute)
    mesh.normals_split_custom_set(vectors.reshape(-1, 3))
