"""Preview: a few small images of a spec on one labelled sheet, within seconds.

In: a checked spec and PreviewOptions. Out: the sheet, as a Pillow image and perhaps a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store
from blendgen.draw.attempts import failure_error
from blendgen.draw.shot import drawn_values
from blendgen.draw.sweep import Sweep
from blendgen.engine.blender.importing.inventory import measured_inventory
from blendgen.errors import InfeasibleShot, Interrupted, UsageError, did_you_mean
from blendgen.files.result_file import refuse_others_file, write_result
from blendgen.files.scratch import scratch_folder
from blendgen.models.inventory import Inventory
from blendgen.models.measuring.cache import cache_folder
from blendgen.report.contact_sheet import dataset_sheet, encoded_sheet
from blendgen.spec.load import SpecFile, resolved_yaml
from blendgen.spec.model import Spec
from blendgen.spec.renamed_keys import renamed_parameter
from blendgen.system.progress import Progress, ProgressLike, reported_to
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.generate import Run
from blendgen.workers.job import Job

_LONGER_SIDE_PX = 160
_SAMPLES = 8
_MAX_COLUMNS = 6
_FORMATS = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class PreviewOptions:
    """See api.preview; raises UsageError for numbers that are not possible."""

    images: int = 12
    boxes: bool = True
    vary: str | None = None
    ablate: str | None = None
    index: int = 0
    quick: bool = True
    strict: bool = False

    def __post_init__(self) -> None:
        if self.images < 1:
            raise UsageError(f"images: expected at least 1, got {self.images}")
        if self.index < 0:
            raise UsageError(f"index: expected 0 or more, got {self.index}")


def make_preview(
    spec_file: SpecFile,
    options: PreviewOptions,
    output: Path | None,
    progress: ProgressLike,
    early_worker: EarlyWorker,
) -> Image.Image:
    """The sheet, which is also written to `output`.

    raises: BlendgenError; UsageError and DatasetError for `output` before anything is rendered; Interrupted
    after a signal
    """
    if output is not None:
        _refuse(output)
    spec = _quick(spec_file.spec) if options.quick else spec_file.spec
    inventory = measured_inventory(spec_file, options.strict)
    sweep, captions = None, {}
    if options.vary or options.ablate:
        spec = spec.model_copy(update={"exposures_per_shot": 1})
        sweep = sweep_of(spec, inventory, options)
        captions = sweep_captions(spec, inventory, sweep)
    with reported_to(progress) as reporter:
        sheet = _rendered_sheet(spec, inventory, options, sweep, captions, reporter, early_worker)
    if output is not None:
        write_result(output, encoded_sheet(sheet, output.suffix))
    return sheet


def _refuse(output: Path) -> None:
    if output.suffix.lower() not in _FORMATS:
        raise UsageError(
            f"{output}: expected a file name that ends in {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"
        )
    refuse_others_file(output)


def _rendered_sheet(
    spec: Spec,
    inventory: Inventory,
    options: PreviewOptions,
    sweep: Sweep | None,
    captions: Mapping[int, str],
    progress: Progress,
    early_worker: EarlyWorker,
) -> Image.Image:
    record = dataset_record(spec, inventory)
    log = cache_folder() / "preview.log"
    log.unlink(missing_ok=True)
    with scratch_folder("preview") as scratch:
        folder = scratch / "preview"
        job = Job(spec, inventory.catalog, inventory.class_table, folder, log, sweep=sweep)
        with Store(folder, record, resolved_yaml(spec)) as store:
            try:
                images = range(options.images)
                outcome = Run(job, store, images, progress, early_worker=early_worker).make_all()
            except Interrupted as error:
                raise Interrupted(error.signum, "stopped; no sheet was made") from None
        if not outcome.record["images"]:
            first = outcome.failures[0]
            raise failure_error(first.reason, f"no image of the preview can be made: {first.message}")
        return dataset_sheet(
            folder, options.images, min(_MAX_COLUMNS, options.images), options.boxes, captions
        )


def sweep_of(spec: Spec, inventory: Inventory, options: PreviewOptions) -> Sweep:
    """What changes from image to image.

    raises: UsageError for a parameter that does not vary in this spec
    """
    target = options.vary or options.ablate
    if target is None or (options.vary and options.ablate):
        raise UsageError("--vary and --ablate exclude each other; give one of them")
    sampled = drawn_values(spec, inventory.catalog, inventory.class_table, options.index)
    sections = {name.rsplit(".", depth)[0] for name in sampled for depth in range(1, name.count(".") + 1)}
    known = {*sampled, *sections, "products"}
    if target not in known:
        raise UsageError(
            renamed_parameter(target)
            or f"{target!r} does not vary in this spec: it is constant or not a parameter"
            f"{did_you_mean(target, known)}"
        )
    return Sweep(target, bool(options.vary), options.index, options.images)


def sweep_captions(spec: Spec, inventory: Inventory, sweep: Sweep) -> dict[int, str]:
    """By the number of an image: the value of the swept parameter, where it has one."""
    name = sweep.target.rsplit(".", 1)[-1]
    values = (_swept_value(spec, inventory, sweep, index) for index in range(sweep.count))
    return {index: f"{name} {_rounded(value)}" for index, value in enumerate(values) if value is not None}


def _swept_value(spec: Spec, inventory: Inventory, sweep: Sweep, index: int) -> Any:
    """None for an image without this parameter, or one that cannot be made."""
    try:
        values = drawn_values(spec, inventory.catalog, inventory.class_table, index, sweep)
    except InfeasibleShot:
        return None
    return values.get(sweep.target)


def _rounded(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_rounded, value)) + ")"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _quick(spec: Spec) -> Spec:
    """The spec at a size and quality for a first look."""
    scale = min(1.0, _LONGER_SIDE_PX / max(spec.resolution))
    resolution = tuple(max(16, round(side * scale)) for side in spec.resolution)
    samples = min(_SAMPLES, spec.render.samples_per_pixel or _SAMPLES)
    render = spec.render.model_copy(update={"samples_per_pixel": samples})
    return spec.model_copy(update={"resolution": resolution, "render": render})
