"""Model studio: the scene in which every model is pictured, and what decides how a picture of it looks.

In: products, and the side of the pictures. Out: the Spec and the Inventory of a data set with one image of
each, and the key of each picture in the cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from blendgen.models.class_table import build_class_table
from blendgen.models.inventory import Inventory
from blendgen.models.measuring.pictures import picture_key
from blendgen.models.product import AS_MODELLED, Catalog, Product
from blendgen.spec.load import as_spec_file
from blendgen.spec.model import Spec
from blendgen.system.code_digest import code_digest

_SAMPLES = 8  # denoised
# what renders, and what is then drawn: a change to it makes new pictures
_DRAWN_BY = ("blendgen.engine.blender.session.engine", "blendgen.pipeline", "blendgen.reports.drawn_shadow")
_STUDIO: dict[str, Any] = {
    "blendgen": 1,
    "name": "models",
    "products": [{"catalog": "shapes"}],
    "placement": {"pose": "upright", "yaw_deg": 0, "offset": 0},
    "surface": {"kind": "none"},  # a rendered one would take most of the time, and its edge would show
    "camera": {
        "frame_fill": 0.7,
        "subject_offset": [0, 0],
        "elevation_deg": 25,
        "azimuth_deg": 300,
        "roll_deg": 0,
        "focal_length_mm": 85,
    },
    "lighting": {
        "environment": {"image": "dome", "rotation_deg": 0},
        "lamps": {"count": 1, "kind": "sun", "elevation_deg": 50, "azimuth_deg": 250, "sun_angle_deg": 12},
    },
    "exposure": {
        "environment_ev": -0.5,
        "lamp_ev": -0.5,
        "environment_temperature_k": 6500,
        "lamp_temperature_k": 6500,
        "camera_ev": 0,
        "white_balance": 1,
        "gain_db": 0,
        "time_s": 0.01,
    },
    "sensor": "ideal",
    "render": {"preset": "draft", "samples_per_pixel": _SAMPLES, "denoise": True},
}


@dataclass(frozen=True)
class Studio:
    """side: of a picture, pixels; parts: its parts are coloured"""

    side: int
    parts: bool

    @cached_property
    def spec(self) -> Spec:
        values = _STUDIO | {"resolution": [self.side, self.side], "output": {"parts": self.parts}}
        return as_spec_file(values).spec

    def picture_key(self, product: Product) -> str:
        """The same for models whose pictures are equal."""
        return picture_key([self._shared, _look(product, self.parts)])

    @cached_property
    def _shared(self) -> list[Any]:
        return [self.spec.model_dump(mode="json"), [code_digest(module) for module in _DRAWN_BY]]


def _look(product: Product, parts: bool) -> list[Any]:
    """What decides the picture of a model, as plain values."""
    own = _single(product, "")
    names = [own.part_name(slot) for slot in range(len(own.parts))] if parts else []
    asset = [own.content_hash, own.asset_path.parent.parent.name, own.asset_path.parent.name]
    return [asset, [asdict(colorway) for colorway in own.colorways], own.measured.size_m, names]


def inventory_of(products: Iterable[Product]) -> Inventory:
    """Each model as a class of its own, as modelled, or in its first colourway."""
    singles = tuple(_single(product, f"m{number:06d}") for number, product in enumerate(products))
    return Inventory(Catalog(singles), build_class_table(("model", product) for product in singles))


def _single(product: Product, name: str) -> Product:
    colorways = [one for one in product.colorways if one.name == AS_MODELLED] or product.colorways
    return replace(product, name=name, colorways=tuple(colorways[:1]))
