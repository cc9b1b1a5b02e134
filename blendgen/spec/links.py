"""Links: `{same_as: camera.azimuth_deg}` gets the distribution of the parameter that it names.

In: a Spec whose distributions were checked one by one. Out: the same Spec with the target of every
SameAs, or the faults by path: unknown parameters, chains, values outside of the field's bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from blendgen.errors import did_you_mean
from blendgen.spec.camera import CameraSection
from blendgen.spec.distributions import Distribution, SameAs
from blendgen.spec.fields import DistributionField, distribution_field
from blendgen.spec.model import Spec
from blendgen.spec.renamed_keys import renamed_parameter

# sampled once for each product or lamp: a shot has no single value of them
PER_OBJECT = (
    "condition.",
    "occluders.height_m",
    "distractors.gap_m",
    "placement.yaw_deg",
    "placement.gap_m",
    "lighting.lamps.",
    "exposure.lamp_",
)
PER_IMAGE = ("exposure.", "sensor.")
Path = tuple[str, ...]


def linked(spec: Spec) -> tuple[Spec, list[tuple[Path, str]]]:
    """The spec with the targets of its links, and (path, message) of each faulty link."""
    distributions = dict(distributions_of(spec, ()))
    targets = {".".join(path): distribution for path, (distribution, _) in distributions.items()}
    targets |= {f"camera.{name}": distribution for name, distribution in spec.camera.defaults().items()}
    problems = []
    for path, (distribution, field) in distributions.items():
        if isinstance(distribution, SameAs):
            try:
                spec = _replaced(spec, path, _complete(distribution, path, field, targets))
            except ValueError as error:
                problems.append((path, str(error)))
    return spec, problems


def _complete(
    distribution: SameAs, path: Path, field: DistributionField, targets: dict[str, Distribution]
) -> SameAs:
    known = {name for name in targets if not name.startswith(PER_OBJECT)}
    if renamed := renamed_parameter(distribution.path):
        raise ValueError(f"same_as: {renamed}")
    if (
        distribution.path not in known
        and distribution.path.removeprefix("camera.") in CameraSection.model_fields
    ):
        raise ValueError(
            f"same_as: {distribution.path} is not sampled for this camera; give it a value or a distribution"
        )
    if distribution.path not in known:
        raise ValueError(
            f"same_as: {distribution.path!r} is not a parameter with one value per shot or exposure"
            f"{did_you_mean(distribution.path, known)}"
        )
    if distribution.path.startswith(PER_IMAGE) != ".".join(path).startswith(PER_IMAGE):
        raise ValueError(
            "same_as: parameters of exposure and sensor can refer only to exposure and sensor, all others "
            "only to the other sections"
        )
    target = targets[distribution.path]
    if isinstance(target, SameAs):
        raise ValueError(
            f"same_as: {distribution.path} itself refers to {target.path}; use same_as: {target.path}"
        )
    complete = SameAs(distribution.path, distribution.plus, target)
    field.check(complete)
    return complete


def distributions_of(
    section: BaseModel, prefix: Path
) -> Iterator[tuple[Path, tuple[Distribution, DistributionField]]]:
    """(path, (distribution, field)) of every parameter of a section that has a distribution."""
    for name, info in type(section).model_fields.items():
        value, path = getattr(section, name), (*prefix, name)
        if isinstance(value, BaseModel):
            yield from distributions_of(value, path)
        elif isinstance(value, Distribution) and (field := distribution_field(info)) is not None:
            yield path, (value, field)


def _replaced(section: Any, path: Path, distribution: Distribution) -> Any:
    name, *rest = path
    value = _replaced(getattr(section, name), tuple(rest), distribution) if rest else distribution
    return section.model_copy(update={name: value})
