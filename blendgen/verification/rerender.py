"""Rerender: some images of a data set are rendered again, and compared byte for byte.

In: a finished data set and a number of images. Out: Faults for files that differ. The spec that is stored
next to the images decides what is rendered.
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
from blendgen.workers.generate import Outcome, Run, describe_devices
from blendgen.workers.gpu_probe import devices_for
from blendgen.workers.job import Job


def rerender_faults(reopened: Reopened, count: int, progress, workers: int | None = 1) -> Iterator[Fault]:
    """The faults of `rerendered`."""
    yield from rerendered(reopened, count, progress, workers)[1]


def rerendered(
    reopened: Reopened, count: int, progress, workers: int | None = 1
) -> tuple[dict[str, str] | None, list[Fault]]:
    """(the device, faults) of `count` images, evenly spaced in the data set and rendered on the device that
    made it, or on the CPU if that is not known.

    workers: None for as many as this machine has room for
    raises: DatasetError if this machine cannot make the same bytes, SetupError if it does not have that
    device; Interrupted after a signal
    """
    layout, record, known = reopened.layout, reopened.record, reopened.known
    spec_file, inventory = reopened.spec_file, reopened.inventory
    devices = original_device(layout, known)
    rows = {row.index: row for row in spread_rows(layout.manifest, count)}
    text = layout.spec.read_text("utf-8")
    with (
        scratch_folder("rerender") as scratch,
        Store(scratch, record, text) as store,
    ):
        scratch_set = scratch, store.layout.log
        job = Job(spec_file.spec, inventory.catalog, inventory.class_table, *scratch_set, devices=devices)
        outcome = _rerender(job, store, sorted(rows), progress, workers)
        device = outcome.record.get("device")
        if "device" in known and device != known["device"]:
            raise DatasetError(
                f"{layout.root}: was made on {known.get('device')}, this is {device}; their bytes differ, so "
                "the images cannot be compared"
            )
        faults = [
            Fault(rows[failure.index].image.name, f"cannot be made again: {failure.message}")
            for failure in outcome.failures
        ]
        for again in read_rows(store.layout.manifest):
            faults += _compared(rows[again.index], again)
    return device, faults


def _rerender(job: Job, store: Store, indices: list[int], progress, workers: int | None) -> Outcome:
    """Make images that are deleted afterwards: an interrupt does not name their folder."""
    try:
        return Run(job, store, indices, progress, workers).make_all()
    except Interrupted as error:
        raise Interrupted(error.signum, "stopped; not all images were rendered again and compared") from None


def original_device(layout: Layout, known: dict) -> tuple[Device, ...]:
    """The device of this machine on which a data set was made."""
    devices = devices_of(known)
    if len(devices) > 1:
        raise DatasetError(
            f"{layout.root}: was made on {describe_devices(devices)}, and it is not recorded which image was "
            "made on which, so the images cannot be compared"
        )
    backend = devices[0].get("device", "cpu") if devices else "cpu"
    available = devices_for(DeviceRequest(backend))
    same = [device for device in available if devices and device.name == devices[0].get("kernel")]
    return tuple(same or available)[:1]


def _compared(row: Row, again: Row) -> Iterator[Fault]:
    for name, file in row.files.items():
        if name not in again.files or file.sha256 != again.files[name].sha256:
            yield Fault(file.name, "differs when it is rendered again")
    for name in ("label", "split", "objects", "shot_values", "exposure_values"):
        if getattr(row, name) != getattr(again, name):
            what = f"{name.removesuffix('_values')} differs when it is sampled and rendered again"
            yield Fault(f"manifest.jsonl: index {row.index}", what)
