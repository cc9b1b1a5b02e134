"""Job: all that a worker process needs to make images, as one picklable value."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blendgen.catalog.product import Catalog
from blendgen.draw.roster import Roster
from blendgen.draw.steering import Steering
from blendgen.spec.model import Spec


@dataclass(frozen=True)
class Job:
    """What to make, and where to write it.

    folder: the data set's folder; log: file that takes Blender's own output
    threads: cores for this worker, 0 for all
    steering: what changes from image to image, None for everything
    """

    spec: Spec
    catalog: Catalog
    roster: Roster
    folder: Path
    log: Path
    threads: int = 0
    steering: Steering | None = None

    @contextmanager
    def handed_over(self) -> Iterator[Path]:
        """A temporary file from which worker processes load this job.

        A job is larger than a pipe holds: handed over through one, a worker that dies while it
        starts would leave its parent writing for ever.
        """
        with tempfile.TemporaryDirectory(prefix="blendgen-job-") as scratch:
            path = Path(scratch) / "job.pickle"
            path.write_bytes(pickle.dumps(self))
            yield path


def load_job(path: Path) -> Job:
    """The job of a file that this program's own parent process wrote."""
    return pickle.loads(path.read_bytes())
