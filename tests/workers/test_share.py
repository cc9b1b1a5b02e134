"""The share of each worker, and the resources that a container leaves."""

import pytest

from blendgen.engine.device import CPU, Device
from blendgen.errors import UsageError
from blendgen.system.machine import cores, free_memory_bytes, own_cores, resident_bytes
from blendgen.workers import share
from blendgen.workers.share import automatic_workers, estimated_bytes, memory_limit, shares

GIB = 2**30
CARDS = tuple(Device("cuda", f"card-{number}", "NVIDIA L4") for number in range(2))


@pytest.mark.parametrize(
    ("workers", "count", "threads"),
    [(1, 8, [8]), (2, 8, [4, 4]), (3, 8, [2, 3, 3]), (8, 8, [1] * 8), (4, 2, [1] * 4)],
)
def test_all_cores_are_used_and_none_twice(workers, count, threads):
    assigned = shares(workers, count, range(10, 10 + count))
    assert [one.threads for one in assigned] == threads
    if 1 < workers <= count:
        assert sorted(core for one in assigned for core in one.cores) == list(range(10, 10 + count))
        assert all(len(one.cores) == one.threads for one in assigned)
    else:
        assert not any(one.cores for one in assigned)


def test_workers_are_not_pinned_where_a_quota_allows_fewer_cores():
    assert not any(one.cores for one in shares(2, 2, range(64)))


def test_devices_are_assigned_in_turn():
    assert [one.device for one in shares(3, 8, devices=CARDS)] == [CARDS[0], CARDS[1], CARDS[0]]


@pytest.mark.parametrize(
    ("shots", "count", "free", "devices", "expected"),
    [
        (1000, 8, None, (CPU,), 8),
        (1000, 8, 64 * GIB, (CPU,), 8),
        (1000, 8, 3 * GIB, (CPU,), 3),
        (1000, 8, 0, (CPU,), 1),
        (1, 8, None, (CPU,), 1),
        (9, 8, None, (CPU,), 3),
        (1000, 8, None, CARDS, 2),
    ],
)
def test_automatic_workers_depend_on_cores_memory_shots_and_gpus(shots, count, free, devices, expected):
    assert automatic_workers(shots, count, free, devices, GIB) == expected


@pytest.mark.parametrize(
    ("count", "devices", "expected"), [(8, (CPU,), 2), (1, (CPU,), 1), (8, CARDS * 2, 2)]
)
def test_few_workers_share_the_gpu_that_eevee_uses(count, devices, expected):
    assert automatic_workers(1000, count, None, devices, GIB, "eevee") == expected


def test_the_memory_limit_is_an_equal_share_within_bounds_or_the_variable(monkeypatch):
    monkeypatch.delenv(share.MEMORY_VARIABLE, raising=False)
    assert memory_limit(2, None, GIB) == memory_limit(2, 64 * GIB, GIB) == 4 * GIB
    assert memory_limit(2, 6 * GIB, GIB) == 3 * GIB
    assert memory_limit(8, 4 * GIB, GIB) == 2 * GIB
    assert memory_limit(1, 64 * GIB, 10 * GIB) == 20 * GIB
    monkeypatch.setenv(share.MEMORY_VARIABLE, "2500")
    assert memory_limit(8, 4 * GIB, GIB) == 2500 * 2**20
    monkeypatch.setenv(share.MEMORY_VARIABLE, "2 GB")
    with pytest.raises(UsageError, match="whole number of megabytes"):
        memory_limit(1, None, GIB)


def write_files(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = "MemTotal: 16777216 kB\nMemFree: 1048576 kB\nMemAvailable: 8388608 kB\nHugePages_Total: 0\n"


def test_free_memory_is_the_available_memory_of_the_system(tmp_path):
    assert free_memory_bytes(write_files(tmp_path, {"proc/meminfo": MEMINFO})) == 8 * GIB
    assert free_memory_bytes(tmp_path / "elsewhere") is None


def test_the_tightest_limit_of_a_container_counts_and_cached_files_are_free(tmp_path):
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "0::/job/step\n",
        "sys/fs/cgroup/job/memory.max": f"{3 * GIB}\n",
        "sys/fs/cgroup/job/memory.current": f"{2 * GIB}\n",
        "sys/fs/cgroup/job/memory.stat": f"anon 5\ninactive_file {GIB}\n",
        "sys/fs/cgroup/job/step/memory.max": "max\n",
        "sys/fs/cgroup/job/step/memory.current": "1\n",
        "sys/fs/cgroup/job/cpu.max": "150000 100000\n",
    }
    root = write_files(tmp_path, files)
    assert free_memory_bytes(root) == 2 * GIB
    assert cores(root) == min(2, cores(tmp_path / "elsewhere"))


def test_control_groups_of_version_1_are_read_with_the_path_of_the_host(tmp_path):
    files = {
        "proc/self/cgroup": "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{3 * GIB}\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GIB}\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    }
    root = write_files(tmp_path, files)
    assert free_memory_bytes(root) == 2 * GIB
    assert cores(root) == 1


def test_unlimited_groups_do_not_limit(tmp_path):
    files = {
        "proc/self/cgroup": "5:cpu:/\n4:memory:/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "5\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    }
    assert free_memory_bytes(write_files(tmp_path, files)) is None
    assert cores(tmp_path) == (len(own_cores()) or cores())


def test_this_process_holds_some_memory():
    assert resident_bytes() > 10 * 2**20


def test_the_denoiser_needs_no_more_memory_above_a_limit():
    per_pixel = [
        (estimated_bytes(2 * pixels) - estimated_bytes(pixels)) / pixels for pixels in (10**5, 10**7)
    ]
    assert per_pixel == [1100, 520]
