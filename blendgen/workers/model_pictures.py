"""Model pictures: every inspected model from the same angle in the same light, on one sheet.

In: an Inspection. Out: the sheet, as a Pillow image and perhaps a file. The place of a model that cannot be
rendered says why. A sheet that is stopped half-way shows the models that are finished.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image

from blendgen.dataset.failures import FailedImage
from blendgen.dataset.label_registry import LABEL_FILES
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store, read_record
from blendgen.draw.assignment import subject_variant
from blendgen.errors import Interrupted, UsageError
from blendgen.files.result_file import write_result
from blendgen.files.scratch import scratch_folder
from blendgen.geometry.projection import transform_points
from blendgen.models.class_table import build_class_table
from blendgen.models.inspection import Inspected, Inspection
from blendgen.models.inventory import Inventory
from blendgen.models.measuring.cache import cache_folder
from blendgen.models.product import AS_MODELLED, Catalog, Product
from blendgen.reports.contact_sheet import encoded_sheet
from blendgen.reports.model_sheet import Card, Color, legend, model_sheet, sheet_size, size_text, with_parts
from blendgen.scene.row import Row
from blendgen.spec.load import as_spec_file, resolved_yaml
from blendgen.spec.model import Spec
from blendgen.system.progress import Progress
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.generate import Run
from blendgen.workers.job import Job
from blendgen.workers.preview import refuse_output

# pixels on a side that an image of the format can have
# source: WEBP_MAX_DIMENSION of libwebp, JPEG_MAX_DIMENSION of libjpeg
_MOST_PX = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}
_SAMPLES = 12  # denoised
_PARTS = LABEL_FILES["parts"].name
_STUDIO: dict[str, Any] = {
    "blendgen": 1,
    "name": "models",
    "products": [{"catalog": "shapes"}],
    "placement": {"pose": "upright", "yaw_deg": 0, "offset": 0},
    "surface": {"kind": "paper", "wear": 0, "dust": 0},
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
class ModelSheet:
    """What is drawn, and the file that it is written to. parts: each part in a colour of its own"""

    inspection: Inspection
    output: Path | None = None
    parts: bool = False

    def __post_init__(self) -> None:
        if self.output is not None:
            refuse_output(self.output)

    def make(self, progress: Progress, early_worker: EarlyWorker) -> Image.Image:
        """The sheet, which is also written.

        raises: BlendgenError; Interrupted after a signal. `output` then has the models that are finished
        """
        if not self.inspection.models:
            return self._written({})
        inventory = _inventory(self.inspection.models)
        spec = self._spec()
        log = cache_folder() / "models.log"
        log.unlink(missing_ok=True)
        with scratch_folder("models") as scratch:
            folder = scratch / "pictures"
            job = Job(spec, inventory.catalog, inventory.class_table, folder, log)
            with Store(folder, dataset_record(spec, inventory), resolved_yaml(spec)) as store:
                images = range(len(self.inspection.models))
                run = Run(job, store, images, progress, None, early_worker, may_all_fail=True)
                try:
                    outcome = run.make_all()
                except Interrupted as error:
                    self._written(self._pictured(folder))
                    raise Interrupted(error.signum, f"stopped; {self.output} has what is finished") from None
            reasons = {
                _number(subject_variant(inventory.class_table, spec.seed, failure.shot_index).label): failure
                for failure in outcome.failures
            }
            return self._written(self._pictured(folder), reasons)

    def _spec(self) -> Spec:
        _, side = sheet_size(self._count)
        values = _STUDIO | {"resolution": [side, side], "output": {"parts": self.parts}}
        return as_spec_file(values).spec

    @property
    def _count(self) -> int:
        return len(self.inspection.models) + len(self.inspection.refusals)

    def _pictured(self, folder: Path) -> dict[int, _Picture]:
        """The pictures of a data set by the number of their model."""
        layout = Layout(folder)
        names = read_record(layout).get("parts", ())
        return {_number(row.label): _picture(layout, row, names) for row in read_rows(layout.manifest)}

    def _written(
        self, pictures: Mapping[int, _Picture], failures: Mapping[int, FailedImage] = MappingProxyType({})
    ) -> Image.Image:
        names = Counter(model.product.name for model in self.inspection.models)
        sheet = model_sheet(
            [
                *(
                    _card(model, names[model.product.name] > 1, pictures.get(number), failures.get(number))
                    for number, model in enumerate(self.inspection.models)
                ),
                *(
                    Card(Path(refusal.source).name, "cannot be used", (refusal.reason,))
                    for refusal in self.inspection.refusals
                ),
            ]
        )
        if self.output is not None:
            _refuse_size(sheet, self.output)
            write_result(self.output, encoded_sheet(sheet, self.output.suffix))
        return sheet


@dataclass(frozen=True)
class _Picture:
    """A rendered model. px_per_m: at its middle; colors: by the names of its parts, if they are coloured"""

    image: Image.Image
    px_per_m: float
    colors: Mapping[str, Color]


def _inventory(models: Sequence[Inspected]) -> Inventory:
    """Each model as a class of its own, as modelled, or in its first colourway."""
    products = tuple(_single(model.product, f"m{number:06d}") for number, model in enumerate(models))
    return Inventory(Catalog(products), build_class_table(("model", product) for product in products))


def _single(product: Product, name: str) -> Product:
    colorways = [one for one in product.colorways if one.name == AS_MODELLED] or product.colorways
    return replace(product, name=name, colorways=tuple(colorways[:1]))


def _number(label: str) -> int:
    return int(label[1:])


def _picture(layout: Layout, row: Row, names: Sequence[str]) -> _Picture:
    image = _opened(layout, row.image.name)
    colors: dict[str, Color] = {}
    if _PARTS in row.files:
        parts = np.asarray(_opened(layout, row.files[_PARTS].name))
        image, colors = with_parts(image, parts, names)
    middle = np.array(row.objects.object_to_world[0])[:3, 3] + [0, 0, row.objects.size_m[0][2] / 2]
    depth_m = transform_points(row.camera.world_to_camera, [middle])[0][2]
    return _Picture(image, row.camera.intrinsics[0][0] / depth_m, colors)


def _opened(layout: Layout, name: str) -> Image.Image:
    with Image.open(layout.root / name) as image:
        image.load()
        return image


def _card(model: Inspected, shares_name: bool, picture: _Picture | None, failure: FailedImage | None) -> Card:
    """shares_name: another model has its name, so that its file tells them apart"""
    product, file = model.product, model.source.file or model.source.display
    name = file if shares_name else product.name
    facts = f"{size_text(product.size_m)}, {product.measured.triangles:,} triangles"
    if picture is None:
        why = "stopped before it" if failure is None else f"cannot be rendered: {failure.message}"
        return Card(name, facts, (why, *model.warnings))
    parts = legend(picture.colors)
    return Card(name, facts, model.warnings, picture.image, picture.px_per_m, parts)


def _refuse_size(sheet: Image.Image, output: Path) -> None:
    most = _MOST_PX.get(output.suffix.lower(), sheet.height)
    if sheet.height > most:
        raise UsageError(
            f"{output}: the sheet is {sheet.height} pixels high, and this format has at most {most}; "
            "write a .png"
        )
