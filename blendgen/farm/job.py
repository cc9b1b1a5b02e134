"""Job: what a farm is to make, independent of its scheduler.

In: a spec file, a folder, the number of shards and what each of them gets. Out: a FarmJob that is checked,
and the arguments that make a shard. What a scheduler could not run is an error here, where a person reads it,
and not in a thousand logs.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from blendgen.engine.device import parse_device
from blendgen.errors import UsageError
from blendgen.farm.shards import refuse_other_number
from blendgen.files.url import Url
from blendgen.spec.load import Override, SpecFile
from blendgen.spec.yaml_source import Path as FieldPath

NOTICE_S = 120
_MAX_NOTICE_S = 600  # more is not possible in Open Job Description
_OPTIONS: dict[FieldPath, str] = {("seed",): "--seed", ("images",): "-n", ("render",): "--render"}
_MEMORY = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([KMGT])i?B?", re.IGNORECASE)
_MIB = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024 * 1024}
_LEAST_MIB = 512
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?")


class FarmOptions(TypedDict, total=False):
    """Options of all farms; docs/farms.md describes them.

    cpus, memory, gpus: of each shard; memory has a unit, such as "8G"
    device: what Cycles renders on, a backend such as "cuda" if there are GPUs
    name: of the job, of a-z, 0-9 and -; default: from the name of the spec
    notice_s: seconds between the signal that asks a shard to stop and its end
    program: the words that start blendgen there, such as "apptainer exec blendgen.sif blendgen"
    strict: as for generate; allow_mixed_devices: as for merge
    """

    cpus: int
    memory: str
    gpus: int
    device: str
    name: str | None
    notice_s: int
    program: str | Sequence[str] | None
    strict: bool
    allow_mixed_devices: bool


@dataclass(frozen=True)
class FarmJob:
    """A checked job.

    spec, folder: absolute paths, which all machines see, or folder is the URL of an object store
    settings: words of the command line
    """

    spec_file: SpecFile
    spec: Path
    folder: Path | Url
    shards: int
    settings: tuple[str, ...]
    cpus: int
    memory_mib: int
    gpus: int
    device: str
    name: str
    notice_s: int
    program: tuple[str, ...] | None
    allow_mixed_devices: bool

    def generate(self, spec: str, folder: str) -> tuple[str, ...]:
        """The arguments that make a shard; the caller adds which."""
        return ("generate", spec, "-o", folder, *self.settings)

    def merge(self, folder: str) -> tuple[str, ...]:
        """The arguments that merge all shards."""
        return ("merge", "-o", folder, *(("--allow-mixed-devices",) if self.allow_mixed_devices else ()))

    def words(self, default: Sequence[str]) -> tuple[str, ...]:
        """The words that start blendgen."""
        return self.program or tuple(default)


def farm_job(
    spec_file: SpecFile,
    spec: Path,
    folder: Path | Url,
    shards: int,
    *,
    cpus: int = 4,
    memory: str = "8G",
    gpus: int = 0,
    device: str = "cpu",
    name: str | None = None,
    notice_s: int = NOTICE_S,
    program: str | Sequence[str] | None = None,
    strict: bool = False,
    allow_mixed_devices: bool = False,
) -> FarmJob:
    """Check a job; raises UsageError for what no farm can run.

    spec_file: the loaded `spec`, with its overrides
    """
    refuse_other_number(spec_file.spec, shards)
    if isinstance(folder, Path) and folder.is_file():
        raise UsageError(f"{folder}: is a file; expected the folder of the data set")
    _check_device(device, gpus)
    _check_range("cpus", cpus, 1, 4096)
    _check_range("notice", notice_s, 1, _MAX_NOTICE_S)
    settings = [word for override in spec_file.overrides for word in _setting(override)]
    settings += ["--device", device] if gpus else []
    settings += ["--strict"] if strict else []
    words = _program(program)
    if "\0" in "".join([str(spec), str(folder), *settings, *(words or ())]):
        raise UsageError("a path or a setting has a null character, which no command line can have")
    place = folder if isinstance(folder, Url) else folder.absolute()
    return FarmJob(
        spec_file, spec.absolute(), place, shards, (*settings, "--allow-failed"), cpus,
        memory_mib(memory), gpus, device, _job_name(name, spec_file.spec.name), notice_s, words,
        allow_mixed_devices,
    )  # fmt: skip


def memory_mib(text: str) -> int:
    """MiB of a text such as 8G or 16000M, rounded up; raises UsageError."""
    match = _MEMORY.fullmatch(text.strip())
    mib = -(-float(match[1]) * _MIB[match[2].upper()] // 1) if match else 0
    if not _LEAST_MIB <= mib <= 1 << 30:
        raise UsageError(f"memory: expected at least {_LEAST_MIB}M with a unit, such as 8G, got {text!r}")
    return int(mib)


def this_program() -> tuple[str, ...]:
    """The words that start this blendgen on a machine with the same files."""
    script = Path(sys.executable).with_name("blendgen")
    return (str(script),) if script.exists() else (sys.executable, "-m", "blendgen")


def _check_device(device: str, gpus: int) -> None:
    """All shards have to render on the same kind of device: merge refuses others."""
    backend = parse_device(device).backend
    _check_range("gpus", gpus, 0, 64)
    if gpus and backend in ("auto", "cpu"):
        raise UsageError(f"gpus: name the device that all shards render on, such as cuda, not {device}")
    if not gpus and backend != "cpu":
        raise UsageError(f"device {device}: ask for GPUs too, such as one for each shard")


def _check_range(field: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UsageError(f"{field}: expected {low} to {high}, got {value}")


def _setting(override: Override) -> tuple[str, str]:
    """An override as an option of the command line and its value."""
    option = _OPTIONS.get(override.path)
    if option is not None and isinstance(override.value, str | int):
        return option, str(override.value)
    key, value = ".".join(map(str, override.path)), json.dumps(override.value, ensure_ascii=False)
    return "--set", f"{key}={value}"


def _job_name(name: str | None, spec_name: str) -> str:
    if name is None:
        slug = re.sub(r"[^a-z0-9]+", "-", spec_name.lower()).strip("-")[:30].strip("-")
        return f"blendgen-{slug}" if slug else "blendgen"
    if not _LABEL.fullmatch(name):
        raise UsageError(f"name: expected 1 to 42 letters of a-z, 0-9 and -, got {name!r}")
    return name


def _program(program: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if program is None:
        return None
    try:
        words = tuple(shlex.split(program) if isinstance(program, str) else program)
    except ValueError as error:
        raise UsageError(f"program: {program!r} is not a command line: {error}") from None
    if not words:
        raise UsageError("program: expected the words that start blendgen")
    return words
