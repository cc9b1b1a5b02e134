"""A real Ray cluster of three nodes on this machine. CI makes sure that it is not skipped there."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from blendgen.system.stop_signals import handlers_restored
from tests.farm.conftest import SPEC
from tests.farm.made import content
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
IMAGES = 60
_STORE_BYTES = 80 << 20


@pytest.fixture(scope="module")
def cluster():
    """The environment of a cluster of three nodes with a core each, and the nodes."""
    if not os.environ.get("BLENDGEN_TEST_RAY"):
        pytest.importorskip("ray")
    # with Ray's own niceness of 15 its tasks wait for all other tests
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": _STORE_BYTES}
    with handlers_restored():  # a node sets one of SIGTERM that ends this process
        cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        nodes = [cluster.add_node(wait=False, **node) for _ in range(2)]
    try:
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
    counts = []
    for path in out.glob("shards/*/manifest.jsonl"):
        with suppress(FileNotFoundError):  # merged meanwhile
            counts.append(path.read_bytes().count(b"\n"))
    return counts


def test_a_killed_driver_and_a_lost_node_change_nothing(cluster, tmp_path):
    cluster, nodes = cluster
    local, out = tmp_path / "local", tmp_path / "out"
    undisturbed = subprocess.Popen(arguments(tmp_path, local, "--shard", "none", "--progress", "none"))
    environment = os.environ | {"RAY_ADDRESS": cluster.address}
    words = arguments(tmp_path, out, "--executor", "ray", "--progress-every", "1", "--json")
    messages = tmp_path / "messages.txt"

    def start(*more: str) -> subprocess.Popen:
        with messages.open("w") as log:
            options = {"env": environment, "stdout": subprocess.PIPE, "stderr": log, "text": True}
            return subprocess.Popen([*words, *more], **options)

    def wait_for_images(driver: subprocess.Popen, at_least: int) -> None:
        wait_until(lambda: sum(rows(out)) >= at_least or driver.poll() is not None, 400, "images")
        assert driver.poll() is None, messages.read_text()

    driver = start("--shards", "3")
    wait_for_images(driver, 1)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    wait_until(lambda: not tasks(out))
    existing = sum(rows(out))

    driver = start()
    wait_for_images(driver, existing + 1)
    cluster.remove_node(nodes[0], allow_graceful=False)
    printed, _ = driver.communicate(timeout=500)
    errors = messages.read_text()

    assert driver.returncode == 0, errors
    assert f"of {IMAGES} images are there already" in errors
    assert json.loads(printed)["images"] == IMAGES  # and nothing of Ray
    assert undisturbed.wait(240) == 0 and content(out) == content(local)
    assert not (out / "shards").exists() and not (out / ".partial").exists() and not tasks(out)
