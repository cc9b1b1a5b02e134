"""Data sets of the flat engine, made in this process: whole, or a shard at a time."""

from __future__ import annotations

import shutil
from pathlib import Path

from blendgen.containers.packing import Packer
from blendgen.dataset.failures import failed_images
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import ManifestWriter
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store
from blendgen.dataset.write import write_frame
from blendgen.develop.develop import Developer
from blendgen.engine.flat import FlatEngine
from blendgen.errors import InfeasibleShot
from blendgen.farm.merge import MergeOptions, merge
from blendgen.farm.shards import Shard
from blendgen.models.inventory import Inventory
from blendgen.pipeline import Pipeline, tasks_for
from blendgen.spec.load import resolved_yaml
from blendgen.system.progress import Counter
from blendgen.workers.run import sheet_bytes
from tests.conftest import make_class_table, make_spec
from tests.workers.flat_run import CATALOG, SOME_FAIL

SPEC = make_spec(images=15, seed=3, resolution=[24, 16], exposures_per_shot=2, **SOME_FAIL)
CPU = {"device": "cpu", "kernel": "AVX2"}


def make(folder: Path, indices=None, spec=SPEC, device=CPU) -> Layout:
    """Write images as a run does; all that are missing if there are no indices."""
    layout, table = Layout(folder), make_class_table(CATALOG)
    engine, developer = FlatEngine(CATALOG, spec.output), Developer(None, spec.exposures_per_shot)
    pipeline = Pipeline(spec, CATALOG, table, engine, developer)
    record = dataset_record(spec, Inventory(CATALOG, table))
    with Store(folder, record, resolved_yaml(spec)) as store, ManifestWriter(layout.manifest) as manifest:
        missing = [i for i in (range(spec.images) if indices is None else indices) if i not in store.done()]
        for task in tasks_for(spec, missing):
            try:
                manifest.append([write_frame(layout, f, spec.output) for f in pipeline.frames(task)])
            except InfeasibleShot as infeasible:
                store.add_failures(failed_images(task.image_indices, infeasible))
        packer, finished = Packer.of(store.files, record), store.finish(device if missing else None)
        if packer is not None:
            packer.pack_all()
        if finished["images"]:
            store.write_sheet(sheet_bytes(folder))
    return layout


def make_shards(folder: Path, count: int, **options) -> list[Path]:
    """All shards of a data set, in their places."""
    shards = [Shard(index, count) for index in range(count)]
    spec = options.get("spec", SPEC)
    places = [folder / "shards" / shard.name for shard in shards]
    for shard, place in zip(shards, places, strict=True):
        make(place, shard.images(spec.images, spec.exposures_per_shot), **options)
    return places


def merged(folder: Path, *shards: Path, **options) -> dict:
    return merge(folder, shards, MergeOptions(**options), Counter(lambda finished, total: None))


def content(folder: Path) -> dict[str, bytes]:
    """Bytes of all files but those of shards and the log, the only one that may differ."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "blender.log")
    names = ((path.relative_to(folder).as_posix(), path) for path in paths)
    return {name: path.read_bytes() for name, path in names if not name.startswith("shards/")}


def copied(source: Path, folder: Path) -> list[Path]:
    """The shards of a folder in another one."""
    shutil.copytree(source / "shards", folder / "shards")
    return sorted((folder / "shards").iterdir())
