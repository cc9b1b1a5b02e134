"""A real Ray cluster of three nodes on this machine. CI makes sure that it is not skipped there."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.farm.conftest import SPEC
from tests.farm.made import content
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
IMAGES = 45
_STORE_BYTES = 80 << 20


@pytest.fixture(scope="module")
def cluster():
    """The environment of a cluster of three nodes with a core each, and the nodes."""
    if not os.environ.get("BLENDGEN_TEST_RAY"):
        pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": _STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        nodes = [cluster.add_node(wait=False, **node) for _ in range(2)]
        cluster.wait_for_nodes(timeout=240)
        yield cluster, nodes
    finally:
        cluster.shutdown()


def arguments(folder: Path, out: Path, *words: str) -> list[str]:
    (folder / "scene.yaml").write_text(SPEC)
    head = [sys.executable, "-m", "blendgen", "generate", str(folder / "scene.yaml"), "-o", str(out)]
    return [*head, "-n", str(IMAGES), *words]


def tasks(out: Path) -> list[psutil.Process]:
    """The processes of shards of a data set, without their workers."""
    processes = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if str(out) in words and "--shard" in words:
            processes.append(process)
    return processes


def rows(out: Path) -> list[int]:
    """How many images each shard has so far."""
    return [path.read_bytes().count(b"\n") for path in out.glob("shards/*/manifest.jsonl")]


def test_a_killed_driver_and_a_lost_node_change_nothing(cluster, tmp_path):
    cluster, nodes = cluster
    local, out = tmp_path / "local", tmp_path / "out"
    undisturbed = subprocess.Popen(arguments(tmp_path, local, "--shard", "none", "--progress", "none"))
    environment = os.environ | {"RAY_ADDRESS": cluster.address}
    options = {"env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    words = arguments(tmp_path, out, "--executor", "ray", "--progress-every", "1", "--json")

    driver = subprocess.Popen([*words, "--shards", "3"], **options)
    wait_until(lambda: len(rows(out)) == 3 and min(rows(out)) > 0)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    wait_until(lambda: not tasks(out))
    existing = sum(rows(out))

    driver = subprocess.Popen(words, **options)
    wait_until(lambda: len(tasks(out)) == 3 and sum(rows(out)) > existing)
    cluster.remove_node(nodes[0], allow_graceful=False)
    printed, errors = driver.communicate(timeout=500)

    assert driver.returncode == 0, errors
    assert f"of {IMAGES} images are there already" in errors
    assert json.loads(printed)["images"] == IMAGES  # and nothing of Ray
    assert undisturbed.wait(240) == 0 and content(out) == content(local)
    assert not (out / "shards").exists() and not (out / ".partial").exists() and not tasks(out)
