"""Lost record: dataset.json is written again, if some images prove that this machine makes the same bytes.

In: a data set without dataset.json. Out: the file. It is not known then which versions and which device made
the images; but if images that are rendered again have the sha256 of their rows, those of this machine may
write it.
"""

from __future__ import annotations

from blendgen.dataset.damaged import DamagedStore
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import spread_rows
from blendgen.dataset.own_files import spec_bytes
from blendgen.errors import DatasetError
from blendgen.models.source import Measurer
from blendgen.system.progress import Progress
from blendgen.verification.reopen import reopen_without_record
from blendgen.verification.rerender import rerendered

_WITNESSES = 3


def restore_record(layout: Layout, measurer: Measurer, progress: Progress, workers: int | None) -> None:
    """Write dataset.json, which counts the images that have a row or a failure.

    raises: DatasetError if no image is the same; as reopen
    """
    why = f"{layout.record}: is missing or damaged, and cannot be restored here; put a copy of it back"
    reopened = reopen_without_record(layout.root, measurer)
    if not spread_rows(layout.manifest, _WITNESSES):
        raise DatasetError(f"{why}: there is no row to compare an image with")
    device, faults = rerendered(reopened, _WITNESSES, progress, workers)
    if faults:
        raise DatasetError(f"{why}: an image that is made again is another one: {faults[0]}")
    with DamagedStore(layout.root, reopened.record, spec_bytes(layout).decode()) as store:
        record = store.finish(device)
    progress.note(f"dataset.json is restored; it counts the {record['images']} images that have a row")
