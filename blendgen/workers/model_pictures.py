"""Model pictures: every inspected model from the same angle in the same light, on one sheet.

In: an Inspection. Out: the sheet, as a Pillow image and perhaps a file. The place of a model that cannot be
rendered says why. A sheet that is stopped half-way shows the models that are finished. What was rendered once
is in a cache: the next sheet needs Blender for new models alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

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
from blendgen.models.inspection import Inspected, Inspection
from blendgen.models.inventory import Inventory
from blendgen.models.measuring.cache import cache_folder
from blendgen.models.measuring.pictures import PictureCache
from blendgen.models.product import Product
from blendgen.reports.alike import alike
from blendgen.reports.contact_sheet import encoded_sheet
from blendgen.reports.drawn_shadow import with_shadow
from blendgen.reports.model_sheet import Card, Color, legend, model_sheet, sheet_size, size_text, with_parts
from blendgen.scene.row import Row
from blendgen.spec.load import resolved_yaml
from blendgen.spec.model import Spec
from blendgen.system.progress import Progress
from blendgen.workers.generate import Outcome, Run
from blendgen.workers.job import Job
from blendgen.workers.model_studio import Studio, inventory_of
from blendgen.workers.preview import refuse_output

# pixels on a side that an image of the format can have
# source: WEBP_MAX_DIMENSION of libwebp, JPEG_MAX_DIMENSION of libjpeg
_MOST_PX = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}
_PARTS, _MASK = LABEL_FILES["parts"].name, LABEL_FILES["mask"].name


@dataclass(frozen=True)
class ModelSheet:
    """What is drawn, and the file that it is written to. parts: each part in a colour of its own"""

    inspection: Inspection
    output: Path | None = None
    parts: bool = False

    def __post_init__(self) -> None:
        if self.output is not None:
            refuse_output(self.output)

    def make(self, progress: Progress) -> Image.Image:
        """The sheet, which is also written.

        raises: BlendgenError; Interrupted after a signal. `output` then has the models that are finished
        """
        cache = PictureCache()
        pictures = {key: picture for key in dict.fromkeys(self._keys) if (picture := _cached(cache, key))}
        missing = {
            key: model
            for key, model in zip(self._keys, self.inspection.models, strict=True)
            if key not in pictures
        }
        reasons: dict[str, str] = {}
        if missing:
            try:
                reasons = self._render(missing, pictures, cache, progress)
            except Interrupted as error:
                self._written(pictures, {})
                raise Interrupted(error.signum, f"stopped; {self.output} has what is finished") from None
        return self._written(pictures, reasons)

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        """Of the picture of each model: equal ones have the same."""
        studio = self._studio
        return tuple(studio.picture_key(model.product) for model in self.inspection.models)

    def _render(
        self,
        missing: Mapping[str, Inspected],
        pictures: dict[str, _Picture],
        cache: PictureCache,
        progress: Progress,
    ) -> dict[str, str]:
        """Add pictures as they are finished, also before an exception; returns why others cannot be made."""
        products, keys = [model.product for model in missing.values()], list(missing)
        spec, inventory, log = self._studio.spec, inventory_of(products), cache_folder() / "models.log"
        log.unlink(missing_ok=True)
        with scratch_folder("models") as scratch:
            job = Job(spec, inventory.catalog, inventory.class_table, scratch / "pictures", log)
            with Store(job.folder, dataset_record(spec, inventory), resolved_yaml(spec)) as store:
                run = Run(job, store, range(len(keys)), _OfModels(progress), None, may_all_fail=True)
                try:
                    outcome = run.make_all()
                finally:
                    for number, picture in _made(job.folder, products):
                        pictures[keys[number]] = picture
                        picture.store(cache, keys[number])
            return {keys[number]: reason for number, reason in _reasons(outcome, inventory, spec)}

    @cached_property
    def _studio(self) -> Studio:
        return Studio(sheet_size(self._count)[1], self.parts)

    @property
    def _count(self) -> int:
        return len(self.inspection.models) + len(self.inspection.refusals)

    def _written(self, pictures: Mapping[str, _Picture], reasons: Mapping[str, str]) -> Image.Image:
        models = self.inspection.models
        shown = [pictures.get(key) for key in self._keys]
        twins = alike(
            [None if one is None else one.image for one in shown], [model.product.size_m for model in models]
        )
        names = Counter(model.product.name for model in models)
        cards = []
        for number, (model, picture) in enumerate(zip(models, shown, strict=True)):
            more = _twin_warnings(model, models[twins[number]]) if number in twins else ()
            reason = reasons.get(self._keys[number])
            cards.append(_card(model, names[model.product.name] > 1, picture, reason, more))
        for refusal in self.inspection.refusals:
            cards.append(Card(Path(refusal.source).name, "cannot be used", (refusal.reason,)))
        sheet = model_sheet(cards)
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

    def store(self, cache: PictureCache, key: str) -> None:
        colors = [[name, list(color)] for name, color in self.colors.items()]
        cache.add(key, self.image, {"px_per_m": self.px_per_m, "colors": colors})


class _OfModels:
    """Progress that counts models, without remarks about a data set."""

    def __init__(self, progress: Progress):
        self._progress = progress
        self.advance = progress.advance

    def begin(self, total: int, unit: str = "image") -> None:
        self._progress.begin(total, "model")

    def note(self, text: str) -> None:
        pass


def _cached(cache: PictureCache, key: str) -> _Picture | None:
    stored = cache.find(key)
    try:
        image, known = stored or (None, {})
        colors = {str(name): (int(r), int(g), int(b)) for name, (r, g, b) in known["colors"]}
        return None if image is None else _Picture(image, float(known["px_per_m"]), colors)
    except (KeyError, TypeError, ValueError):  # damaged
        return None


def _number(label: str) -> int:
    return int(label[1:])


def _made(folder: Path, products: Sequence[Product]) -> Iterator[tuple[int, _Picture]]:
    """The pictures of a data set, each with the number of its model."""
    layout = Layout(folder)
    if not layout.manifest.exists():
        return
    names = read_record(layout).get("parts", ())
    for row in read_rows(layout.manifest):
        number = _number(row.label)
        yield number, _picture(layout, row, products[number], names)


def _reasons(outcome: Outcome, inventory: Inventory, spec: Spec) -> Iterator[tuple[int, str]]:
    """Why models could not be rendered, by their numbers."""
    for failure in outcome.failures:
        subject = subject_variant(inventory.class_table, spec.seed, failure.shot_index)
        yield _number(subject.label), failure.message


def _picture(layout: Layout, row: Row, product: Product, names: Sequence[str]) -> _Picture:
    to_world = np.array(row.objects.object_to_world[0])
    mask = np.asarray(_opened(layout, row.files[_MASK].name)) > 0
    image = with_shadow(
        _opened(layout, row.image.name),
        mask,
        transform_points(to_world, product.hull_m),
        np.array(row.shot.lamps[0].lamp_to_world)[:3, 2],
        row.camera.world_to_camera,
        row.camera.intrinsics,
    )
    colors: dict[str, Color] = {}
    if _PARTS in row.files:
        parts = np.asarray(_opened(layout, row.files[_PARTS].name))
        image, colors = with_parts(image, parts, names)
    middle = to_world[:3, 3] + [0, 0, row.objects.size_m[0][2] / 2]
    depth_m = transform_points(row.camera.world_to_camera, [middle])[0][2]
    return _Picture(image, row.camera.intrinsics[0][0] / depth_m, colors)


def _opened(layout: Layout, name: str) -> Image.Image:
    with Image.open(layout.root / name) as image:
        image.load()
        return image


def _twin_warnings(model: Inspected, twin: Inspected) -> tuple[str, ...]:
    """Of a model that looks like another one, unless they are of one class, or the same by their content."""
    is_known = model.label == twin.label or model.product.content_hash == twin.product.content_hash
    return () if is_known else (f"looks like {_file(twin)} from here: can a classifier tell them apart?",)


def _file(model: Inspected) -> str:
    return model.source.file or model.source.display


def _card(
    model: Inspected, shares_name: bool, picture: _Picture | None, reason: str | None, more: tuple[str, ...]
) -> Card:
    """shares_name: another model has its name, so that its file tells them apart; more: warnings"""
    product, file = model.product, _file(model)
    name = file if shares_name else product.name
    colors = "" if product.measured.soundness.has_colors else ", all grey"
    facts = f"{size_text(product.size_m)}, {product.measured.triangles:,} triangles{colors}"
    if picture is None:
        why = "stopped before it" if reason is None else f"cannot be rendered: {reason}"
        return Card(name, facts, (why, *model.warnings))
    parts = legend(picture.colors)
    return Card(name, facts, (*model.warnings, *more), picture.image, picture.px_per_m, parts)


def _refuse_size(sheet: Image.Image, output: Path) -> None:
    most = _MOST_PX.get(output.suffix.lower(), sheet.height)
    if sheet.height > most:
        raise UsageError(
            f"{output}: the sheet is {sheet.height} pixels high, and this format has at most {most}; "
            "write a .png"
        )
