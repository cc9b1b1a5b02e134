"""3MF: a file of the 3D printing format in, a GLB out. Does not load bpy.

Objects, their components and the items to build; colours of base materials and colour groups. Textures and
other properties are reported as lost, supports are left out. Z is up; the file states the unit.
source: 3MF Consortium, 3MF Core Specification 1.3 and Materials and Properties Extension 1.2
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from blendgen.engine.blender.importing.glb_scene import Converted, GlbScene
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.files.decimals import decimals, whole_numbers
from blendgen.geometry.color import PLAIN_GREY_LINEAR, hex_to_linear

_UNITS = {
    "micron": 1e-6,
    "millimeter": 1e-3,
    "centimeter": 0.01,
    "inch": 0.0254,
    "foot": 0.3048,
    "meter": 1.0,
}
_MAX_XML_BYTES = 2**30
_MAX_DEPTH = 64
_MAX_PLACED = 100_000
_MODEL = re.compile(r"3D/[^/]*\.model", re.I)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?")
_ROUGHNESS = 0.5
# a material: its name and its sRGB colour, with or without alpha
_Look = tuple[str, str]
_Key = tuple[str, str]  # the part of the file, and the id in it


@dataclass
class _Object:
    """corners: (triangles, 3); looks: of each triangle; components: (object, its transform)."""

    name: str
    vertices: np.ndarray
    corners: np.ndarray
    looks: list[_Look | None]
    components: list[tuple[_Key, np.ndarray]]


@dataclass
class _Package:
    """The parts of one file that matter."""

    objects: dict[_Key, _Object] = field(default_factory=dict)
    items: list[tuple[_Key, np.ndarray]] = field(default_factory=list)
    lost: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    supports: int = 0


def three_mf_mesh(path: Path) -> Converted:
    """The triangles of a 3MF file; raises ImportRefused."""
    try:
        with zipfile.ZipFile(path) as archive:
            package = _read(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise ImportRefused(f"its ZIP archive is damaged ({error})") from error
    except ElementTree.ParseError as error:
        raise ImportRefused(f"its XML is damaged ({error})") from error
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ImportRefused("its 3MF structure is damaged; export it again") from error
    scene = _scene(package)
    if "nodes" not in scene.glb.content:
        raise ImportRefused("no geometry: nothing with triangles is built")
    if package.supports:
        package.notes.append(f"left out: {package.supports} supports of a print")
    return Converted(scene.glb, tuple(package.lost), tuple(package.notes))


def three_mf_metres_per_unit(path: Path) -> float:
    with zipfile.ZipFile(path) as archive:
        data = _xml(archive, _main_part(archive))
    _, root = next(iter(ElementTree.iterparse(io.BytesIO(data), ("start",))))
    return _UNITS.get(_unit(root), 1e-3)


def _unit(root: ElementTree.Element) -> str:
    return root.get("unit", "millimeter").strip().lower()


def _main_part(archive: zipfile.ZipFile) -> str:
    """The part that the package's relationships name as the model."""
    names = {name.lstrip("/").casefold(): name for name in archive.namelist()}
    if "_rels/.rels" in names:
        for relation in ElementTree.fromstring(_xml(archive, names["_rels/.rels"])):
            target = relation.get("Target", "").lstrip("/").casefold()
            if relation.get("Type", "").endswith("/3dmodel") and target in names:
                return names[target]
    model = next((name for name in names.values() if _MODEL.fullmatch(name)), None)
    if model is None:
        raise ImportRefused("no model in its ZIP archive (3D/3dmodel.model)")
    return model


def _xml(archive: zipfile.ZipFile, name: str) -> bytes:
    """A part as XML; a ZIP bomb or a bomb of entities is refused."""
    if archive.getinfo(name).file_size > _MAX_XML_BYTES:
        raise ImportRefused(f"{name} is larger than 1 GiB without compression")
    data = archive.read(name)
    if b"<!ENTITY" in data.replace(b"\0", b""):
        raise ImportRefused("it declares XML entities, which are not read")
    return data


def _read(archive: zipfile.ZipFile) -> _Package:
    package, main = _Package(), _main_part(archive)
    names = {name.lstrip("/").casefold(): name for name in archive.namelist()}
    waiting, read = [main], {main}
    while waiting:
        part = waiting.pop()
        root = ElementTree.fromstring(_xml(archive, part))
        _read_part(package, root, part, names, is_main=part == main)
        named = {key[0] for one in package.objects.values() for key, _ in one.components}
        new = sorted({*named, *(key[0] for key, _ in package.items)} - read)
        waiting += new
        read.update(new)
    return package


def _read_part(
    package: _Package, root: ElementTree.Element, part: str, names: dict[str, str], is_main: bool
) -> None:
    looks: dict[str, list[_Look]] = {}
    for element in _below(root, "resources"):
        kind, number = _local(element), element.get("id", "")
        if kind == "basematerials":
            looks[number] = [(base.get("name", ""), base.get("displaycolor", "")) for base in element]
        elif kind == "colorgroup":
            looks[number] = [("", color.get("color", "")) for color in element]
        elif kind == "object" and element.get("type", "model") in ("support", "solidsupport"):
            package.supports += 1
        elif kind == "object":
            package.objects[part, number] = _object(package, element, part, names, looks)
    if is_main and _unit(root) not in _UNITS:
        package.notes.append(f"its unit {root.get('unit')!r} is not known: taken as millimetres")
    if is_main:
        package.items += [_reference(item, part, names) for item in _below(root, "build")]


def _object(
    package: _Package, element: ElementTree.Element, part: str, names: dict[str, str], looks: dict
) -> _Object:
    vertices = decimals(v.attrib[axis] for v in _below(element, "mesh", "vertices") for axis in "xyz")
    triangles = list(_below(element, "mesh", "triangles"))
    corners = whole_numbers(t.attrib[key] for t in triangles for key in ("v1", "v2", "v3"))
    if corners and not 0 <= min(corners) <= max(corners) < len(vertices) // 3:
        raise IndexError("a triangle without a vertex")
    name = element.get("name", "")
    used = [_look(package, triangle, element, looks, name or element.get("id", "")) for triangle in triangles]
    parts = [_reference(one, part, names) for one in _below(element, "components")]
    return _Object(
        name, np.array(vertices).reshape(-1, 3), np.array(corners, int).reshape(-1, 3), used, parts
    )


def _look(package: _Package, triangle, element, looks: dict, name: str) -> _Look | None:
    """The material of the first corner of a triangle, or else of its object."""
    group = triangle.get("pid", element.get("pid"))
    if any("paint_color" in key or "mmu_segmentation" in key for key in triangle.attrib):
        package.lost[f"object {name!r}: colours painted in a slicer, which are not read"] = None
    if group is None:
        return None
    if group not in looks:
        package.lost[f"object {name!r}: textures or mixed materials, which are not read from 3MF"] = None
        return None
    index = triangle.get("p1", element.get("pindex", "0"))
    first, *others = whole_numbers(triangle.get(key, index) for key in ("p1", "p2", "p3"))
    if min(first, *others) < 0:
        raise IndexError("a material with a negative number")
    if len({look for i in {first, *others} for look in looks[group][i : i + 1]}) > 1:
        package.lost[f"object {name!r}: colours that change within a triangle"] = None
    return looks[group][first]


def _reference(element: ElementTree.Element, part: str, names: dict[str, str]) -> tuple[_Key, np.ndarray]:
    """The object that a component or an item is, and its (4, 4) transform."""
    path = next((value for key, value in element.items() if _local_name(key) == "path"), None)
    place = part if path is None else names[posixpath.normpath(path).lstrip("/").casefold()]
    rows = decimals(element.get("transform", "1 0 0 0 1 0 0 0 1 0 0 0").split())
    matrix = np.eye(4)
    matrix[:3] = np.array(rows).reshape(4, 3).T
    return (place, element.get("objectid", "")), matrix


def _scene(package: _Package) -> GlbScene:
    scene, meshes = GlbScene(), {}
    materials: dict[_Look, int] = {}
    waiting: list[tuple[_Key, np.ndarray, tuple[_Key, ...]]]
    waiting = [(key, matrix, ()) for key, matrix in reversed(package.items)]
    placed = 0
    while waiting:
        key, matrix, above = waiting.pop()
        placed += 1
        _refuse_endless(key, above, placed)
        one = package.objects.get(key)
        if one is None:  # a support
            continue
        if len(one.corners):
            if key not in meshes:
                meshes[key] = scene.glb.add("meshes", _mesh(scene, one, materials))
            scene.place(meshes[key], one.name, matrix)
        waiting += [(inner, matrix @ own, (*above, key)) for inner, own in reversed(one.components)]
    return scene


def _refuse_endless(key: _Key, above: tuple[_Key, ...], placed: int) -> None:
    """above: the objects around a component; placed: how many there are by now"""
    if key in above:
        raise ImportRefused(f"its object {key[1]!r} contains itself")
    if len(above) > _MAX_DEPTH:
        raise ImportRefused(
            f"its components are nested more than {_MAX_DEPTH} levels deep; join them and export it again"
        )
    if placed > _MAX_PLACED:
        raise ImportRefused(f"it has more than {_MAX_PLACED:,} components; join them and export it again")


def _mesh(scene: GlbScene, one: _Object, materials: dict[_Look, int]) -> dict:
    groups: dict[_Look | None, list[int]] = {}
    for number, look in enumerate(one.looks):
        groups.setdefault(_named(look, one.name), []).append(number)
    primitives = []
    for look, triangles in groups.items():
        if look is not None and look not in materials:
            materials[look] = scene.glb.add("materials", _material(*look))
        material = None if look is None else materials[look]
        corners = {"POSITION": one.corners[triangles]}
        primitives.append(scene.primitive({"POSITION": one.vertices}, corners, material))
    return {"name": one.name, "primitives": primitives}


def _named(look: _Look | None, name: str) -> _Look | None:
    """A colour group has no names: the part is then named after its object."""
    if look is None:
        return (name, "") if name else None
    return (look[0] or name or "part", look[1])


def _material(name: str, color: str) -> dict:
    pbr: dict = {
        "metallicFactor": 0.0,
        "roughnessFactor": _ROUGHNESS,
        "baseColorFactor": [*PLAIN_GREY_LINEAR, 1.0],
    }
    entry = {"name": name, "pbrMetallicRoughness": pbr}
    if _COLOR.fullmatch(color):
        alpha = int(color[7:9], 16) / 255 if color[7:9] else 1.0
        pbr["baseColorFactor"] = [*hex_to_linear(color[:7]), alpha]
        if alpha < 1:
            entry["alphaMode"] = "BLEND"
    return entry


def _below(element: ElementTree.Element, *path: str) -> Iterator[ElementTree.Element]:
    """The elements below a path of children, in any namespace."""
    if not path:
        yield from element
        return
    for child in element:
        if _local(child) == path[0]:
            yield from _below(child, *path[1:])


def _local(element: ElementTree.Element) -> str:
    return _local_name(element.tag) if isinstance(element.tag, str) else ""


def _local_name(name: str) -> str:
    return name.rpartition("}")[2]
