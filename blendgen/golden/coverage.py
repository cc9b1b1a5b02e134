"""Coverage: which classes the images of a smoke run show.

In: a Made. Out: the check that every class appears, in the data set of the spec and in an image of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from blendgen.files.names import some_of
from blendgen.golden.findings import Check, Finding
from blendgen.golden.made import Made
from blendgen.golden.plan import MAX_IMAGES

_MOST_NAMED = 5
_BUDGET_STEP_S, _MARGIN = 30, 1.25


def class_check(made: Made, budget_s: float, models_s: float, rendering_s: float) -> Check:
    """models_s, rendering_s: what measuring the models and making the images took"""
    plan, findings = made.plan, [*_findings(made)]
    if made.late:
        needed_s = models_s + rendering_s * len(plan.images) / max(1, len(made.rows) + len(made.failures))
        wanted_s = math.ceil(_MARGIN * needed_s / _BUDGET_STEP_S) * _BUDGET_STEP_S
        labels = some_of([plan.images[index] for index in made.late], _MOST_NAMED)
        findings.append(
            Finding(
                f"{len(made.late)} of {len(plan.images)} images were not begun within the budget of "
                f"{budget_s:g} s ({labels}); at this pace, --budget {wanted_s}s is enough"
            )
        )
    count = len(plan.images) + plan.not_planned + len(plan.absent)
    return Check("classes", tuple(findings), f"{len(made.rows)} of {count} classes have an image")


def left_out(made: Made) -> Iterator[str]:
    """What is not checked by design, a line each."""
    if made.plan.not_planned:
        yield f"{made.plan.not_planned} more classes: a smoke run makes at most {MAX_IMAGES} images"


def _findings(made: Made) -> Iterator[Finding]:
    plan, count = made.plan, made.plan.spec_file.spec.images
    for label in plan.absent:
        text = f"class {label} appears in none of the {count} images of the spec; raise images"
        yield Finding(text, ("images",))
    for index, failure in made.failures.items():
        text = f"class {plan.images[index]}: image {index} cannot be made: {failure.message}"
        yield Finding(text, (), index)
    for index, row in made.rows.items():
        if plan.images[index] not in row.objects.category:
            text = f"class {plan.images[index]}: is not in the labels of image {index}"
            yield Finding(text, ("products",), index)
