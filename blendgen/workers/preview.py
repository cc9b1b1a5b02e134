"""Preview: a few small images of a spec on one labelled sheet, within seconds.

In: a checked spec and PreviewOptions. Out: the sheet, as a Pillow image and perhaps a file. The file also
shows the images of a preview that is stopped or fails half-way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store
from blendgen.draw.attempts import failure_error
from blendgen.draw.shot import drawn_values
from blendgen.draw.sweep import Sweep
from blendgen.engine.blender.importing.inventory import measured_inventory
from blendgen.errors import (
    BlendgenError,
    InfeasibleShot,
    Interrupted,
    UsageError,
    did_you_mean,
)
from blendgen.files.result_file import refuse_others_file
from blendgen.files.scratch import scratch_folder
from blendgen.models.inventory import Inventory
from blendgen.models.measuring.cache import cache_folder
from blendgen.reports.contact_sheet import SheetLayout
from blendgen.reports.overlays import Overlays
from blendgen.spec.load import SpecFile, resolved_yaml
from blendgen.spec.model import Spec
from blendgen.spec.renamed_keys import renamed_parameter
from blendgen.system.progress import Progress, ProgressLike, reported_to
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.generate import Outcome, Run
from blendgen.workers.job import Job
from blendgen.workers.preview_page import PreviewPage
from blendgen.workers.stop_signal import Superseded

_LONGER_SIDE_PX = 160
_SAMPLES, _SAMPLES_NOISY = 2, 8  # the second without the denoiser
_IMAGES, _IMAGES_OF_CLASS = 12, 4  # by default, the second with a grid
_MAX_COLUMNS, _MAX_COLUMNS_OF_GRID = 6, 12
_FORMATS = (".png", ".jpg", ".jpeg", ".webp")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreviewOptions:
    """See api.preview; raises UsageError for numbers that are not possible."""

    images: int | None = None
    boxes: bool = True
    masks: bool = False
    keypoints: bool = False
    visible_fraction: bool = False
    grid: bool = False
    vary: str | None = None
    ablate: str | None = None
    index: int = 0
    quick: bool = True
    strict: bool = False
    workers: int = 1

    def __post_init__(self) -> None:
        if self.images is not None and self.images < 1:
            raise UsageError(f"images: expected at least 1, got {self.images}")
        if self.index < 0:
            raise UsageError(f"index: expected 0 or more, got {self.index}")
        if self.grid and (self.vary or self.ablate):
            raise UsageError("a grid shows each class, --vary and --ablate one image; leave out one of them")

    @property
    def count(self) -> int:
        """The number of images; with a grid, of each class."""
        return self.images or (_IMAGES_OF_CLASS if self.grid else _IMAGES)

    @property
    def overlays(self) -> Overlays:
        return Overlays(self.boxes, self.masks, self.keypoints, self.visible_fraction)

    @property
    def columns(self) -> int:
        return min(_MAX_COLUMNS_OF_GRID if self.grid else _MAX_COLUMNS, self.count)

    def indices(self, inventory: Inventory, spec: Spec) -> range:
        """The images to make. Classes take turns, so that a grid shows the first images of each."""
        if not self.grid:
            return range(self.count)
        shots = self.count * len(inventory.class_table.classes)
        return range(0, shots * spec.exposures_per_shot, spec.exposures_per_shot)


def make_preview(
    spec_file: SpecFile,
    options: PreviewOptions,
    output: Path | None,
    progress: ProgressLike,
    early_worker: EarlyWorker,
) -> Image.Image:
    """The sheet, which is also written to `output`.

    raises: BlendgenError; UsageError and DatasetError for `output` before anything is rendered; Interrupted
    after a signal. `output` then holds the finished images, if there are any
    """
    with reported_to(progress) as reporter:
        return planned_preview(spec_file, options, output).make(reporter, early_worker)


@dataclass(frozen=True)
class PlannedPreview:
    """A preview whose models are measured; indices: of its images"""

    spec: Spec
    inventory: Inventory
    page: PreviewPage
    indices: range
    workers: int
    sweep: Sweep | None = None

    def make(
        self,
        progress: Progress,
        early_worker: EarlyWorker,
        make_all: Callable[[Run], Outcome] | None = None,
        films: Path | None = None,
    ) -> Image.Image:
        """The sheet, which is also written.

        make_all: makes the images of a run; films: as of Job
        """
        spec, inventory = self.spec, self.inventory
        record = dataset_record(spec, inventory)
        log = cache_folder() / "preview.log"
        log.unlink(missing_ok=True)
        with scratch_folder("preview") as scratch:
            folder = scratch / "preview"
            job = Job(
                spec, inventory.catalog, inventory.class_table, folder, log, sweep=self.sweep, films=films
            )
            with Store(folder, record, resolved_yaml(spec)) as store:
                run = Run(job, store, self.indices, progress, self.workers, early_worker)
                outcome = self._outcome(run, make_all or Run.make_all)
            _check_outcome(outcome)
            return self.page.of(folder)

    def _outcome(self, run: Run, make_all: Callable[[Run], Outcome]) -> Outcome:
        try:
            return make_all(run)
        except Superseded:
            raise
        except Interrupted as error:
            shown = self.page.unfinished(run.store.layout)
            raise Interrupted(error.signum, f"stopped; {shown}") from None
        except BlendgenError:
            _log.warning("note: not finished; %s", self.page.unfinished(run.store.layout))
            raise


def planned_preview(spec_file: SpecFile, options: PreviewOptions, output: Path | None) -> PlannedPreview:
    """Measure the models of a spec, and decide what to show; raises as make_preview."""
    if output is not None:
        refuse_output(output)
    spec_file = _with_labels(spec_file, options.overlays)
    spec = _quick(spec_file.spec) if options.quick else spec_file.spec
    inventory = measured_inventory(spec_file, options.strict)
    sweep, captions = None, {}
    if options.vary or options.ablate:
        spec = spec.model_copy(update={"exposures_per_shot": 1})
        sweep = sweep_of(spec, inventory, options)
        captions = sweep_captions(spec, inventory, sweep)
    indices = options.indices(inventory, spec)
    layout = SheetLayout(options.columns, options.overlays, captions, options.grid)
    page = PreviewPage(layout, len(indices), output)
    return PlannedPreview(spec, inventory, page, indices, options.workers, sweep)


def refuse_output(output: Path) -> None:
    """Raises UsageError for a file that cannot be a picture, DatasetError for a file of the user."""
    if output.suffix.lower() not in _FORMATS:
        raise UsageError(
            f"{output}: expected a file name that ends in {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"
        )
    refuse_others_file(output)


def _check_outcome(outcome: Outcome) -> None:
    """Warn of images that cannot be made; raise the reason if there is no image at all."""
    made, failed = outcome.record["images"], len(outcome.failures)
    if not made:
        first = outcome.failures[0]
        raise failure_error(first.reason, f"no image of the preview can be made: {first.message}")
    if failed:
        _log.warning("note: the sheet shows %d of %d images; the others cannot be made", made, made + failed)


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
    return Sweep(target, bool(options.vary), options.index, options.count)


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


def _with_labels(spec_file: SpecFile, overlays: Overlays) -> SpecFile:
    """The spec with the labels that are drawn."""
    wanted = {"masks": overlays.masks, "keypoints": overlays.keypoints}
    changes = {name: True for name, is_wanted in wanted.items() if is_wanted}
    output = spec_file.spec.output.model_copy(update=changes)
    return replace(spec_file, spec=spec_file.spec.model_copy(update={"output": output}))


def _quick(spec: Spec) -> Spec:
    """The spec at a size and quality for a first look."""
    scale = min(1.0, _LONGER_SIDE_PX / max(spec.resolution))
    resolution = tuple(max(16, round(side * scale)) for side in spec.resolution)
    most = _SAMPLES if spec.render.denoise and spec.render.engine == "cycles" else _SAMPLES_NOISY
    samples = min(most, spec.render.samples_per_pixel or most)
    render = spec.render.model_copy(update={"samples_per_pixel": samples})
    return spec.model_copy(update={"resolution": resolution, "render": render})
