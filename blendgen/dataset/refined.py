"""Refined: data sets whose images `blendgen refine` has changed; what renders their images again is refused.

In: the folder of a data set and its dataset.json. Out: a DatasetError where its images are not renders.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blendgen.errors import DatasetError

REFINED_KEY = "refined_from"  # of a dataset.json: what its images were, and what has changed them
RESULTS_NAME, WEIGHTS_NAME = "refined.jsonl", "refiner.npz"


def refuse_refined(root: Path, record: Mapping[str, Any], way_out: str) -> None:
    """Raises DatasetError for a data set whose images were refined."""
    if REFINED_KEY in record:
        raise DatasetError(f"{root}: its images were refined and are not renders any more; {way_out}")
