"""Run status: OUT/.partial/run-status.json, in which a run states every few seconds how far it is.

The file is there only while the run lasts, or if it was killed; it is not part of the data set. Readers on
other machines see from `heartbeat`, a number that grows, that the run lives: no clocks are compared.
"""

from __future__ import annotations

import errno
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from blendgen.dataset.layout import Layout
from blendgen.files.folder import Folder
from blendgen.files.regular_file import links_outside, read_bounded
from blendgen.scene.frozen import FrozenModel

HEARTBEAT_S = 5.0
_MAX_BYTES = 2**20
_Text = Annotated[str, Field(max_length=300)]
_Count = Annotated[int, Field(ge=0, lt=2**53)]


class WorkerStatus(FrozenModel):
    """A worker process; started: by the clock of its machine, as RFC 3339."""

    pid: _Count
    device: _Text
    started: _Text


class RunStatus(FrozenModel):
    """A run over the folder of a data set.

    run: its id, also that of its events; started: by the clock of its machine, as RFC 3339
    host, pid, boot, namespace, began: as of system.process.ProcessIdentity
    heartbeat: counts the writes of this file, which come every every_s seconds
    phase: "starting", "rendering" or "finishing"
    images: how many rows the manifest has in its first manifest_bytes bytes; None while that is not known
    wanted: of this run; existing: those of them that were there before; made: those that it has made
    failed_per_reason: the wanted images that cannot be made, earlier ones included
    images_per_s: over the last minutes; None before the first image
    """

    model_config = ConfigDict(frozen=True, extra="ignore")  # a later version may state more

    schema_version: Literal[1] = 1
    run: _Text
    host: _Text
    pid: _Count
    boot: _Text
    namespace: _Text
    began: _Count
    started: _Text
    heartbeat: _Count = 0
    every_s: Annotated[float, Field(ge=0.01, le=3600)] = HEARTBEAT_S
    phase: Literal["starting", "rendering", "finishing"] = "starting"
    images: _Count | None = None
    manifest_bytes: _Count = 0
    wanted: _Count = 0
    existing: _Count = 0
    made: _Count = 0
    failed_per_reason: dict[str, _Count] = Field(default_factory=dict)
    images_per_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    workers: tuple[WorkerStatus, ...] = ()

    @property
    def failed(self) -> int:
        return sum(self.failed_per_reason.values())


def write_run_status(layout: Layout, status: RunStatus) -> None:
    """Replace the file; raises DatasetError where the disk refuses."""
    _folder(layout).write(layout.name(layout.run_status), status.model_dump_json().encode())


def remove_run_status(layout: Layout) -> None:
    """Remove the file if it is there; raises OSError."""
    _folder(layout).remove(layout.name(layout.run_status))


def read_run_status(layout: Layout) -> RunStatus | None:
    """The status of the run that works on a folder or was killed there; None without one that can be read."""
    if links_outside(layout.temporary) or layout.run_status.is_symlink():
        return None
    for is_last in (False, True):
        try:
            return RunStatus.model_validate_json(read_bounded(layout.run_status, _MAX_BYTES))
        except ValidationError:
            return None
        except OSError as error:
            if is_last or error.errno != errno.ESTALE:  # replaced while it was read from another machine
                return None
    return None


def _folder(layout: Layout) -> Folder:
    return Folder(layout.root, layout.temporary.name)
