"""Plan: how much one run of the benchmark measures, and the variants of the spec that it needs."""

from __future__ import annotations

from dataclasses import dataclass

from blendgen.spec.distributions import Constant
from blendgen.spec.model import Spec

STANDARD_RESOLUTION, STANDARD_SAMPLES = (224, 224), 8
MANY_EXPOSURES = 8
_QUICK_RESOLUTION, _QUICK_SAMPLES = (64, 64), 2


@dataclass(frozen=True)
class Variant:
    """Changes to the spec of the benchmark; products: in one image, None for as many as the spec says."""

    exposures: int = 1
    resolution: tuple[int, int] = STANDARD_RESOLUTION
    samples: int = STANDARD_SAMPLES
    products: int | None = None


QUICK = Variant(resolution=_QUICK_RESOLUTION, samples=_QUICK_SAMPLES)


@dataclass(frozen=True)
class Plan:
    """How much is measured. Counts are numbers of shots, unless stated otherwise.

    rounds: number of rounds
    steady: timed shots of each run; traced: shots of each round that are split into stages
    pairs: renders of each traced shot with n and with 2n samples
    session: of the long session, after warm_up others; starts: number of processes of each kind
    sides, sample_counts, product_counts: values for which the cost of an image is measured
    scenes: built-in specs whose materials are compared with plain ones; scene_shots: of each
    """

    variant: Variant = Variant()
    rounds: int = 3
    steady: int = 16
    traced: int = 4
    pairs: int = 2
    warm_up: int = 40
    session: int = 200
    starts: int = 5
    sides: tuple[int, ...] = (112, 224, 448)
    sample_counts: tuple[int, ...] = (2, 8, 32)
    product_counts: tuple[int, ...] = (1, 2, 4)
    scenes: tuple[str, ...] = ("conveyor_phones", "recycling_line", "tote", "tabletop", "light_table")
    scene_shots: int = 4


def quick(variant: Variant) -> Plan:
    """A minute, to see whether everything works; the figures mean little."""
    return Plan(
        variant,
        rounds=1,
        steady=2,
        traced=1,
        pairs=1,
        warm_up=2,
        session=4,
        starts=1,
        sides=(32, 64),
        sample_counts=(1, 2),
        product_counts=(1, 2),
        scenes=(),
    )


def spec_of(spec: Spec, variant: Variant) -> Spec:
    """The spec with the values of a variant."""
    changes = {
        "images": 10_000_000,
        "exposures_per_shot": variant.exposures,
        "resolution": variant.resolution,
        "render": spec.render.model_copy(
            update={"samples_per_pixel": variant.samples, "target_psnr_db": None}
        ),
    }
    if variant.products is not None:
        changes["products_per_image"] = Constant(variant.products)
    return spec.model_copy(update=changes)
