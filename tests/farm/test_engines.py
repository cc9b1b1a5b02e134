"""The files of `blendgen farm`, run by Slurm and by openjd, and read by the schema of Kubernetes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from blendgen import api
from blendgen.farm.kubernetes import KubernetesOptions, manifest
from blendgen.farm.openjd import bundle
from tests.farm.conftest import HOSTILE, SPEC
from tests.farm.engines import installed
from tests.farm.made import content
from tests.farm.slurm_cluster import wait_for_jobs
from tests.farm.test_job import job
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SMALL = ["--cpus", "1", "--memory", "512M", "--shards", "2", "-n", "4"]
COMMENT = "it's a #1 % $HOME `x`; no?"
# stops early at its first start, and waits until then for the signal of Slurm
STOPS_ONCE = """\
#!/bin/bash
case $1 in merge) echo merged >>"$3"; exit;; esac
trap 'exit 75' USR1
echo "$SLURM_ARRAY_TASK_ID ${SLURM_RESTART_COUNT:-0} $SLURM_CPUS_PER_TASK" >>"$4"
[ -z "$SLURM_RESTART_COUNT" ] || exit 0
while true; do sleep 0.1; done
"""


def blendgen(*words, **options) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [sys.executable, "-m", "blendgen", *map(str, words)], capture_output=True, text=True, check=False,
        timeout=240, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("spec") / HOSTILE
    folder.mkdir()
    (folder / "scene.yaml").write_text(SPEC)
    return folder / "scene.yaml"


@pytest.fixture(scope="module")
def undisturbed(spec) -> dict[str, bytes]:
    """The files of the same data set, made by one run on one machine."""
    blendgen("generate", spec, "-o", spec.parent / "undisturbed", "-n", "4", "--shard", "none")
    return content(spec.parent / "undisturbed")


def test_slurm_makes_the_same_data_set_on_two_nodes(spec, undisturbed, cluster):
    logs, out = spec.parent.parent / "100% logs", spec.parent / "slurm"
    logs.mkdir()
    words = ("farm", "slurm", spec, "-o", out, *SMALL, "--time", "10", "--logs", logs, "--submit")
    shards, merge = blendgen(*words, env=cluster).stdout.splitlines()
    wait_for_jobs(cluster)
    texts = {path.name: path.read_text() for path in logs.iterdir()}
    assert content(out) == undisturbed, texts
    number = shards.split()[1]
    assert {f"blendgen-shapes-more-{number}_{n}.log" for n in (0, 1)} < set(texts)
    assert f"blendgen-shapes-more-merge-{merge.split()[1]}.log" in texts


def test_slurm_starts_a_shard_again_that_stopped_early_and_merges_after_it(spec, cluster, tmp_path):
    program, calls = tmp_path / "program", tmp_path / "calls"
    program.write_text(STOPS_ONCE)
    program.chmod(0o755)
    text = api.slurm_script(
        spec, calls, 1, program=[str(program)], cpus=1, memory="512M", logs=tmp_path,
        sbatch=[f"--comment={COMMENT}"],
    )  # fmt: skip
    done = subprocess.run(["bash", "-s"], input=text, env=cluster, capture_output=True, text=True, check=True)
    number = done.stdout.split()[1]
    wait_until(calls.exists)
    # as Slurm does before the time limit
    subprocess.run(["scancel", "--signal=USR1", "--batch", number], env=cluster, check=True)
    words = ["squeue", "-h", "-j", number, "-o", "%k"]
    shown = subprocess.run(words, env=cluster, capture_output=True, text=True, check=True).stdout
    assert shown == f"{COMMENT}\n"
    wait_for_jobs(cluster)
    assert calls.read_text() == "0 0 1\n0 1 1\nmerged\n"
    (log,) = tmp_path.glob("*_0.log")
    assert log.read_text().count("goes on when Slurm starts it again") == 1


def test_openjd_accepts_the_bundle_and_makes_the_same_data_set(spec, undisturbed, tmp_path):
    out = spec.parent / "openjd"
    program = f"{sys.executable} -m blendgen"
    blendgen("farm", "openjd", spec, "-o", tmp_path, "--dataset", out, *SMALL, "--program", program)
    openjd, template = str(installed("openjd")), str(tmp_path / "template.yaml")
    subprocess.run([openjd, "check", template], check=True, capture_output=True)
    values = yaml.safe_load((tmp_path / "parameter_values.yaml").read_text())["parameterValues"]
    parameters = json.dumps({one["name"]: one["value"] for one in values})
    words = [openjd, "run", template, "--step", "Merge", "--run-dependencies", "-p", parameters]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0 and content(out) == undisturbed, done.stdout
    assert "openjd_progress" in done.stdout and "openjd_status: shard 1 of " in done.stdout


@pytest.mark.parametrize("options", [{}, {"gpus": 1, "device": "optix", "notice_s": 600, "strict": True}])
def test_openjd_accepts_every_bundle(spec, tmp_path, options):
    for name, text in bundle(job(spec, **options)).items():
        (tmp_path / name).write_text(text)
    done = subprocess.run([installed("openjd"), "check", tmp_path / "template.yaml"], capture_output=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("options", [{}, {"gpus": 1, "device": "cuda", "program": "x y"}])
def test_kubernetes_accepts_the_manifest(spec, tmp_path, options):
    place = KubernetesOptions("x:1", "claim", spec.parent, "farm", 3)
    (tmp_path / "job.yaml").write_text(manifest(job(spec, folder=spec.parent / "o", **options), place))
    (tmp_path / "wrong.yaml").write_text((tmp_path / "job.yaml").read_text().replace("backoff", "back"))
    words = [installed("kubernetes-validate"), "--strict", "--quiet", "--no-warn"]
    for name, code in (("job.yaml", 0), ("wrong.yaml", 1)):
        done = subprocess.run([*words, tmp_path / name], capture_output=True, text=True, env=os.environ)
        assert done.returncode == code, done.stdout + done.stderr
