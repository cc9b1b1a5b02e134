"""Job: everything that a worker process needs to make images, as one picklable value."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blendgen.draw.sweep import Plan
from blendgen.engine.device import CPU, Device
from blendgen.errors import SetupError
from blendgen.files.scratch import scratch_error, scratch_folder
from blendgen.models.class_table import ClassTable
from blendgen.models.product import Catalog
from blendgen.spec.model import Spec


@dataclass(frozen=True)
class Job:
    """What to make, and where to write it.

    folder: of the data set; log: file for Blender's own output
    threads: of each worker; 0: its share of the cores
    devices: that Cycles renders on, assigned to the workers in turn
    sweep: which parameters change from image to image; None: all of them
    films: folder of films that may be used again (workers/film_store.py); None: each shot is rendered
    """

    spec: Spec
    catalog: Catalog
    class_table: ClassTable
    folder: Path
    log: Path
    threads: int = 0
    sweep: Plan | None = None
    devices: tuple[Device, ...] = (CPU,)
    films: Path | None = None

    @contextmanager
    def temporary_file(self) -> Iterator[Path]:
        """This job as a temporary file, which worker processes load.

        A pipe is too small for a job: if the worker died while it started, the parent would block in
        its write to the pipe for ever.
        """
        with scratch_folder("job") as scratch:
            path = scratch / "job.pickle"
            try:
                path.write_bytes(pickle.dumps(self))
            except OSError as error:
                raise scratch_error(error) from None
            yield path


def load_job(path: Path) -> Job:
    """The job in a file that the parent process wrote; raises SetupError if it cannot be read."""
    try:
        return pickle.loads(path.read_bytes())
    except OSError as error:
        raise SetupError(
            f"{path}: cannot be read: {error.strerror or error}. Nothing may remove temporary files during a "
            "run; set TMPDIR to a folder where they stay"
        ) from None
