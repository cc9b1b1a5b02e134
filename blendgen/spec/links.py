"""Links: `{same_as: camera.azimuth_deg}` finds the law of the parameter that it names.

In: a Spec whose laws were checked one by one. Out: the same with every SameAs complete, or the
problems by path: no such parameter, a chain, bounds that the other parameter can leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from blendgen.spec.camera import CameraSection
from blendgen.spec.distributions import Law, SameAs
from blendgen.spec.fields import LawField, law_field
from blendgen.spec.model import Spec
from blendgen.suggestion import nearest

# drawn once for each product or lamp, so that there is no one value to refer to
SEVERAL = (
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
    """The spec with its links complete, and (path, message) of those that cannot be."""
    laws = dict(laws_of(spec, ()))
    targets = {".".join(path): law for path, (law, _) in laws.items()}
    targets |= {f"camera.{name}": law for name, law in spec.camera.defaults().items()}
    problems = []
    for path, (law, field) in laws.items():
        if isinstance(law, SameAs):
            try:
                spec = _replaced(spec, path, _complete(law, path, field, targets))
            except ValueError as error:
                problems.append((path, str(error)))
    return spec, problems


def _complete(law: SameAs, path: Path, field: LawField, targets) -> SameAs:
    known = {name for name in targets if not name.startswith(SEVERAL)}
    if law.path not in known and law.path.removeprefix("camera.") in CameraSection.model_fields:
        raise ValueError(f"same_as: {law.path} is not drawn by this camera; give it a value or distribution")
    if law.path not in known:
        raise ValueError(f"same_as: {law.path!r} is not a parameter to refer to{nearest(law.path, known)}")
    if law.path.startswith(PER_IMAGE) != ".".join(path).startswith(PER_IMAGE):
        raise ValueError("same_as: exposure and sensor refer to one another, and the rest to the rest")
    target = targets[law.path]
    if isinstance(target, SameAs):
        raise ValueError(f"same_as: {law.path} itself refers to {target.path}; refer to that")
    complete = SameAs(law.path, law.plus, target)
    field.check(complete)
    return complete


def laws_of(section: BaseModel, prefix: Path) -> Iterator[tuple[Path, tuple[Law, LawField]]]:
    """Every parameter of a section that has a law, with what checks it."""
    for name, info in type(section).model_fields.items():
        value, path = getattr(section, name), (*prefix, name)
        if isinstance(value, BaseModel):
            yield from laws_of(value, path)
        elif isinstance(value, Law):
            yield path, (value, law_field(info))


def _replaced(section: Any, path: Path, law: Law) -> Any:
    name, *rest = path
    value = _replaced(getattr(section, name), tuple(rest), law) if rest else law
    return section.model_copy(update={name: value})
