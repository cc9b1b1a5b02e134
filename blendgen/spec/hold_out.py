"""Hold-out: checks of the values that a spec reserves for one split.

In: a checked spec. Out: the faults of its `hold_out` by path: unknown splits and parameters, parameters
that have several values in a shot, and values that a parameter never takes.
"""

from __future__ import annotations

from typing import Any

from blendgen.errors import did_you_mean
from blendgen.spec.distribution_parsing import is_number
from blendgen.spec.distributions import Choice, Distribution
from blendgen.spec.links import PER_IMAGE, PER_OBJECT, Path, distributions_of
from blendgen.spec.model import Spec
from blendgen.spec.renamed_keys import renamed_parameter

SUBJECT_KEYS = ("product", "colorway")


def hold_out_faults(spec: Spec) -> list[tuple[Path, str]]:
    """(path, message) of each fault; an empty list if there are none."""
    distributions = {".".join(path): distribution for path, (distribution, _) in distributions_of(spec, ())}
    distributions |= {f"camera.{name}": distribution for name, distribution in spec.camera.defaults().items()}
    known = [name for name in distributions if not name.startswith((*PER_OBJECT, *PER_IMAGE))]
    faults: list[tuple[Path, str]] = []
    for split, conditions in spec.hold_out.items():
        if split not in spec.splits:
            faults.append((("hold_out", split), f"unknown split{did_you_mean(split, spec.splits)}"))
        for name, values in conditions.items():
            fault = None if name in SUBJECT_KEYS else _fault(name, values, distributions, known)
            if fault is not None:
                faults.append((("hold_out", split, name), fault))
    if spec.hold_out and not any(share for split, share in spec.splits.items() if split not in spec.hold_out):
        faults.append(
            (("hold_out",), "must leave at least one split with a share above 0 for all other shots")
        )
    return faults


def _fault(
    name: str, values: list[Any], distributions: dict[str, Distribution], known: list[str]
) -> str | None:
    if name.startswith((*PER_OBJECT, *PER_IMAGE)):
        return "has a value for each image, product or lamp; hold out by a parameter with one value per shot"
    if name not in known:
        return (
            renamed_parameter(name)
            or f"expected `product`, `colorway` or a parameter that varies{did_you_mean(name, known)}"
        )
    distribution = distributions[name]
    if not distribution.dimensions:
        return f"is always {distribution.plain()}; hold out by a parameter that varies"
    if isinstance(distribution, Choice):
        unknown = [value for value in values if value not in distribution.values]
        return f"never takes the value {', '.join(map(str, unknown))}" if unknown else None
    if len(values) != 2 or not all(map(is_number, values)) or values[0] > values[1]:
        return f"must be [low, high], got {values}"
    low, high = distribution.support()
    return f"never takes a value in {values}" if values[1] < low or values[0] > high else None
