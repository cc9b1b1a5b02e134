"""Cause: whether a parameter tells the class in the data set that a classifier was trained on.

In: a Run and the name of a parameter. Out: the share of what there is to know about the class that its values
tell, from the rows of the data set; None where the data set is gone, or its rows do not state the parameter.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blendgen.dataset.dataset import Dataset, open_dataset
from blendgen.dataset.layout import Layout
from blendgen.errors import BlendgenError
from blendgen.learn.run_folder import Run
from blendgen.reports.parameters import Parameter, Value, varied_parameters
from blendgen.reports.shortcuts import BINS, Shortcut, judged
from blendgen.spec.load import load_spec


def share_of_class(run: Run, name: str) -> float | None:
    """0 where as much dependence is chance."""
    try:
        dataset = open_dataset(Path(run.record["dataset"]["folder"]))
        parameters = varied_parameters(load_spec(Layout(dataset.source.root).spec).spec)
    except BlendgenError:
        return None
    parameter = next((one for one in parameters.recorded if one.name == name), None)
    return None if parameter is None else _share(dataset, parameter)


def advice(name: str, share: float | None) -> str:
    """What to do about a shortcut; share: as of share_of_class"""
    again = "generate from this spec, in which it does not depend on the class, and train again"
    if share is None:
        return f"{name}: {again}"
    if share:
        return f"{name}: in the data set of the run its values tell {100 * share:.0f} % of the class: {again}"
    return (
        f"{name}: in the data set of the run it does not depend on the class: the classes that are exchanged "
        "look alike at some of its values; make more images of them there"
    )


def _share(dataset: Dataset, parameter: Parameter) -> float | None:
    values = [(row.label_id, own[0]) for row in dataset.rows() if (own := parameter.values(row))]
    if not values:
        return None
    numbers = _numbers([value for _, value in values], parameter.is_numeric)
    table = Shortcut(parameter.name, len(dataset.classes), max(numbers) + 1)
    for (label_id, _), number in zip(values, numbers, strict=True):
        table.add(label_id, number)
    (judgement,) = judged([table])
    return float(judgement["share"]) if judgement["warns"] else 0.0


def _numbers(values: list[Value], is_numeric: bool) -> list[int]:
    """For each value the number of its bin; bins of numbers have as many images each."""
    if not is_numeric or len(set(values)) <= BINS:
        known = sorted(set(values), key=str)
        return [known.index(value) for value in values]
    edges = np.quantile(np.array(values, np.float64), np.linspace(0, 1, BINS + 1)[1:-1])
    return [int(place) for place in np.searchsorted(edges, np.array(values, np.float64))]
