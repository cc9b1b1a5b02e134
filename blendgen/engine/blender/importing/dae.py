"""DAE: a COLLADA file in, a GLB out. Does not load bpy.

pycollada reads the XML. Skinned meshes are taken as they were modelled. A Phong exponent becomes a roughness;
images of colour are used, other images are reported as lost.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.engine.blender.importing.glb_scene import Converted, GlbScene
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.files.decimals import decimal
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded
from blendgen.models.companions import Companions
from blendgen.models.lookup import Lookup

_ROUGHNESS = 0.5
_OTHER_IMAGES = ("emission", "specular", "transparent", "bumpmap")
_NO_LOOK = re.compile("light|camera|animation|ambient", re.I)
_DAMAGED = (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError)


class _Reader:
    """One file, while it is read."""

    def __init__(self, companions: Companions):
        self.scene = GlbScene()
        self.lost: list[str] = []
        self._lookup = Lookup(companions)
        self._materials: dict[str, int] = {}
        self._meshes: dict[tuple, int | None] = {}

    def add(self, name: str, bound: Any) -> None:
        """A geometry at its place; instances of one geometry share a mesh. name: of its node"""
        targets = {symbol: node.target for symbol, node in bound.materialnodebysymbol.items()}
        key = (bound.original.id, *sorted((symbol, str(t and t.id)) for symbol, t in targets.items()))
        shape_name = bound.original.name or bound.original.id
        if key not in self._meshes:
            self._meshes[key] = self._mesh(bound.original, targets, shape_name)
        mesh = self._meshes[key]
        if mesh is not None:
            self.scene.place(mesh, name or shape_name, np.asarray(bound.matrix, float))

    def _mesh(self, geometry: Any, targets: dict, name: str) -> int | None:
        primitives = [
            one for part in geometry.primitives if (one := self._primitive(part, targets)) is not None
        ]
        return self.scene.glb.add("meshes", {"name": name, "primitives": primitives}) if primitives else None

    def _primitive(self, part: Any, targets: dict) -> dict | None:
        from collada.triangleset import TriangleSet

        triangles = part.triangleset() if hasattr(part, "triangleset") else part
        if not isinstance(triangles, TriangleSet) or not len(triangles):  # lines
            return None
        values = {"POSITION": triangles.vertex}
        corners = {"POSITION": triangles.vertex_index}
        if triangles.normal is not None:
            values["NORMAL"], corners["NORMAL"] = _unit_length(triangles.normal), triangles.normal_index
        if triangles.texcoordset:
            flipped = triangles.texcoordset[0][:, :2] * [1, -1] + [0, 1]
            values["TEXCOORD_0"], corners["TEXCOORD_0"] = flipped, triangles.texcoord_indexset[0]
        target = targets.get(part.material)
        if target is None:
            self._add_colors(triangles, values, corners)
        return self.scene.primitive(values, corners, None if target is None else self._material(target))

    @staticmethod
    def _add_colors(triangles: Any, values: dict, corners: dict) -> None:
        for offset, _, _, _, source in triangles.sources.get("COLOR", ())[:1]:
            values["COLOR_0"], corners["COLOR_0"] = source.data, triangles.index[:, :, offset]

    def _material(self, target: Any) -> int:
        if target.id not in self._materials:
            name = target.name or target.id
            entry = self._look(target.effect, name) if target.effect else {}
            self._materials[target.id] = self.scene.glb.add("materials", {"name": name, **entry})
        return self._materials[target.id]

    def _look(self, effect: Any, name: str) -> dict:
        pbr: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": _roughness(effect.shininess)}
        entry: dict[str, Any] = {"pbrMetallicRoughness": pbr, "doubleSided": True}
        alpha = _alpha(effect)
        if _image(effect.diffuse):
            pbr["baseColorTexture"] = {"index": self._texture(_image(effect.diffuse))}
            pbr["baseColorFactor"] = [1.0, 1.0, 1.0, alpha]
        elif effect.diffuse is not None:
            pbr["baseColorFactor"] = [*np.clip(effect.diffuse[:3], 0, 1).tolist(), alpha]
        cut_out = _image(effect.transparent) and _image(effect.transparent) == _image(effect.diffuse)
        if alpha < 1 or cut_out:
            entry["alphaMode"] = "BLEND"
        if isinstance(effect.emission, tuple):
            entry["emissiveFactor"] = np.clip(effect.emission[:3], 0, 1).tolist()
        for key in _OTHER_IMAGES:
            if (image := _image(getattr(effect, key))) and not (key == "transparent" and cut_out):
                self.lost.append(
                    f"material {name!r}: image {image!r} of {key}, which is not read from COLLADA"
                )
        return entry

    def _texture(self, name: str) -> int:
        return self.scene.texture(name, self._lookup.texture(name).file)


def dae_mesh(companions: Companions) -> Converted:
    """The triangles of a COLLADA file; raises ImportRefused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycollada uses what NumPy deprecates
        return _converted(companions)


def _converted(companions: Companions) -> Converted:
    data = read_bounded(companions.model, MAX_MODEL_BYTES)
    document = _document(data)
    reader = _Reader(companions)
    try:
        for name, bound in _geometries(document):
            reader.add(name, bound)
    except _DAMAGED as error:
        raise ImportRefused("its COLLADA structure is damaged; export it again") from error
    broken = [str(error).splitlines()[0] for error in document.errors if not _NO_LOOK.search(str(error))]
    if "nodes" not in reader.scene.glb.content:
        raise ImportRefused(f"no geometry: its scene has no triangles{f' ({broken[0]})' if broken else ''}")
    lost = [*reader.lost, *(f"an element that cannot be read: {message}" for message in broken)]
    unit = _stated_unit(data.replace(b"\0", b""))
    notes = () if _metres(unit) else (f"its unit is {unit!r} metres, which is not a length: taken as metres",)
    return Converted(reader.scene.glb, tuple(lost), notes)


def dae_frame(path: Path) -> tuple[str, float]:
    """(up axis, metres per unit) of a COLLADA file."""
    data = path.read_bytes().replace(b"\0", b"")  # of UTF-16
    up = re.search(rb"<(?:\w+:)?up_axis>\s*([XYZ])_UP", data)
    return up[1].decode().lower() if up else "y", _metres(_stated_unit(data)) or 1.0


def _stated_unit(data: bytes) -> str:
    """The metres of its unit as text; "1" if a COLLADA file does not state it."""
    unit = re.search(rb"<(?:\w+:)?unit\b[^>]*\bmeter\s*=\s*[\"']([^\"']*)", data)
    return unit[1].decode("utf-8", "replace").strip() if unit else "1"


def _metres(text: str) -> float | None:
    """A length, which some programs write with a decimal comma; None if it is not one."""
    try:
        metres = decimal(text.replace(",", "."))
    except ValueError:
        return None
    return metres if 0 < metres < math.inf else None


def _document(data: bytes) -> Any:
    try:
        import collada
    except ImportError as error:
        raise ImportRefused("COLLADA files need the extra: pip install 'blendgen[cad]'") from error
    if b"<!ENTITY" in data.replace(b"\0", b""):
        raise ImportRefused("it declares XML entities, which are not read")
    try:
        return collada.Collada(io.BytesIO(data), ignore=[collada.DaeError])
    except (collada.DaeError, *_DAMAGED, SyntaxError) as error:
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ImportRefused(f"not a COLLADA file that can be read: {message[:150]}") from error


def _geometries(document: Any) -> Iterator[tuple[str, Any]]:
    """Every geometry at its place, with the name of its node."""
    nodes = [] if document.scene is None else document.scene.nodes
    yield from _placed(nodes, "geometry")
    for name, controller in _placed(nodes, "controller"):
        if hasattr(controller, "geometry"):
            yield name, controller.geometry


def _placed(nodes: Any, kind: str, name: str = "", matrix: Any = None) -> Iterator[tuple[str, Any]]:
    """As Scene.objects of pycollada, which does not know the nodes."""
    for node in nodes:
        if hasattr(node, "children"):
            definition = getattr(node, "node", node)  # of an instance of a node
            own_name = definition.xmlnode.get("name") or definition.id or name
            own = node.matrix if matrix is None else np.dot(matrix, node.matrix)
            yield from _placed(node.children, kind, own_name, own)
        else:
            yield from ((name, bound) for bound in node.objects(kind, matrix))


def _unit_length(normals: np.ndarray) -> np.ndarray:
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _image(value: Any) -> str:
    """The name of the image of a property; "" if it is a colour or a number."""
    sampler = getattr(value, "sampler", None)
    return sampler.surface.image.path if sampler is not None else ""


def _roughness(shininess: Any) -> float:
    """Of a Phong exponent; exporters also write shares of 1, of which nobody knows the scale."""
    if not isinstance(shininess, int | float) or not math.isfinite(shininess) or shininess <= 1:
        return _ROUGHNESS
    return math.sqrt(2 / (2 + shininess))


def _alpha(effect: Any) -> float:
    """Opacity. Exporters disagree on what 0 means, and nobody models what cannot be seen: it is opaque."""
    share = effect.transparency if isinstance(effect.transparency, int | float) else 1.0
    color = effect.transparent if isinstance(effect.transparent, tuple) else (1.0, 1.0, 1.0, 1.0)
    if effect.opaque_mode == "RGB_ZERO":
        alpha = 1 - share * float(np.dot(color[:3], (0.2126, 0.7152, 0.0722)))
    else:
        alpha = share * float(color[3])
    return alpha if 0 < alpha < 1 else 1.0
