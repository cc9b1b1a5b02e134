"""Job: all that a worker process needs to make images, as one picklable value."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blendgen.draw.sweep import Sweep
from blendgen.engine.device import CPU, Device
from blendgen.errors import SetupError
from blendgen.files.scratch import scratch_error, scratch_folder
from blendgen.models.class_table import ClassTable
from blendgen.models.product import Catalog
from blendgen.spec.model import Spec


@dataclass(frozen=True)
class Job:
    """What to make, and where to write it.

    folder: the data set's folder; log: file that takes Blender's own output
    threads: of each worker, 0 for its share of the cores
    devices: what Cycles computes on, dealt to the workers in turn
    sweep: what changes from image to image, None for everything
    """

    spec: Spec
    catalog: Catalog
    class_table: ClassTable
    folder: Path
    log: Path
    threads: int = 0
    sweep: Sweep | None = None
    devices: tuple[Device, ...] = (CPU,)

    @contextmanager
    def temporary_file(self) -> Iterator[Path]:
        """A temporary file from which worker processes load this job.

        A job is larger than a pipe holds: handed over through one, a worker that dies while it
        starts would leave its parent writing for ever.
        """
        with scratch_folder("job") as scratch:
            path = scratch / "job.pickle"
            try:
                path.write_bytes(pickle.dumps(self))
            except OSError as error:
                raise scratch_error(error) from None
            yield path


def load_job(path: Path) -> Job:
    """The job of a file that this program's own parent process wrote; raises SetupError where it is gone."""
    try:
        return pickle.loads(path.read_bytes())
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read ({error.strerror or error}); what is in the folder of temporary files "
            "must stay there, or set TMPDIR to another"
        ) from None
