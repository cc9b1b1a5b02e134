"""Specs and models: check them, sample values, make images. A failure raises a BlendgenError."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, Unpack

from blendgen.errors import UsageError
from blendgen.files.url import is_url, local_path, parse_url

if TYPE_CHECKING:
    from PIL.Image import Image

    from blendgen.draw.survey import CheckReport
    from blendgen.scene.row import Row
    from blendgen.scene.shot import Exposure, Shot
    from blendgen.spec.load import Override, SpecFile
    from blendgen.system.progress import ProgressLike
    from blendgen.workers.event_file import EventsLike
    from blendgen.workers.preview_watch import PreviewUpdate
    from blendgen.workers.run import GenerateOptions, GenerateReport

    AnyPath: TypeAlias = str | os.PathLike[str]
    AnySpec: TypeAlias = SpecFile | Mapping[str, Any] | AnyPath
    Overrides: TypeAlias = Mapping[str, Any] | Iterable[Override]


class Sampled(NamedTuple):
    """What is sampled for one image: the arrangement, and everything that can change after path tracing."""

    shot: Shot
    exposure: Exposure


def load_spec(
    spec: AnySpec, overrides: Overrides | None = None, *,
    seed: int | None = None, images: int | None = None, render: str | None = None,
) -> SpecFile:  # fmt: skip
    """Read and check a scene spec; its values are `load_spec(...).spec`.

        load_spec("scene.yaml", {"camera.distance_m": {"uniform": [0.4, 0.6]}}, images=100)

    spec: a YAML file, a mapping with the values of such a file, or a loaded spec that is to be changed
    overrides: values by the dotted path of their field, such as "camera.roll_deg" or "products[0].unit"
    seed, images, render: overrides of these fields, applied first; render is the name of a preset
    raises: SpecError with every problem of the spec; UsageError if the file cannot be read
    """
    from blendgen.spec.load import as_overrides, as_spec_file

    given = {"render": render, "seed": seed, "images": images}
    fields = {name: value for name, value in given.items() if value is not None}
    return as_spec_file(spec, [*as_overrides(fields), *as_overrides(overrides or {})])


def check(spec: AnySpec, *, overrides: Overrides | None = None, strict: bool = False) -> CheckReport:
    """Measure the models of a spec and sample its first shots; nothing is rendered.

    spec, overrides: as for load_spec
    strict: a model of a folder that cannot be used is an error; otherwise it is left out with a warning.
        So is one that would be rendered without part of its look, such as a texture (LostLookError)
    raises: SpecError, CatalogError, GeometryError; SetupError where Blender is missing
    """
    from blendgen.draw.survey import survey
    from blendgen.engine.blender.importing.inventory import measured_inventory

    spec_file = load_spec(spec, overrides)
    return survey(spec_file.spec, measured_inventory(spec_file, strict))


def sample(
    spec: AnySpec, index: int = 0, attempt: int | None = None, *,
    overrides: Overrides | None = None, strict: bool = False,
) -> Sampled:  # fmt: skip
    """The values sampled for image `index` of a spec; nothing is rendered.

    attempt: from 0, as a shot that cannot be rendered is sampled again; None: the first
        feasible attempt
    The rest is as for check.
    raises: as check; UsageError for a negative index or attempt
    """
    from blendgen.draw.shot import draw_image
    from blendgen.engine.blender.importing.inventory import measured_inventory

    spec_file = load_spec(spec, overrides)
    inventory = measured_inventory(spec_file, strict)
    stock = inventory.catalog, inventory.class_table
    return Sampled(*draw_image(spec_file.spec, *stock, index, attempt))


def generate(
    spec: AnySpec, folder: AnyPath, *,
    overrides: Overrides | None = None, indices: Sequence[int] | None = None, workers: int | None = None,
    device: str = "cpu", strict: bool = False, force: bool = False, check_files: bool = False,
    shard: str | None = None, retry_failed: bool = False, events: EventsLike = None,
    time_limit_s: float | None = None, staging: AnyPath | None = None,
    progress: ProgressLike = False,
) -> GenerateReport:  # fmt: skip
    """Make the images of a spec that are not in the folder yet; returns when all are there.

    Ctrl-C finishes the images that are being rendered and raises Interrupted, a KeyboardInterrupt; a second
    one stops at once. The same call continues later.

    spec, overrides: as for load_spec
    folder: of the data set; it is made, or holds images of the same spec. The text of a URL such as
        "s3://bucket/prefix" for an object store, to which the data set is sent (docs/farms.md)
    staging: for a URL: folder of this machine in which the images are made, and stay; None: one in the cache
    indices: numbers of the wanted images; None for 0 up to the spec's `images`
    workers: processes, each with its own Blender; None for one a core or GPU, as memory allows
    device: what Cycles renders on: "cpu", "auto", or a backend such as "cuda" or "cuda:0,2"
    strict: a model of a folder that cannot be used is an error; otherwise it is left out with a warning.
        So is one that would be rendered without part of its look, such as a texture (LostLookError)
    force: replace another data set in the folder; files that are not part of it are never removed
    check_files: compare finished files with their sha256, not with their size alone
    retry_failed: try the images in failed.jsonl again; otherwise they stay set aside
    shard: make one of N shards, "I/N" with I from 0, as a data set of its own in folder/shards, of which
        merge makes one; "auto": the one that the variables of a scheduler name (docs/farms.md), if any
    events: a file to which what happens is appended, one JSON object a line, or a function that gets each as
        a dictionary; docs/farms.md lists their keys
    time_limit_s: seconds from now, in which the run ends also if images are missing then (TimeLimitReached)
    progress: True for a bar; a function is called with (finished, total) as images of this run are finished
    raises: BlendgenError; Interrupted after a signal
    """
    began_s = time.monotonic()
    if is_url(folder):
        from blendgen.cloud.generate import generate_to
        from blendgen.farm.environment import chosen_shard

        return generate_to(
            parse_url(folder), None if staging is None else local_path(staging), load_spec(spec, overrides),
            chosen_shard(shard, os.environ), progress, indices=indices, workers=workers, device=device,
            strict=strict, force=force, check_files=check_files, retry_failed=retry_failed, events=events,
            time_limit_s=time_limit_s, began_s=began_s,
        )  # fmt: skip
    if staging is not None:
        raise UsageError("staging (--staging): is for a URL; leave it out for a folder of this machine")
    from blendgen.workers.early_worker import start_early_worker

    with start_early_worker() as early_worker:  # loads Blender while this process loads what follows
        from blendgen.farm.environment import chosen_shard
        from blendgen.farm.shards import is_later_shard, shard_place
        from blendgen.workers.run import make_all, opened_run

        spec_file = load_spec(spec, overrides)
        chosen = chosen_shard(shard, os.environ)
        place, wanted = shard_place(spec_file.spec, local_path(folder), chosen, indices)
        with opened_run(
            spec_file, place, early_worker, progress, indices=wanted,
            workers=workers, device=device, strict=strict, force=force, check_files=check_files,
            retry_failed=retry_failed, events=events, time_limit_s=time_limit_s, began_s=began_s,
            may_all_fail=is_later_shard(chosen),
        ) as run:  # fmt: skip
            return make_all(run)


def generate_rows(
    spec: AnySpec, folder: AnyPath, *,
    overrides: Overrides | None = None, shard: str | None = None, progress: ProgressLike = False,
    **options: Unpack[GenerateOptions],
) -> Iterator[Row]:  # fmt: skip
    """As generate, but an iterator: each row comes when its image is recorded, in the order of finishing.

        for row in generate_rows("scene.yaml", "out"):
            print(row.label, row.image.name)

    Leaving the loop ends the run; images that are recorded by then stay. The folder is locked until the
    iterator is exhausted or closed.

    shard, options: as for generate
    raises: as generate; the faults of a spec at once, everything else while rows are taken
    """
    from blendgen.workers.spawn import close_at_exit

    spec_file = load_spec(spec, overrides)

    def rows() -> Generator[Row]:
        from blendgen.workers.early_worker import start_early_worker

        with start_early_worker() as early_worker:
            from blendgen.farm.environment import chosen_shard
            from blendgen.farm.shards import is_later_shard, shard_place
            from blendgen.workers.run import made_rows, opened_run

            chosen, indices = chosen_shard(shard, os.environ), options.get("indices")
            place, options["indices"] = shard_place(spec_file.spec, local_path(folder), chosen, indices)
            with opened_run(
                spec_file, place, early_worker, progress, may_all_fail=is_later_shard(chosen), **options
            ) as run:
                yield from made_rows(run)

    made = rows()
    close_at_exit(made)
    return made


def preview(
    spec: AnySpec, output: AnyPath | None = None, *,
    overrides: Overrides | None = None, images: int | None = None, boxes: bool = True, masks: bool = False,
    keypoints: bool = False, visible_fraction: bool = False, grid: bool = False, vary: str | None = None,
    ablate: str | None = None, index: int = 0, quick: bool = True, strict: bool = False,
    progress: ProgressLike = False,
) -> Image:  # fmt: skip
    """Render a few images onto one labelled sheet, a Pillow image, which a notebook shows.

    output: a .png, .jpg or .webp file to write; one that blendgen did not write is never replaced
    images: how many, from the first; default: 12, with a grid 4 of each class
    boxes, masks, keypoints, visible_fraction: the labels to draw
    grid: a row for each class
    vary: a parameter or section, such as "camera.elevation_deg", that alone changes from image to image
    ablate: a parameter or section that alone stays the same
    index: the image whose other values all images have
    quick: at most 160 px and a few samples; otherwise as the spec says
    The rest is as for generate.
    raises: BlendgenError; Interrupted after a signal
    """
    from blendgen.workers.early_worker import start_early_worker

    with start_early_worker() as early_worker:
        from blendgen.workers.preview import PreviewOptions, make_preview

        options = PreviewOptions(
            images, boxes, masks, keypoints, visible_fraction, grid, vary, ablate, index, quick, strict
        )
        file = None if output is None else local_path(output)
        return make_preview(load_spec(spec, overrides), options, file, progress, early_worker)


def watch_preview(
    spec: AnyPath, output: AnyPath, *,
    overrides: Overrides | None = None, images: int | None = None, boxes: bool = True, masks: bool = False,
    keypoints: bool = False, visible_fraction: bool = False, grid: bool = False, vary: str | None = None,
    ablate: str | None = None, index: int = 0, quick: bool = True, strict: bool = False,
    progress: ProgressLike = False,
) -> Iterator[PreviewUpdate]:  # fmt: skip
    """As preview, again after each change of the spec file, of a file in the folders that it names, or of one
    that its models use. The sheet is replaced as images arrive; a change ends one that it makes out of date.

    Never ends by itself; an error of the spec is in the update, and the sheet stays as it is until the next
    change.
    """
    from blendgen.spec.load import as_overrides
    from blendgen.workers.preview import PreviewOptions
    from blendgen.workers.preview_watch import PreviewWatch

    options = PreviewOptions(
        images, boxes, masks, keypoints, visible_fraction, grid, vary, ablate, index, quick, strict
    )
    path, changes = local_path(spec), list(as_overrides(overrides or {}))
    watch = PreviewWatch(path, lambda: load_spec(path, changes), options, local_path(output), progress)
    return watch.updates()
