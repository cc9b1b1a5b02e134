"""The manifest for Kubernetes: what the pods run, and what becomes of them.

tests/farm/test_engines.py checks it against the schema.
"""

from pathlib import Path

import pytest
import yaml

from blendgen.errors import ExitCode, UsageError
from blendgen.farm.kubernetes import KubernetesOptions, manifest
from blendgen.files.url import is_url, parse_url
from blendgen.spec.load import parse_override
from tests.farm.test_job import job


def jobs(spec, options=None, **changes) -> list[dict]:
    options = options or KubernetesOptions("registry.example.com/blendgen:0.1", "data", spec.parent)
    text = manifest(job(spec, folder=spec.parent / "out", shards=4, **changes), options)
    assert text.isascii()
    return list(yaml.safe_load_all(text))


def container(one: dict) -> dict:
    (only,) = one["spec"]["template"]["spec"]["containers"]
    return only


def expanded(text: str) -> str:
    """As Kubernetes reads an argument in which no variable is referred to."""
    return text.replace("$$", "\0").replace("$(", "expanded(").replace("\0", "$")


def test_each_index_makes_a_shard(spec):
    shards, _ = jobs(spec, KubernetesOptions("x", "data", spec.parent, "farm", max_running=2))
    assert shards["metadata"]["namespace"] == "farm"
    assert {"completionMode": "Indexed", "completions": 4, "parallelism": 2}.items() <= shards["spec"].items()
    assert container(shards)["env"] == [{"name": "BLENDGEN_SHARD_COUNT", "value": "4"}]


def test_pods_see_the_same_paths_whatever_is_in_them(spec):
    shards, merge = jobs(spec)
    folder = str(spec.parent / "out")
    assert [*map(expanded, container(shards)["args"])] == [
        *("generate", str(spec), "-o", folder, "--allow-failed"),
    ]
    assert [*map(expanded, container(merge)["args"])] == ["merge", "-o", folder]
    for one in (shards, merge):
        (mount,) = container(one)["volumeMounts"]
        assert mount["mountPath"] == str(spec.parent)
        (volume,) = one["spec"]["template"]["spec"]["volumes"]
        assert volume["persistentVolumeClaim"] == {"claimName": "data"}


def test_limits_are_what_is_asked_for(spec):
    shards, _ = jobs(spec, cpus=6, memory="16G", gpus=2, device="optix", notice_s=300)
    amounts = {"cpu": "6", "memory": "16384Mi"}
    assert container(shards)["resources"] == {
        "requests": amounts, "limits": amounts | {"nvidia.com/gpu": "2"}
    }  # fmt: skip
    pod = shards["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never" and pod["terminationGracePeriodSeconds"] == 300


def actions(one: dict) -> dict[int, str]:
    """What becomes of an exit code; not of those that count as one of the retries."""
    rules = one["spec"]["podFailurePolicy"]["rules"]
    return {code: rule["action"] for rule in rules for code in rule.get("onExitCodes", {}).get("values", [])}


def test_exit_codes_decide_what_is_tried_again(spec):
    shards, merge = jobs(spec)
    assert actions(shards) == {
        ExitCode.USAGE: "FailJob", ExitCode.SPEC: "FailJob", ExitCode.LOST_LOOK: "FailJob",
        ExitCode.DATASET: "FailIndex", ExitCode.OUT_OF_MEMORY: "FailIndex",
    }  # fmt: skip
    assert {ExitCode.RETRY, ExitCode.SIGTERM, ExitCode.SETUP}.isdisjoint(actions(shards))
    lost_nodes = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert shards["spec"]["podFailurePolicy"]["rules"][0] == lost_nodes
    assert shards["spec"]["backoffLimitPerIndex"] == 6
    assert ExitCode.RETRY not in actions(merge) and actions(merge)[ExitCode.DATASET] == "FailJob"


def test_the_merge_waits_until_a_person_starts_it(spec):
    shards, merge = jobs(spec)
    assert merge["spec"]["suspend"] is True and "suspend" not in shards["spec"]
    assert merge["metadata"]["name"] == shards["metadata"]["name"] + "-merge"
    options = KubernetesOptions("x", "c", spec.parent, namespace="farm")
    text = manifest(job(spec, folder=spec.parent), options)
    assert f"kubectl patch --namespace=farm job/{merge['metadata']['name']} " in text


def test_another_program_replaces_the_entry_point(spec):
    shards, _ = jobs(spec, program="env A=$B blendgen")
    assert [*map(expanded, container(shards)["command"])] == ["env", "A=$B", "blendgen"]


@pytest.mark.parametrize(
    "options, changes, message",
    [
        ({"image": "a b"}, {}, "^image: expected a name of Kubernetes"),
        ({"claim": "a_b"}, {}, "^claim: "),
        ({"claim": "a\n"}, {}, "^claim: "),
        ({"namespace": "x;y"}, {}, "^namespace: "),
        ({"max_running": 0}, {}, "^max running: "),
        ({"retries": -1}, {}, "^retries: "),
        ({"volume": Path("/")}, {}, "^volume: / cannot be the place"),
        ({"volume": Path("a:b")}, {}, "^volume: "),
        ({"volume": Path("/elsewhere")}, {}, "scene.yaml: is not in /elsewhere"),
        ({}, {"changes": [parse_override("products=[{directory: /models}]")]}, "^/models: is not in "),
        ({}, {"gpus": 1, "device": "metal"}, "^device metal: not one of the GPUs of Kubernetes"),
    ],
)
def test_what_a_job_cannot_express_is_an_error(spec, options, changes, message):
    given = {"image": "x", "claim": "c", "volume": spec.parent, **options}
    with pytest.raises(UsageError, match=message):
        jobs(spec, KubernetesOptions(**given), **changes)


def test_a_data_set_in_an_object_store_needs_no_volume(spec):
    options = KubernetesOptions("image", secret="s3", service_account="renderer")
    text = manifest(job(spec, folder=parse_url("s3://bucket/a b/$x")), options)
    for one in yaml.safe_load_all(text):
        pod = one["spec"]["template"]["spec"]
        assert "volumes" not in pod and "volumeMounts" not in container(one)
        assert "s3://bucket/a b/$$x" in container(one)["args"]
        assert container(one)["envFrom"] == [{"secretRef": {"name": "s3"}}]
        assert pod["serviceAccountName"] == "renderer"


@pytest.mark.parametrize(
    ("folder", "options", "message"),
    [
        ("out", {}, "needed for a data set in a folder"),
        ("s3://bucket/out", {"claim": "data"}, "give both, or neither"),
        ("s3://bucket/out", {"secret": "a_b"}, "^secret: "),
    ],
)
def test_a_volume_is_left_out_only_for_an_object_store(spec, folder, options, message):
    place = parse_url(folder) if is_url(folder) else spec.parent / folder
    with pytest.raises(UsageError, match=message):
        manifest(job(spec, folder=place), KubernetesOptions("image", **options))
