"""Record: what dataset.json says of how a data set was made."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from blendgen import __version__
from blendgen.identity import digest
from blendgen.inventory import Inventory
from blendgen.spec.model import Spec
from blendgen.wheel import blender_version


def dataset_record(spec: Spec, inventory: Inventory) -> dict[str, Any]:
    """The run record before any image is made; the store adds counts and the device."""
    return {
        "schema_version": 1,
        "name": spec.name,
        "digest": digest(spec, inventory),
        "seed": spec.seed,
        "classes": list(inventory.roster.classes),
        "resolution": list(spec.resolution),
        "exposures_per_shot": spec.exposures_per_shot,
        "blendgen_version": __version__,
        "blender_version": blender_version(),
        "python_version": platform.python_version(),
        "numpy_version": np.__version__,
        "left_out": [str(refusal) for refusal in inventory.refusals],
    }
