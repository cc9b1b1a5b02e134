"""Data sets: watch, read, check, compare, export, mix them. A failure raises a BlendgenError."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from blendgen.errors import UsageError
from blendgen.files.url import is_url, local_path, parse_url

if TYPE_CHECKING:
    from pathlib import Path

    from blendgen.dataset.dataset import Dataset
    from blendgen.farm.status import Status
    from blendgen.system.progress import ProgressLike
    from blendgen.verification.dataset import Fault
    from blendgen.verification.dataset_diff import DatasetDiff
    from blendgen.verification.repair import Repair

    AnyPath: TypeAlias = str | os.PathLike[str]


def open_dataset(folder: AnyPath) -> Dataset:
    """The finished data set in a folder, as rows and NumPy arrays; see Dataset.

    folder: or the text of a URL, whose files are fetched into the cache first
    raises: DatasetError where there is no data set, or where its run was cut off
    """
    from blendgen.dataset.dataset import open_dataset

    return open_dataset(_here(folder))


def verify(
    folder: AnyPath, *,
    ray_check: int | None = None, rerender: int | None = None, repair: bool = False,
    workers: int | None = None, on_fault: Callable[[Fault], None] | None = None,
    on_repair: Callable[[Repair], None] | None = None, progress: ProgressLike = False,
) -> list[Fault]:  # fmt: skip
    """Check every file and every row of a data set; returns what is wrong, an empty list if nothing is.

    A folder with shards that are not merged is checked shard by shard. folder may be the text of a URL: all
    is fetched into a temporary folder, and what is made again is sent.

    ray_check: number of images whose labels are compared with rays through the scene
    rerender: number of images to render again and to compare byte by byte
    repair: make damaged and missing images again, to the same bytes; returns what is wrong after that
    on_fault: called with each fault as it is detected; on_repair: with what was found, made again and is left
    workers, progress: as for generate
    raises: BlendgenError if something cannot be checked; Interrupted after a signal
    """
    from blendgen.farm.checked import checked, repaired
    from blendgen.system.progress import reported_to

    report = on_fault or (lambda fault: None)
    with reported_to(progress) as reporter:
        options = ray_check, rerender, workers, report, reporter
        if is_url(folder):
            from blendgen.cloud.copies import checked_url, repaired_url

            if not repair:
                return checked_url(parse_url(folder), *options)
            result = repaired_url(parse_url(folder), *options)
        elif not repair:
            return checked(local_path(folder), *options)
        else:
            result = repaired(local_path(folder), *options)
    if on_repair is not None:
        on_repair(result)
    return [*result.left]


def status(folder: AnyPath, *, wait_s: float = 20.0) -> Status:
    """How far a data set is, or all shards in folder/shards, while any machine works on it; only reads.

        status("dataset").images_per_minute

    folder: or the text of a URL, of which only the indexes are read
    wait_s: how long to wait for a sign of life of runs on other machines, whose state is else "unknown"
    raises: DatasetError for a folder without a data set or shards
    """
    if is_url(folder):
        from blendgen.cloud.status import StoreStatusReader

        return StoreStatusReader(parse_url(folder)).read()
    from blendgen.farm.status import StatusReader

    return StatusReader(local_path(folder)).settled(wait_s)


def watch(folder: AnyPath, every_s: float = 10.0) -> Iterator[Status]:
    """As status, again and again, until the data set is complete; the first look does not wait."""
    from blendgen.farm.status import watched, watched_by

    if is_url(folder):
        from blendgen.cloud.status import StoreStatusReader

        return watched_by(StoreStatusReader(parse_url(folder)), every_s)
    return watched(local_path(folder), every_s)


def diff(
    a: AnyPath, b: AnyPath, *, pixels: int | None = 100, progress: ProgressLike = False
) -> DatasetDiff:  # fmt: skip
    """What differs between two data sets; `diff(a, b).equal` if nothing does.

    pixels: how many of the images whose files differ are opened and compared, evenly spaced; None for all
    raises: UsageError, DatasetError; SpecError for a spec.yaml that is not YAML
    """
    from blendgen.system.progress import reported_to
    from blendgen.verification.dataset_diff import dataset_diff

    with reported_to(progress) as reporter:
        return dataset_diff(local_path(a), local_path(b), pixels, reporter)


def report(
    folder: AnyPath, dest: AnyPath | None = None, *,
    compare: AnyPath | None = None, run: Mapping[str, Any] | None = None, measured: int | None = None,
    progress: ProgressLike = False,
) -> Path:  # fmt: skip
    """Write a page about a data set (docs/report.md), and its numbers next to it as JSON; returns its path.

    dest: of the page, which ends with .html; None: report.html in folder, with compare report-compare.html
    compare: another data set, which is shown next to the first one
    run: the command, the seconds and the number of made images of the run that made the data set; None: what
        an earlier report in the same place states of it
    measured: images that are opened at most, evenly spaced ones; None: 20,000
    raises: DatasetError; UsageError for another ending, or a negative number
    """
    from blendgen.reports.statement import run_facts
    from blendgen.reports.write import write_report
    from blendgen.system.progress import reported_to

    page, other = (None if place is None else local_path(place) for place in (dest, compare))
    facts = None if run is None else run_facts(run)
    with reported_to(progress) as reporter:
        return write_report(local_path(folder), page, other, facts, reporter, measured)


def export(
    folder: AnyPath, format: str, dest: AnyPath, *,
    link: str = "hard", crops: float | None = None, outlines: str = "rle", task: str = "detect",
    shard_mb: float = 500.0, include: str | Iterable[str] = (), quote_formulas: bool = False,
    min_visible: float = 0.0, min_area: float = 0.0, license: str | None = None,
    fields: str | Iterable[str] = (), push_ready: bool = False, force: bool = False,
    staging: AnyPath | None = None, progress: ProgressLike = False,
) -> dict[str, Any]:  # fmt: skip
    """Write a data set in another format (docs/exports.md); returns counts. The same call resumes an export.

    folder: or the text of a URL, whose files are fetched first
    staging: for a URL: folder of this machine for these files, which stay; None: one in the cache
    link: how images are placed in dest, "hard", "copy" or "symlink"
    crops: one picture for each product, its box wider by this share on each side; None for whole images
    outlines: segmentation of coco, "rle", "polygon" or "none"
    task: of yolo, "detect", "segment", "obb", "pose" or "classify"
    shard_mb: approximate size of a file that holds many images
    include: other files of each image, such as "mask"; a name, or several
    quote_formulas: for csv in spreadsheets; force: replace another export in dest
    min_visible, min_area: objects of which a smaller share, or fewer pixels, are visible are not labels: coco
        has them as crowds, voc as difficult, other formats leave them out
    license: of the data set, an identifier of the Hugging Face hub such as "cc-by-4.0", for its dataset card
    fields: values of the rows to carry, by dotted name such as "shot.surface.kind"; a name, or several
    push_ready: of hf, a folder that the hub takes as it is, which is that of parquet
    raises: UsageError for options that the format does not accept, DatasetError, SetupError
    """
    from blendgen.exporters.exporter import Options, shard_bytes
    from blendgen.exporters.formats import export
    from blendgen.system.progress import reported_to

    options = Options(
        crops, outlines, task, shard_bytes(shard_mb), _names(include), quote_formulas, min_visible, min_area,
        license, _names(fields), push_ready,
    )  # fmt: skip
    target = local_path(dest)
    with reported_to(progress) as reporter:
        source = _here(folder, staging, reporter)
        return export(source, format, target, options, link, force, reporter.advance, reporter.begin)


def merge(
    folder: AnyPath, shards: Iterable[AnyPath] = (), *,
    link: str = "hard", allow_gaps: bool = False, allow_mixed_devices: bool = False,
    remove_shards: bool = False, check_files: bool = False, progress: ProgressLike = False,
) -> dict[str, Any]:  # fmt: skip
    """Make one data set of shards, the same bytes as if one run had made it (docs/farms.md); returns counts.

    folder: of the data set; shards: their folders, in any order; none: all those in folder/shards. folder may
        be the text of a URL, whose store then copies the images of its shards itself
    link: how files are placed, "hard", "copy" or "move", which removes the shards
    allow_gaps: merge although images of the spec are missing; allow_mixed_devices: or were made on different
        devices
    remove_shards: remove the shards once all is in the folder and on the disk
    check_files: compare the files of the shards with their sha256, not with their size alone
    raises: UsageError, DatasetError; until all rows have been read, nothing is written
    """
    from blendgen.farm.merge import MergeOptions, merge
    from blendgen.system.progress import reported_to

    options = MergeOptions(link, allow_gaps, allow_mixed_devices, remove_shards, check_files)
    if is_url(folder):
        from blendgen.cloud.merge import merge_url

        if [*shards]:
            raise UsageError(f"{folder}: the shards below a URL are merged; leave out the others")
        with reported_to(progress) as reporter:
            return merge_url(parse_url(folder), options, reporter)
    with reported_to(progress) as reporter:
        return merge(local_path(folder), [local_path(shard) for shard in shards], options, reporter)


def subset(
    folder: AnyPath, dest: AnyPath, where: str | None = None, *,
    splits: str | Iterable[str] = (), every: int = 1, limit: int | None = None, link: str = "hard",
    force: bool = False, progress: ProgressLike = False,
) -> dict[str, Any]:  # fmt: skip
    """Write some images of a data set, with all their files, as a data set (docs/dataset.md); returns counts.

        subset("dataset", "clear", "visible_fraction > 0.5 and label == 'mug'", splits=["train"])

    where: a condition on the columns of a row; None: all images
    splits: name of a split, or names of several; none: all of them
    every: of the images that match, the first and then every `every`-th; limit: at most so many of these
    link: how files are placed in dest, "hard" or "copy"; force: replace another subset in dest
    raises: UsageError for a wrong condition, or where no image matches; DatasetError
    """
    from blendgen.exporters.subset import Selection, subset
    from blendgen.system.progress import reported_to

    selection = Selection(where, _names(splits), every, limit)
    with reported_to(progress) as reporter:
        return subset(
            local_path(folder), local_path(dest), selection, link, force, reporter.advance, reporter.begin
        )


def mix(
    folder: AnyPath, photos: AnyPath, dest: AnyPath, *,
    ratio: float = 5.0, photo_splits: Mapping[str, float] | None = None, extra_classes: bool = False,
    link: str = "copy", force: bool = False, progress: ProgressLike = False,
) -> dict[str, Any]:  # fmt: skip
    """Mix a data set with a folder of real photos into one training set (docs/exports.md).

    Returns {"images": split -> source -> count, "notes": [...]}.

    ratio: synthetic images to one photo, in each class of train; val and test are not mixed
    photo_splits: shares for photos that are not in split folders; None for 0.7 train, 0.15 val, 0.15 test
    extra_classes: include photos of classes that the data set does not have
    link, force: as for export
    raises: UsageError, DatasetError
    """
    from blendgen.exporters.mix import DEFAULT_SHARES, Mixture, mix
    from blendgen.system.progress import reported_to

    shares = dict(DEFAULT_SHARES if photo_splits is None else photo_splits)
    mixture = Mixture(ratio, shares, extra_classes)
    with reported_to(progress) as reporter:
        reporter.begin(0, "file")
        return mix(
            local_path(folder), local_path(photos), local_path(dest), mixture, link, force, reporter.advance
        )


def _here(folder: AnyPath, staging: AnyPath | None = None, progress: ProgressLike = False) -> Path:
    """The folder of a data set on this machine; that of a URL is fetched."""
    if not is_url(folder):
        if staging is not None:
            raise UsageError("staging (--staging): is for a URL; leave it out for a folder of this machine")
        return local_path(folder)
    from blendgen.cloud.copies import local_copy
    from blendgen.system.progress import reported_to

    with reported_to(progress) as reporter:
        return local_copy(parse_url(folder), None if staging is None else local_path(staging), reporter)


def _names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Names, of which a single one may be given as it is."""
    return (names,) if isinstance(names, str) else tuple(names)
