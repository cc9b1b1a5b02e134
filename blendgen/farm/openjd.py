"""Open Job Description: a job bundle, which AWS Deadline Cloud takes and `openjd run` runs.

In: a FarmJob. Out: the files of the bundle by name. The task parameter counts shards, not images: the
scheduler puts as many shards into a task as fill the target time, and may cut the tasks differently when it
tries again; shards stay the same, so that nothing is made twice and `merge` has no overlaps to resolve.
source: "2023-09 Template Schemas" and the extension TASK_CHUNKING of the Open Job Description specification;
    the files of a bundle are described in the developer guide of AWS Deadline Cloud
"""

from __future__ import annotations

import string
from typing import Any

from blendgen import __version__
from blendgen.dataset.identity import named_paths
from blendgen.errors import UsageError
from blendgen.farm.job import FarmJob
from blendgen.farm.shell import command_line
from blendgen.farm.yaml_text import yaml_text
from blendgen.files.url import Url

TARGET_S = 900
_MAX_TARGET_S = 7 * 24 * 3600
_NAMES = ("template.yaml", "parameter_values.yaml", "asset_references.yaml")

_HEAD = f"# Written by blendgen {__version__}.\n"
_SCRIPT = string.Template("""\
# $$1: spec, $$2: folder of the data set, $$3: shards of this task, "first-last"
first=$${3%-*} last=$${3#*-} stopped=
trap 'stopped=yes; kill -TERM $$! 2>/dev/null' TERM
for ((number = first; number <= last; number++)); do
  echo "openjd_status: shard $$number of $$first to $$last"
  $generate --shard "$$number/$count" &
  [ -z "$$stopped" ] || kill -TERM $$!  # it came between two shards
  while kill -0 $$! 2>/dev/null; do wait $$!; done
  wait $$! || exit
  [ -z "$$stopped" ] || exit 143
done
""")


def bundle(job: FarmJob, target_s: int = TARGET_S) -> dict[str, str]:
    """The text of each file of a bundle; raises UsageError for what a template cannot express."""
    if not 1 <= target_s <= _MAX_TARGET_S:
        raise UsageError(f"target time: expected 1 to {_MAX_TARGET_S} s, got {target_s}")
    for word in (*job.words(("blendgen",)), *job.settings):
        if "{{" in word:
            raise UsageError(f"{word!r}: '{{{{' begins a parameter of Open Job Description; write it apart")
    values = {"Spec": str(job.spec), "DataSet": str(job.folder), "TargetSeconds": target_s}
    parameters = [{"name": name, "value": value} for name, value in values.items()]
    documents = (_template(job, target_s), {"parameterValues": parameters}, _assets(job))
    texts = map(yaml_text, documents)
    return {name: f"{_HEAD}{text}" for name, text in zip(_NAMES, texts, strict=True)}


def _template(job: FarmJob, target_s: int) -> dict[str, Any]:
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "extensions": ["TASK_CHUNKING"],
        "name": job.name,
        "description": f"{job.spec_file.spec.images} images in {job.shards} shards",
        "parameterDefinitions": [
            _path("Spec", "FILE", "IN", "The scene spec."),
            _data_set(job),
            {
                "name": "TargetSeconds",
                "type": "INT",
                "default": target_s,
                "minValue": 1,
                "description": "How long a task is to take; it makes as many shards as fit.",
            },
        ],
        "steps": [_shard_step(job), _merge_step(job)],
    }


def _path(name: str, kind: str, flow: str, description: str) -> dict[str, str]:
    return {
        "name": name, "type": "PATH", "objectType": kind, "dataFlow": flow, "description": description,
    }  # fmt: skip


def _data_set(job: FarmJob) -> dict[str, Any]:
    """A URL is a text: Open Job Description changes what is a path."""
    if isinstance(job.folder, Url):
        description = "URL of the data set in an object store."
        return {"name": "DataSet", "type": "STRING", "default": str(job.folder), "description": description}
    path = _path("DataSet", "DIRECTORY", "OUT", "Folder of the data set, which all machines see.")
    return {**path, "default": "dataset"}


def _shard_step(job: FarmJob) -> dict[str, Any]:
    program = command_line(job.words(("blendgen",)))
    generate = f'{program} generate "$1" -o "$2" {command_line(job.settings)}'
    chunks = {
        "defaultTaskCount": 1,
        "targetRuntimeSeconds": "{{Param.TargetSeconds}}",
        "rangeConstraint": "CONTIGUOUS",
    }
    shards = {"name": "Shards", "type": "CHUNK[INT]", "range": f"0-{job.shards - 1}", "chunks": chunks}
    words = ["{{Task.File.Run}}", "{{Param.Spec}}", "{{Param.DataSet}}", "{{Task.Param.Shards}}"]
    return {
        "name": "Shards",
        "parameterSpace": {"taskParameterDefinitions": [shards]},
        "hostRequirements": _host(job.cpus, job.memory_mib, job.gpus),
        "script": {
            "actions": {"onRun": {"command": "bash", "args": words, "cancelation": _cancelation(job)}},
            "embeddedFiles": [
                {
                    "name": "Run",
                    "type": "TEXT",
                    "data": _SCRIPT.substitute(generate=generate, count=job.shards),
                }
            ],
        },
    }


def _merge_step(job: FarmJob) -> dict[str, Any]:
    program, *words = job.words(("blendgen",))
    arguments = [*words, *job.merge("{{Param.DataSet}}")]
    return {
        "name": "Merge",
        "dependencies": [{"dependsOn": "Shards"}],
        "hostRequirements": _host(1, 2048, 0),
        "script": {
            "actions": {"onRun": {"command": program, "args": arguments, "cancelation": _cancelation(job)}}
        },
    }


def _cancelation(job: FarmJob) -> dict[str, Any]:
    return {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": job.notice_s}


def _host(cpus: int, memory_mib: int, gpus: int) -> dict[str, Any]:
    amounts = {"amount.worker.vcpu": cpus, "amount.worker.memory": memory_mib, "amount.worker.gpu": gpus}
    return {
        "amounts": [{"name": name, "min": least} for name, least in amounts.items() if least],
        "attributes": [{"name": "attr.worker.os.family", "anyOf": ["linux"]}],
    }


def _assets(job: FarmJob) -> dict[str, Any]:
    """What Deadline Cloud copies to its machines; it keeps the places of files to one another.

    Absolute paths in the spec are not changed there, so these are only listed.
    """
    paths = named_paths(job.spec_file)
    relative = [path for path, is_absolute in paths if not is_absolute]
    inputs = {
        "filenames": [str(job.spec), *(str(path) for path in relative if path.is_file())],
        "directories": [str(path) for path in relative if not path.is_file()],
    }
    return {
        "assetReferences": {
            "inputs": inputs,
            "outputs": {"directories": [] if isinstance(job.folder, Url) else [str(job.folder)]},
            "referencedPaths": [str(path) for path, is_absolute in paths if is_absolute],
        }
    }
