"""Drafts: small images of few samples, made in a temporary folder, for experiments.

In: a spec, its measured models and numbers of images. Out: a Dataset that exists as long as the context. The
same spec gives the same drafts, and a draft shows the arrangement of the full image of its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from blendgen.dataset.dataset import Dataset, open_dataset
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store
from blendgen.draw.attempts import failure_error
from blendgen.draw.sweep import Plan
from blendgen.errors import UsageError
from blendgen.files.scratch import scratch_folder
from blendgen.models.inventory import Inventory
from blendgen.models.measuring.cache import cache_folder
from blendgen.spec.load import resolved_yaml
from blendgen.spec.model import Spec
from blendgen.spec.output import Output
from blendgen.system.progress import Progress
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.generate import Run
from blendgen.workers.job import Job

SIDE_PX = 96
FEWEST_PX, MOST_PX = 32, 1024
_LEAST_SIDE_PX = 16  # of the shorter side
_SAMPLES = 8


@dataclass(frozen=True)
class DraftOptions:
    """side_px: longer side; workers: processes, None for as many as fit; early_worker: the first of them

    raises: UsageError
    """

    side_px: int = SIDE_PX
    workers: int | None = None
    early_worker: EarlyWorker | None = None

    def __post_init__(self) -> None:
        if not FEWEST_PX <= self.side_px <= MOST_PX:
            raise UsageError(f"size (--size): expected {FEWEST_PX} to {MOST_PX} pixels, got {self.side_px}")


def draft_spec(spec: Spec, side_px: int) -> Spec:
    """The spec with small images of few samples, without labels that nobody reads."""
    scale = min(1.0, side_px / max(spec.resolution))
    width, height = (max(_LEAST_SIDE_PX, round(side * scale)) for side in spec.resolution)
    samples = min(_SAMPLES, spec.render.samples_per_pixel or _SAMPLES)
    render = spec.render.model_copy(update={"samples_per_pixel": samples, "target_psnr_db": None})
    output = Output(masks=False)
    return spec.model_copy(update={"resolution": (width, height), "render": render, "output": output})


@contextmanager
def drafts(
    spec: Spec,
    inventory: Inventory,
    indices: Sequence[int],
    options: DraftOptions,
    progress: Progress,
    plan: Plan | None = None,
) -> Iterator[Dataset]:
    """The images of some numbers; those that cannot be made are missing.

    raises: BlendgenError if none can be made; Interrupted
    """
    with scratch_folder("drafts") as scratch:
        folder = scratch / "drafts"
        log = cache_folder() / "drafts.log"
        job = Job(spec, inventory.catalog, inventory.class_table, folder, log, sweep=plan)
        with Store(folder, dataset_record(spec, inventory), resolved_yaml(spec)) as store:
            outcome = Run(job, store, indices, progress, options.workers, options.early_worker).make_all()
        if not outcome.made:
            first = outcome.failures[0]
            raise failure_error(first.reason, f"no draft can be made: {first.message}")
        yield open_dataset(folder)
