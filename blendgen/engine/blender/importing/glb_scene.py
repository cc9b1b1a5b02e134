"""GLB scene: arrays of meshes and materials in, a GLB out. Does not load bpy.

Converters of other formats build one in the axes and the unit of their file; converted.py has these.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from blendgen.engine.blender.importing.coordinates.origin import shift_to_origin
from blendgen.engine.blender.importing.glb import Glb
from blendgen.files.image_size import header_fault, own_pixel_limit
from blendgen.files.photos import IMAGE_ERRORS
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded

_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
_FLOAT, _UINT32 = 5126, 5125
_AS_IT_IS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


def _empty() -> dict:
    return {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": []}]}


@dataclass(frozen=True)
class Converted:
    """glb: in the axes and the unit of the file; lost and notes as in Findings."""

    glb: Glb
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class GlbScene:
    """A growing GLB."""

    glb: Glb = field(default_factory=lambda: Glb(_empty()))
    _textures: dict[str, int] = field(default_factory=dict)
    # accessor of positions -> what was subtracted from them, to keep them near the origin of their mesh
    _centers: dict[int, np.ndarray] = field(default_factory=dict)

    def primitive(
        self, values: Mapping[str, np.ndarray], corners: Mapping[str, np.ndarray], material: int | None
    ) -> dict:
        """Triangles whose corners share a vertex where all their values are the same.

        values: attribute of glTF, such as POSITION -> (n, k) values; in double precision, the positions of
            all primitives of a mesh are the same array
        corners: the same attributes -> (triangles, 3) indices into its values
        """
        places = values["POSITION"]
        center = shift_to_origin(places) if places.dtype == np.float64 else np.zeros(3)
        values = {**values, "POSITION": places - center if center.any() else places}
        names = [name for name in values if name in corners]
        rows, indices = np.unique(
            np.stack([corners[name].ravel() for name in names], axis=1), axis=0, return_inverse=True
        )
        attributes = {
            name: self._accessor(values[name][rows[:, i]].astype(np.float32), _FLOAT)
            for i, name in enumerate(names)
        }
        self._centers[attributes["POSITION"]] = center
        entry = {"attributes": attributes, "indices": self._accessor(indices.astype(np.uint32), _UINT32)}
        return entry if material is None else entry | {"material": material}

    def _accessor(self, array: np.ndarray, component: int) -> int:
        flat = array.reshape(len(array), -1) if array.ndim > 1 else array.reshape(-1, 1)
        accessor = {"componentType": component, "count": len(flat), "type": _TYPES[flat.shape[1]]}
        if component == _FLOAT:
            accessor |= {"min": flat.min(axis=0).tolist(), "max": flat.max(axis=0).tolist()}
        return self.glb.add_accessor(flat.tobytes(), accessor)

    def place(self, mesh: int, name: str, matrix: np.ndarray) -> None:
        """A node with a (4, 4) transform to the scene."""
        first = self.glb.content["meshes"][mesh]["primitives"][0]
        center = self._centers[first["attributes"]["POSITION"]]
        if center.any():
            matrix = np.block([[matrix[:, :3], matrix @ np.array([*center, 1.0])[:, None]]])
        node = self.glb.add("nodes", {"mesh": mesh, "name": name, "matrix": matrix.T.ravel().tolist()})
        self.glb.content["scenes"][0]["nodes"].append(node)

    def texture(self, name: str, file: Path | None) -> int:
        """The texture of an image file; of its name alone if it is missing or may not be decoded.

        textures.py then says why it is not used.
        """
        key = str(file or name)
        if key not in self._textures:
            usable = file is not None and not header_fault(file)
            image = self._embedded(file) if usable and file else {"uri": Path(name.replace("\\", "/")).name}
            self._textures[key] = self.glb.add("textures", {"source": self.glb.add("images", image)})
        return self._textures[key]

    def _embedded(self, file: Path) -> dict:
        """Formats that glTF does not have become PNG; what cannot be decoded stays as it is."""
        kind = _AS_IT_IS.get(file.suffix.lower())
        data = read_bounded(file, MAX_MODEL_BYTES)
        if kind is None:
            with suppress(*IMAGE_ERRORS), own_pixel_limit(), Image.open(io.BytesIO(data)) as image:
                png = io.BytesIO()
                image.save(png, "PNG")
                data = png.getvalue()
        view = self.glb.add_view(data)
        return {"bufferView": view, "mimeType": kind or "image/png", "name": file.name}
