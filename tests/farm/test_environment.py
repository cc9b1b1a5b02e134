"""Which shard the variables of a scheduler mean."""

import logging

import pytest

from blendgen.errors import UsageError
from blendgen.farm.environment import SHARD_COUNT, chosen_shard, shard_from_environment
from blendgen.farm.shards import Shard


def slurm(task, first=0, last=9, step=1, count=10):
    values = {"ID": task, "MIN": first, "MAX": last, "STEP": step, "COUNT": count}
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


COUNTED = [
    (slurm(3), Shard(3, 10)),
    (slurm(3, first=1, last=10), Shard(2, 10)),
    (slurm(10, first=10, last=40, step=10, count=4), Shard(0, 4)),
    (slurm(40, first=10, last=40, step=10, count=4), Shard(3, 4)),
    ({"AWS_BATCH_JOB_ARRAY_INDEX": "4", "AWS_BATCH_JOB_ARRAY_SIZE": "5"}, Shard(4, 5)),
    ({"SKYPILOT_NODE_RANK": "0", "SKYPILOT_NUM_NODES": "2"}, Shard(0, 2)),
    # the numbers of all shards, although only the third task was started again
    (slurm(3, first=3, last=3, count=1) | {SHARD_COUNT: "10"}, Shard(3, 10)),
]
UNCOUNTED = [
    ({"JOB_COMPLETION_INDEX": "7"}, Shard(7, 8)),
    ({"CUE_IFRAME": "7", "CUE_FRAME": "0007-render"}, Shard(7, 8)),
    ({"HQ_TASK_ID": "0"}, Shard(0, 8)),
    ({"PARALLEL_SEQ": "8"}, Shard(7, 8)),
    ({"PARALLEL_SEQ": "1"}, Shard(0, 8)),
]


@pytest.mark.parametrize("variables, shard", COUNTED)
def test_variables_with_a_count_name_a_shard_and_that_is_said(variables, shard, caplog):
    assert shard_from_environment(variables) == chosen_shard("auto", variables) == shard
    assert f"making shard {shard}, as {next(iter(variables))} says" in caplog.text


@pytest.mark.parametrize("variables, shard", UNCOUNTED)
def test_variables_without_a_count_need_that_of_the_user(variables, shard, caplog):
    assert shard_from_environment(variables) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and "all images are made" in record.getMessage()
    assert f"set {SHARD_COUNT}=N" in record.getMessage()
    assert shard_from_environment(variables | {SHARD_COUNT: "8"}) == shard


@pytest.mark.parametrize(
    "variables", [{}, {"SLURM_JOB_ID": "7"}, {"SKYPILOT_NODE_RANK": "0", "SKYPILOT_NUM_NODES": "1"},
                  slurm(0, last=0, count=1), {"PARALLEL_SEQ": ""}],
)  # fmt: skip
def test_without_several_tasks_all_images_are_made_and_nothing_is_said(variables, caplog):
    assert shard_from_environment(variables) is None and caplog.records == []


def test_a_shard_of_the_user_and_none_do_not_look_at_the_environment(caplog):
    assert chosen_shard("1/2", slurm(3)) == Shard(1, 2) and chosen_shard(None, slurm(3)) is None
    assert caplog.records == []


@pytest.mark.parametrize(
    "variables, message",
    [
        (slurm("x"), "^SLURM_ARRAY_TASK_ID: expected a whole number, got 'x'"),
        (slurm("-1"), "^SLURM_ARRAY_TASK_ID: expected a whole number"),
        (slurm(10), "^SLURM_ARRAY_TASK_ID: expected 0 to 9 for 10 shards"),
        (slurm(15, first=10, last=40, step=10, count=4), "^SLURM_ARRAY_TASK_ID: expected 10 to 40"),
        (
            slurm(3, first=3, last=8, count=3),
            "^SLURM_ARRAY_TASK_ID: the 3 tasks from 3 to 8 have no constant",
        ),
        (slurm(7, first=7, last=7, count=1), "^SLURM_ARRAY_TASK_ID: 7 is the only task"),
        (slurm(3) | {"SLURM_ARRAY_TASK_STEP": "0"}, "^SLURM_ARRAY_TASK_ID: "),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "4"}, "^AWS_BATCH_JOB_ARRAY_SIZE: expected a whole number, got ''"),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "0"}, "^AWS_BATCH_JOB_ARRAY_SIZE: "),
        (
            {"JOB_COMPLETION_INDEX": "8", SHARD_COUNT: "8"},
            "^JOB_COMPLETION_INDEX: expected 0 to 7 for 8 shards",
        ),
        ({"PARALLEL_SEQ": "0", SHARD_COUNT: "8"}, "^PARALLEL_SEQ: expected 1 to 8"),
        ({"HQ_TASK_ID": "0", SHARD_COUNT: "ten"}, f"^{SHARD_COUNT}: expected a whole number, got 'ten'"),
        ({SHARD_COUNT: "10"}, f"^{SHARD_COUNT} is set, but no scheduler"),
        (slurm(3) | {"PARALLEL_SEQ": "1"}, "^SLURM_ARRAY_TASK_ID and PARALLEL_SEQ are both set"),
    ],
)
def test_what_cannot_be_right_is_an_error_that_names_the_variable_and_a_way_out(variables, message):
    with pytest.raises(UsageError, match=message) as raised:
        shard_from_environment(variables)
    assert "--shard" in str(raised.value)
