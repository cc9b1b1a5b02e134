"""PLY looks: textures and colours of PLY files; of these, Blender's importer reads most colours of vertices.

A texture is named by a comment of the header, or has the name of the model, as in data sets in BOP format.
Its coordinates are those of vertices, under one of several names, or of the corners of faces.
"""

from __future__ import annotations

import itertools
from pathlib import Path, PurePosixPath

import bpy
import numpy as np

from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.ply_faces import FaceValues, read_faces
from blendgen.engine.blender.importing.ply_header import CORNERS, PlyHeader, read_header
from blendgen.engine.blender.importing.vertex_colors import add_colors, scale_colors
from blendgen.engine.blender.shading.nodes import add_node, new_material
from blendgen.files.names import some_of
from blendgen.geometry.color import PLAIN_GREY_LINEAR
from blendgen.models.companions import Companions
from blendgen.models.lookup import Lookup

_MAX_HEADER_BYTES = 2**20
_UV_NAMES = [("u", "v")] + [
    (f"{name}_{a}", f"{name}_{b}") for name in ("texture", "texcoord", "tex") for a, b in ("uv", "st", "xy")
]
_COLOR_NAMES = [("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b")]
_FACE_UV, _FACE_TEXTURE = "texcoord", "texnumber"
_LARGEST = {"u1": 255.0, "u2": 65_535.0}  # value of a colour
# what Blender takes for white
_WHITE = {kind: float(np.iinfo(kind).max) for kind in ("i1", "u1", "i2", "u2", "i4", "u4")}


def complete_ply(
    file: Path, companions: Companions, objects: list[bpy.types.Object], findings: Findings
) -> None:
    """Give the mesh of a PLY file or its copy its textures and colours, and report those that are lost."""
    with file.open("rb") as opened:
        header = read_header(opened.read(_MAX_HEADER_BYTES))
    for mesh in [owner.data for owner in objects if owner.type == "MESH"]:
        faces = _fitting_faces(mesh, file, header, findings)
        uvs = _uvs(mesh, faces)
        if header.textures and uvs is None:
            findings.lost.append(f"texture {some_of(header.textures)}: the file has no texture coordinates")
        textures = [] if uvs is None else header.textures or _of_same_name(companions, findings)
        if uvs is not None and textures:
            layer = mesh.uv_layers[0] if mesh.uv_layers else mesh.uv_layers.new(name="UVMap")
            layer.data.foreach_set("uv", uvs.astype(np.float32).ravel())
            _add_textures(mesh, textures, faces, findings)
        elif mesh.color_attributes:
            scale_colors(mesh, _WHITE.get(_kind("vertex", "red", header), 1.0))
        else:
            _add_colors(mesh, faces, header)


def _fitting_faces(
    mesh: bpy.types.Mesh, file: Path, header: PlyHeader, findings: Findings
) -> dict[str, np.ndarray]:
    """Values of the faces by property, if they have textures or colours: one row for each face of the mesh.

    Of a list of texture coordinates it is one row for each corner.
    """
    elements = [element for element in header.elements if element.name == "face"]
    names = {name for element in elements for name, _, _ in element.properties}
    wanted = names & {_FACE_UV, _FACE_TEXTURE, *(name for triple in _COLOR_NAMES for name in triple)}
    if not wanted:
        return {}
    try:
        faces = read_faces(file, header)
        corners = next(faces.values[name] for name in CORNERS if name in names)
    except (ValueError, StopIteration):
        faces = None
    if faces is None or not np.array_equal(corners, _values(mesh.loops, "vertex_index")):
        findings.lost.append(f"{some_of(sorted(wanted))} of its faces: the faces are damaged")
        return {}
    return _by_row(faces, wanted, _values(mesh.polygons, "loop_total"), findings)


def _by_row(
    faces: FaceValues, wanted: set[str], sizes: np.ndarray, findings: Findings
) -> dict[str, np.ndarray]:
    rows = {name: faces.values[name] for name in wanted if name not in faces.lengths}
    if _FACE_UV in faces.lengths:
        if np.array_equal(faces.lengths[_FACE_UV], 2 * sizes):
            rows[_FACE_UV] = faces.values[_FACE_UV].reshape(-1, 2)
        else:
            findings.lost.append("texcoord of its faces: not two numbers for each corner")
    return rows


def _values(
    items: bpy.types.bpy_prop_collection, name: str, kind: type = np.int32, length: int = 1
) -> np.ndarray:
    values: np.ndarray = np.empty(len(items) * length, dtype=kind)
    items.foreach_get(name, values)
    return values if length == 1 else values.reshape(-1, length)


def _uvs(mesh: bpy.types.Mesh, faces: dict[str, np.ndarray]) -> np.ndarray | None:
    """(n, 2) texture coordinates of all corners, from those of faces or else of vertices, or None."""
    names = next((pair for pair in _UV_NAMES if all(name in mesh.attributes for name in pair)), None)
    if _FACE_UV in faces:
        return faces[_FACE_UV]
    if mesh.uv_layers:  # Blender has read those named s and t
        return _values(mesh.uv_layers[0].data, "uv", np.float32, 2)
    if names is None:
        return None
    uvs = np.stack([_values(mesh.attributes[name].data, "value", np.float32) for name in names], axis=1)
    return uvs[_values(mesh.loops, "vertex_index")]


def _of_same_name(companions: Companions, findings: Findings) -> list[str]:
    file = Lookup(companions).texture(f"{companions.model.stem}.png").file
    if file is None:
        return []
    findings.notes.append(f"texture {file.name!r} is used: it has the name of the model")
    return [str(file)]


def _add_textures(
    mesh: bpy.types.Mesh, textures: list[str], faces: dict[str, np.ndarray], findings: Findings
) -> None:
    mesh.materials.clear()
    for name in textures:
        mesh.materials.append(_textured(name))
    if len(textures) == 1:
        return
    if _FACE_TEXTURE in faces:
        numbers = np.clip(faces[_FACE_TEXTURE], 0, len(textures) - 1).astype(np.int32)
        mesh.polygons.foreach_set("material_index", numbers)
    else:
        findings.lost.append(f"texture {some_of(textures[1:])}: no face has a texnumber")


def _textured(name: str) -> bpy.types.Material:
    stem = PurePosixPath(name.replace("\\", "/")).stem.encode("utf-8", "replace").decode()
    material, tree, _ = new_material(stem, Base_Color=PLAIN_GREY_LINEAR, Roughness=0.5)
    image = bpy.data.images.new(stem, 1, 1)
    image.source, image.filepath = "FILE", name
    principled = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    node = add_node(tree, "ShaderNodeTexImage", image=image)
    tree.links.new(node.outputs["Color"], principled.inputs["Base Color"])
    return material


def _kind(element: str, name: str, header: PlyHeader) -> str:
    """NumPy's kind of a property; "" if there is none."""
    properties = [one for e in header.elements if e.name == element for one in e.properties]
    return next((kind for other, kind, _ in properties if other == name), "")


def _add_colors(mesh: bpy.types.Mesh, faces: dict[str, np.ndarray], header: PlyHeader) -> None:
    """Colours of vertices under names that Blender does not know, or else of faces."""
    for element, names in itertools.product(("vertex", "face"), _COLOR_NAMES):
        largest = _LARGEST.get(_kind(element, names[0], header))
        if element == "vertex" and all(name in mesh.attributes for name in names):
            columns = [_values(mesh.attributes[name].data, "value", np.float32) for name in names]
            return add_colors(mesh, "POINT", np.stack(columns, axis=1), largest)
        if element == "face" and all(name in faces for name in names):
            values = np.stack([faces[name] for name in names], axis=1)
            sizes = _values(mesh.polygons, "loop_total")
            return add_colors(mesh, "CORNER", np.repeat(values, sizes, axis=0), largest)
    return None
