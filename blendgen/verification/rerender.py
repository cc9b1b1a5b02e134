"""Recheck: some images of a data set made again, and compared byte for byte.

In: a finished data set and how many of its images. Out: Faults for files that come out otherwise. The
spec beside the images says what to make.
"""

from __future__ import annotations

from collections.abc import Iterator

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows, spread_rows
from blendgen.dataset.store import Store, devices_of
from blendgen.engine.device import Device, DeviceRequest
from blendgen.errors import DatasetError, Interrupted
from blendgen.files.scratch import scratch_folder
from blendgen.scene.row import Row
from blendgen.verification.dataset import Fault
from blendgen.verification.reopen import Reopened
from blendgen.workers.generate import describe_devices, generate
from blendgen.workers.gpu_probe import devices_for
from blendgen.workers.job import Job


def recheck(found: Reopened, count: int, progress, workers: int | None = 1) -> Iterator[Fault]:
    """Faults of `count` images, spread evenly over the data set; made on the device that it was made on.

    workers: None for as many as this machine has room for
    raises: DatasetError where this machine cannot make the same bytes, SetupError where it has no such
    device; Interrupted after a signal
    """
    layout, record, known = found.layout, found.record, found.known
    spec_file, inventory = found.spec_file, found.inventory
    devices = its_device(layout, known)
    rows = {row.index: row for row in spread_rows(layout.manifest, count)}
    text = layout.spec.read_text("utf-8")
    with (
        scratch_folder("recheck") as scratch,
        Store(scratch, record, text) as store,
    ):
        scratch_set = scratch, store.layout.log
        job = Job(spec_file.spec, inventory.catalog, inventory.class_table, *scratch_set, devices=devices)
        made = _made_again(job, store, sorted(rows), progress, workers).get("device")
        if made != known.get("device"):
            raise DatasetError(
                f"{layout.root}: was made on {known.get('device')}, this is {made}: their bytes differ, so "
                "nothing can be compared"
            )
        for again in read_rows(store.layout.manifest):
            yield from _compared(rows[again.index], again)


def _made_again(job: Job, store: Store, indices: list[int], progress, workers: int | None) -> dict:
    """The record of the images; what is made here is thrown away, so an interrupt does not tell where."""
    try:
        return generate(job, store, indices, progress, workers).record
    except Interrupted as error:
        raise Interrupted(error.signum, "stopped; not all images were made again and compared") from None


def its_device(layout: Layout, known: dict) -> tuple[Device, ...]:
    """The device that a data set was made on, as it is found here."""
    devices = devices_of(known)
    if len(devices) > 1:
        raise DatasetError(
            f"{layout.root}: was made on {describe_devices(devices)}, and nobody knows which image on which, "
            "so nothing can be compared"
        )
    backend = devices[0].get("device", "cpu") if devices else "cpu"
    there = devices_for(DeviceRequest(backend))
    same = [device for device in there if devices and device.name == devices[0].get("kernel")]
    return tuple(same or there)[:1]


def _compared(row: Row, again: Row) -> Iterator[Fault]:
    for name, file in row.files.items():
        if name not in again.files or file.sha256 != again.files[name].sha256:
            yield Fault(file.name, "comes out otherwise when it is made again")
    for name in ("label", "split", "objects", "shot_values", "exposure_values"):
        if getattr(row, name) != getattr(again, name):
            what = f"{name.removesuffix('_values')} comes out otherwise"
            yield Fault(f"manifest.jsonl: index {row.index}", what)
