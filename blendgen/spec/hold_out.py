"""Hold out: which drawn values only one split is to have.

In: a checked spec. Out: what is wrong with its `hold_out`, by path: an unknown split or parameter, one
that is drawn for each image or several times a shot, or values that it never takes.
"""

from __future__ import annotations

from blendgen.errors import did_you_mean
from blendgen.spec.distribution_parsing import is_number
from blendgen.spec.distributions import Choice
from blendgen.spec.links import PER_IMAGE, SEVERAL, Path, distributions_of
from blendgen.spec.model import Spec
from blendgen.spec.renamed_keys import renamed_parameter

OF_THE_SUBJECT = ("product", "colorway")


def hold_out_faults(spec: Spec) -> list[tuple[Path, str]]:
    distributions = {".".join(path): distribution for path, (distribution, _) in distributions_of(spec, ())}
    distributions |= {f"camera.{name}": distribution for name, distribution in spec.camera.defaults().items()}
    known = [name for name in distributions if not name.startswith((*SEVERAL, *PER_IMAGE))]
    faults: list[tuple[Path, str]] = []
    for split, conditions in spec.hold_out.items():
        if split not in spec.splits:
            faults.append((("hold_out", split), f"is no split{did_you_mean(split, spec.splits)}"))
        for name, values in conditions.items():
            fault = None if name in OF_THE_SUBJECT else _fault(name, values, distributions, known)
            if fault is not None:
                faults.append((("hold_out", split, name), fault))
    if spec.hold_out and not any(share for split, share in spec.splits.items() if split not in spec.hold_out):
        faults.append((("hold_out",), "leaves no split for all other shots"))
    return faults


def _fault(name: str, values: list, distributions, known: list[str]) -> str | None:
    if name.startswith((*SEVERAL, *PER_IMAGE)):
        return "is drawn for each image, product or lamp: a shot has no one value of it to be held out by"
    if name not in known:
        return (
            renamed_parameter(name)
            or f"is no parameter that is drawn, nor product or colorway{did_you_mean(name, known)}"
        )
    distribution = distributions[name]
    if not distribution.dimensions:
        return f"is always {distribution.plain()}: nothing can be held out by it"
    if isinstance(distribution, Choice):
        strange = [value for value in values if value not in distribution.values]
        return f"never is {', '.join(map(str, strange))}" if strange else None
    if len(values) != 2 or not all(map(is_number, values)) or values[0] > values[1]:
        return f"needs [low, high], got {values}"
    low, high = distribution.support()
    return f"never lies in {values}" if values[1] < low or values[0] > high else None
