"""Shard count: into how many shards a data set is divided, so that a task takes about a minute.

The number follows from the spec and from what a task gets alone, never from a measurement, so that a run that
is started again comes to the same one. Once there are shards, their number counts.
"""

from __future__ import annotations

from blendgen.dataset.layout import Layout
from blendgen.errors import DatasetError, UsageError
from blendgen.farm.shards import refuse_other_number, shards_in
from blendgen.spec.model import Spec

_TASK_S = 60.0
# a rough estimate for one core: a shot in which nothing is sampled, a further exposure, a million samples;
# on a busy machine a shot of phones took three times as long
_SHOT_S, _EXPOSURE_S, _MEGASAMPLE_S = 1.0, 0.2, 1.5
_GPU_SPEED = 20  # of a card, compared with one core
# loading Blender takes as long as a few shots
_LEAST_SHOTS = 4


def shard_count(layout: Layout, spec: Spec, wanted: int | None, cpus: int = 1, gpus: float = 0) -> int:
    """The number of shards of a data set; raises UsageError, DatasetError.

    wanted: by the user, who may not change the number later
    cpus, gpus: of a task
    """
    if wanted is not None:
        refuse_other_number(spec, wanted)
    there = {shard.count for shard in shards_in(layout)}
    if len(there) > 1:
        raise DatasetError(
            f"{layout.shards}: has shards of {' and of '.join(map(str, sorted(there)))}; move it away"
        )
    if there and wanted not in (None, *there):
        raise UsageError(
            f"shards: {layout.shards} has shards of {there.pop()}; leave out --shards, or move it away"
        )
    if there:
        return there.pop()
    shots = -(-spec.images // spec.exposures_per_shot)
    per_shard = max(_LEAST_SHOTS, round(_TASK_S / seconds_per_shot(spec, cpus, gpus)))
    return wanted or max(1, -(-shots // per_shard))


def seconds_per_shot(spec: Spec, cpus: int = 1, gpus: float = 0) -> float:
    """How long a task is likely to need for a shot."""
    width, height = spec.resolution
    samples = (spec.render.samples_per_pixel or 0) * width * height / 1e6
    sampling_s = _MEGASAMPLE_S * samples / max(cpus, gpus * _GPU_SPEED)
    return (_SHOT_S + _EXPOSURE_S * (spec.exposures_per_shot - 1)) / cpus + sampling_s
