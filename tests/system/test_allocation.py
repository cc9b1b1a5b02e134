"""What a scheduler gives to a job: the least that its variables, and the limits of the system, state."""

import pytest

from blendgen.system.allocation import allotted_bytes, allotted_cores
from blendgen.system.machine import cores, free_memory_bytes, own_cores, resident_bytes

MIB, GIB = 2**20, 2**30
MEMINFO = f"MemAvailable: {64 * MIB} kB\n"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, []),
        ({"SLURM_CPUS_PER_TASK": "4", "SLURM_CPUS_ON_NODE": "16"}, [4, 16]),
        ({"CUE_THREADS": "2"}, [2]),
        ({"CUE_THREADS": "0", "SLURM_CPUS_ON_NODE": "8(x2)", "SLURM_CPUS_PER_TASK": ""}, []),
    ],
)
def test_cores_are_whole_numbers_above_zero(environment, expected):
    assert [bound.value for bound in allotted_cores(environment)] == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SLURM_MEM_PER_NODE": "2000"}, [(2000 * MIB, "SLURM_MEM_PER_NODE")]),
        ({"SLURM_MEM_PER_NODE": "0"}, []),
        ({"SLURM_MEM_PER_CPU": "1024", "SLURM_CPUS_ON_NODE": "4"}, [(4 * GIB, "SLURM_MEM_PER_CPU")]),
        (
            {"SLURM_MEM_PER_CPU": "1024", "SLURM_CPUS_ON_NODE": "4", "SLURM_CPUS_PER_TASK": "2"},
            [(2 * GIB, "SLURM_MEM_PER_CPU")],
        ),
        ({"SLURM_MEM_PER_CPU": "1024"}, [(GIB, "SLURM_MEM_PER_CPU")]),
        ({"CUE_MEMORY": "3355443"}, [(3355443 * 1024, "CUE_MEMORY")]),
        ({"CUE_MEMORY": "3.2G", "SLURM_MEM_PER_NODE": "9" * 30}, []),
    ],
)
def test_memory_is_in_the_units_of_each_scheduler(environment, expected):
    assert allotted_bytes(environment) == expected


def test_the_least_of_all_limits_counts(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text(MEMINFO)
    stated = {"SLURM_CPUS_PER_TASK": "1", "SLURM_CPUS_ON_NODE": "3", "CUE_MEMORY": str(2 * MIB)}
    assert cores(tmp_path, stated) == 1
    assert free_memory_bytes(tmp_path, stated) == pytest.approx(2 * GIB - resident_bytes(), abs=50 * MIB)
    assert cores(tmp_path, {"CUE_THREADS": "100000"}) == (len(own_cores()) or cores(tmp_path, {}))
    assert free_memory_bytes(tmp_path, {"CUE_MEMORY": str(100 * MIB)}) == 64 * GIB
