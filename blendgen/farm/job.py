"""Job: all that a worker process needs to make images, as one picklable value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blendgen.catalog.product import Catalog
from blendgen.draw.roster import Roster
from blendgen.spec.model import Spec


@dataclass(frozen=True)
class Job:
    """What to make, and where to write it.

    folder: the data set's folder; log: file that takes Blender's own output
    threads: cores for this worker, 0 for all
    """

    spec: Spec
    catalog: Catalog
    roster: Roster
    folder: Path
    log: Path
    threads: int = 0
