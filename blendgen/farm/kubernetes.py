"""Kubernetes: an Indexed Job whose pods make one shard each, and a suspended Job that merges them.

In: a FarmJob, an image and a volume claim. Out: a manifest. Pods see the volume at the path that it has here,
so the spec is the same file there. Kubernetes has no order of Jobs: the head of the manifest has the commands
that start the second one when the first is complete.
source: "Job" and "Handling retriable and non-retriable pod failures with Pod failure policy" of the
    Kubernetes documentation; for $ in arguments its package third_party/forked/golang/expansion
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen import __version__
from blendgen.dataset.identity import named_paths
from blendgen.engine.device import parse_device
from blendgen.errors import ExitCode, UsageError
from blendgen.farm.environment import SHARD_COUNT
from blendgen.farm.job import FarmJob
from blendgen.farm.yaml_text import yaml_text
from blendgen.files.url import Url

RETRIES = 6
_MAX_SHARDS = 100_000  # of a Job that counts failures for each index
_RESOURCES = {"cuda": "nvidia.com/gpu", "optix": "nvidia.com/gpu", "hip": "amd.com/gpu",
              "oneapi": "gpu.intel.com/i915"}  # fmt: skip
_IMAGE = re.compile(r"[\w.:/@-]{1,500}", re.ASCII)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?")
_USER = 1000  # of the image, see Dockerfile
_MERGE_MIB = 2048
# wrong for every shard: the command line, the spec, its models
_FAIL_ALL = (ExitCode.USAGE, ExitCode.SPEC, ExitCode.LOST_LOOK)
# wrong for this shard however often it is tried: its folder, its memory
_FAIL_SHARD = (ExitCode.DATASET, ExitCode.OUT_OF_MEMORY)

_HEAD = """\
# Written by blendgen {version}.
#   kubectl apply {namespace}-f FILE
#   kubectl wait {namespace}--for=condition=Complete --timeout=168h job/{name}
#   kubectl patch {namespace}job/{name}-merge --type=merge -p '{{"spec":{{"suspend":false}}}}'
# To go on after a failure, delete both Jobs and apply the file again: images that are there stay.
"""


@dataclass(frozen=True)
class KubernetesOptions:
    """What is special to Kubernetes.

    image: with blendgen as its entry point; claim: name of a volume claim that all nodes can write to
    volume: the folder here that the claim holds; it is mounted at the same path. Without both, the data set
        is in an object store, and the image has spec and models at the paths that they have here
    secret: whose keys are variables of the pods, such as credentials; service_account: of the pods
    max_running: pods at the same time, None for all; retries: of a shard, without lost nodes
    """

    image: str
    claim: str | None = None
    volume: Path | None = None
    namespace: str | None = None
    max_running: int | None = None
    retries: int = RETRIES
    secret: str | None = None
    service_account: str | None = None


def manifest(job: FarmJob, options: KubernetesOptions) -> str:
    """The text of both Jobs; raises UsageError for what a Job cannot express."""
    _check_options(job, options)
    _check_places(job, options)
    space = f"--namespace={options.namespace} " if options.namespace else ""
    head = _HEAD.format(version=__version__, name=job.name, namespace=space)
    return head + yaml_text(_shard_job(job, options), _merge_job(job, options))


def _shard_job(job: FarmJob, options: KubernetesOptions) -> dict[str, Any]:
    spec = {
        "completionMode": "Indexed",
        "completions": job.shards,
        "parallelism": min(options.max_running or job.shards, job.shards),
        "backoffLimitPerIndex": options.retries,
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                _rule("FailJob", _FAIL_ALL),
                _rule("FailIndex", _FAIL_SHARD),
            ]
        },
    }
    environment = [{"name": SHARD_COUNT, "value": str(job.shards)}]
    arguments = job.generate(str(job.spec), str(job.folder))
    resources = _resources(job.cpus, job.memory_mib, _gpus(job))
    return _job(job, options, job.name, spec, arguments, resources, environment)


def _merge_job(job: FarmJob, options: KubernetesOptions) -> dict[str, Any]:
    permanent = (*_FAIL_ALL, ExitCode.DATASET)
    spec = {
        "suspend": True,
        "backoffLimit": options.retries,
        "podFailurePolicy": {"rules": [_rule("FailJob", permanent)]},
    }
    arguments, resources = job.merge(str(job.folder)), _resources(1, _MERGE_MIB, {})
    return _job(job, options, f"{job.name}-merge", spec, arguments, resources, [])


def _job(
    job: FarmJob, options: KubernetesOptions, name: str, spec: dict[str, Any], arguments: Sequence[str],
    resources: dict[str, Any], environment: list[dict[str, str]],
) -> dict[str, Any]:  # fmt: skip
    container = {
        "name": "blendgen",
        "image": options.image,
        **({"command": list(map(_literal, job.program))} if job.program else {}),
        "args": list(map(_literal, arguments)),
        **({"env": environment} if environment else {}),
        **({"envFrom": [{"secretRef": {"name": options.secret}}]} if options.secret else {}),
        "resources": resources,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    volumes: dict[str, Any] = {}
    if options.volume is not None:
        container["volumeMounts"] = [{"name": "data", "mountPath": str(options.volume.absolute())}]
        volumes = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": options.claim}}]}
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": job.notice_s,
        "securityContext": {"runAsNonRoot": True, "runAsUser": _USER, "fsGroup": _USER},
        **({"serviceAccountName": options.service_account} if options.service_account else {}),
        "containers": [container],
        **volumes,
    }
    labels = {"app.kubernetes.io/name": "blendgen", "app.kubernetes.io/instance": job.name}
    space = {"namespace": options.namespace} if options.namespace else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, **space, "labels": labels},
        "spec": {**spec, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def _rule(action: str, codes: Sequence[ExitCode]) -> dict[str, Any]:
    exits = {"containerName": "blendgen", "operator": "In", "values": sorted(map(int, codes))}
    return {"action": action, "onExitCodes": exits}


def _resources(cpus: int, memory_mib: int, gpus: dict[str, str]) -> dict[str, Any]:
    """The limits are what is asked for: without one of the cores, workers would fill the whole node."""
    amounts = {"cpu": str(cpus), "memory": f"{memory_mib}Mi"}
    return {"requests": dict(amounts), "limits": {**amounts, **gpus}}


def _gpus(job: FarmJob) -> dict[str, str]:
    if not job.gpus:
        return {}
    backend = parse_device(job.device).backend
    if backend not in _RESOURCES:
        raise UsageError(
            f"device {job.device}: not one of the GPUs of Kubernetes; known: {', '.join(_RESOURCES)}"
        )
    return {_RESOURCES[backend]: str(job.gpus)}


def _literal(text: str) -> str:
    """Kubernetes replaces $(NAME) in arguments, and $$ by $."""
    return text.replace("$", "$$")


def _check_options(job: FarmJob, options: KubernetesOptions) -> None:
    named = (
        ("claim", options.claim), ("namespace", options.namespace), ("secret", options.secret),
        ("service account", options.service_account),
    )  # fmt: skip
    texts = [("image", options.image, _IMAGE), *((field, text, _NAME) for field, text in named)]
    for field, text, pattern in texts:
        if text is not None and not pattern.fullmatch(text):
            raise UsageError(f"{field}: expected a name of Kubernetes, got {text!r}")
    if job.shards > _MAX_SHARDS:
        raise UsageError(f"shards: a Job has at most {_MAX_SHARDS}, got {job.shards}")
    if options.max_running is not None and options.max_running < 1:
        raise UsageError(f"max running: expected at least 1 pod, got {options.max_running}")
    if options.retries < 0:
        raise UsageError(f"retries: expected 0 or more, got {options.retries}")


def _check_places(job: FarmJob, options: KubernetesOptions) -> None:
    if (options.claim is None) != (options.volume is None):
        raise UsageError("claim and volume (--claim, --volume): give both, or neither of them")
    if options.volume is not None:
        _check_paths(job, options.volume)
    elif not isinstance(job.folder, Url):
        raise UsageError(
            "claim and volume (--claim, --volume): needed for a data set in a folder; leave them out only if "
            "it is in an object store"
        )


def _check_paths(job: FarmJob, volume: Path) -> None:
    """Everything that a pod reads or writes has to be on the volume."""
    root = volume.absolute()
    if ":" in str(root) or root == Path("/"):
        raise UsageError(f"volume: {root} cannot be the place of a volume; choose a folder without a colon")
    folders = [] if isinstance(job.folder, Url) else [job.folder]
    for path in (job.spec, *folders, *(path for path, _ in named_paths(job.spec_file))):
        if not (path.is_relative_to(root) or path.is_relative_to(root.resolve())):
            raise UsageError(f"{path}: is not in {root}, which is all that the pods see; put it there")
