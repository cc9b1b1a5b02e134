"""Farms: shards to merge, folders to watch, specs to submit and variables of schedulers, from strangers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.attack import bombs
from tests.attack.case import Case, Command, Place, harmless, refused, survives
from tests.attack.stock import SPEC, change_row, fifo, link, read_rows, write_rows, write_spec, write_yaml

_NAMES = ("00000-of-00002", "00001-of-00002")
_SHARDS = 2
_HUGE = 10**15


def cases() -> Iterator[Case]:
    yield Case("shards: as they are", _whole, True)
    for name, change in _CHANGES.items():
        yield Case(f"shards: {name}", partial(_merged, change), name in _SHORT)
    for name, change in _FOLDERS.items():
        yield Case(f"shards in place: {name}", partial(_merged_in_place, change))
    for name, status in _STATUSES.items():
        yield Case(f"status: {name}", partial(_watched, status), name == "escapes")
    yield Case("status: 20,000 shards with strange names", _many_shards)
    for name, spec in _SPECS.items():
        yield Case(f"farm: {name}", partial(_submitted, spec), name == "a template in the name")
    yield Case("farm: options", _options)
    yield Case("farm: files in the way", _files_in_the_way)
    yield Case("schedulers: a shard of rubbish", _shard_variables)
    yield Case("schedulers: resources of rubbish", _resource_variables)


# ---- shards


def _shards(place: Place, folder: Path) -> list[Path]:
    """The data set of the stock as two shards; the spec and its models are not needed."""
    paths = [folder / name for name in _NAMES]
    for number, path in enumerate(paths):
        shutil.copytree(place.stock / "set", path)
        rows = read_rows(path)
        own = rows[number::_SHARDS]
        for row in rows:
            if row not in own:
                (path / row["file_name"]).unlink()
                (path / row["mask_file_name"]).unlink()
        write_rows(path, own)
        _change_record(path, images=len(own), images_per_split={"train": len(own)})
        (path / ".lock").unlink(missing_ok=True)
    return paths


def _change_record(path: Path, **changes) -> None:
    record = json.loads((path / "dataset.json").read_text("utf-8"))
    (path / "dataset.json").write_text(json.dumps(record | changes), "utf-8")


def _whole(place: Place) -> list[Command]:
    """So that the others fail for what is wrong with them, and not for what this module makes."""
    shards = _shards(place, place.given)
    return [
        survives("merge", *shards, "-o", place.out / "set", memory_mb=2000),
        survives("status", *shards[:1]),
    ]


def _merged(change: Callable[[Place, Path], object], place: Place) -> list[Command]:
    first, second = _shards(place, place.given)
    change(place, first)
    links = [("--link", kind) for kind in ("hard", "copy")]
    return [
        *(
            harmless("merge", first, second, "-o", place.out / kind, "--check", "--link", kind)
            for _, kind in links
        ),
        harmless("merge", second, first, "-o", place.out / "gaps", "--allow-gaps", "--allow-mixed-devices"),
        harmless("status", first),
        harmless("verify", first, codes=(2, 3, 4, 5)),
    ]


def _row(**columns) -> Callable[[Place, Path], object]:
    return lambda place, shard: change_row(shard, **columns)


def _in_place_of(name: str, target: str) -> Callable[[Place, Path], object]:
    """A link in place of a file: to a path, or to a file of the secret folder."""
    return lambda place, shard: link(shard / name, target if target[0] == "/" else place.secret / target)


def _image(shard: Path) -> Path:
    return shard / read_rows(shard)[0]["file_name"]


def _with_line(name: str, line: str) -> Callable[[Place, Path], object]:
    def change(place: Place, shard: Path) -> None:
        with (shard / name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    return change


def _failure(**columns) -> str:
    usual = {"index": 3, "shot_index": 3, "reason": "camera_in_products", "message": "no", "attempts": 16}
    return json.dumps(usual | columns)


_CHANGES: dict[str, Callable[[Place, Path], object]] = {
    "an image is up": _row(file_name="../../secret/secret.png"),
    "an image is in another shard": _row(file_name=f"../{_NAMES[1]}/images/train/model/000001.png"),
    "an image is dataset.json": _row(file_name="dataset.json"),
    "an image is .lock": _row(file_name=".lock"),
    "an image is in shards": _row(file_name="shards/00000-of-00001/images/x.png"),
    "a mask is the image": lambda place, shard: change_row(
        shard, mask_file_name=read_rows(shard)[0]["file_name"]
    ),
    "two images are one": lambda place, shard: write_rows(
        shard, [row | {"file_name": read_rows(shard)[0]["file_name"]} for row in read_rows(shard)]
    ),
    "an image is a link to a secret": lambda place, shard: link(_image(shard), place.secret / "secret.png"),
    "an image is a link to /dev/zero": lambda place, shard: link(_image(shard), "/dev/zero"),
    "an image is a pipe": lambda place, shard: fifo(_image(shard)),
    "images is a link": lambda place, shard: link(shard / "images", place.victim),
    "an image claims 1 PB": _row(size_bytes=_HUGE),
    "a size is negative": _row(size_bytes=-1),
    "an index is huge": _row(index=_HUGE, shot_index=_HUGE),
    "the manifest is a link to a secret": _in_place_of("manifest.jsonl", "secret.txt"),
    "the manifest is /dev/zero": _in_place_of("manifest.jsonl", "/dev/zero"),
    "the manifest is a pipe": lambda place, shard: fifo(shard / "manifest.jsonl"),
    "the spec is a link to a secret": _in_place_of("spec.yaml", "secret.txt"),
    "the spec is /dev/zero": _in_place_of("spec.yaml", "/dev/zero"),
    "the spec is deep": lambda place, shard: (shard / "spec.yaml").write_text("a: " + bombs.deep(100_000)),
    "the spec laughs": lambda place, shard: (shard / "spec.yaml").write_text(bombs.laughs()),
    "the log is a link to a secret": _in_place_of("blender.log", "secret.txt"),
    "the log is a pipe": lambda place, shard: fifo(shard / "blender.log"),
    "failures are a link to a secret": _in_place_of("failed.jsonl", "secret.txt"),
    "failures are /dev/zero": _in_place_of("failed.jsonl", "/dev/zero"),
    "failures are deep": _with_line("failed.jsonl", bombs.deep(100_000)),
    "a failure is huge": _with_line("failed.jsonl", _failure(index=_HUGE, shot_index=_HUGE)),
    "a failure has escapes": _with_line("failed.jsonl", _failure(reason="\x1b[2J\u202e", message="\x9b31m")),
    "a failure of an image": _with_line("failed.jsonl", _failure(index=0, shot_index=0)),
    "the record has escapes": lambda place, shard: _change_record(shard, name="\x1b]0;x\x07\u202e"),
    "the record counts text": lambda place, shard: _change_record(shard, images_per_split={"train": "2"}),
    "the record counts too much": lambda place, shard: _change_record(
        shard, images=_HUGE, images_failed=_HUGE
    ),
    "the record has strange devices": lambda place, shard: _change_record(shard, device=[1], also_made_on=7),
    "the record has a list of exposures": lambda place, shard: _change_record(shard, exposures_per_shot=[1]),
    "the record is merging": lambda place, shard: _change_record(shard, merging=True),
    "the lock is a link to a secret": _in_place_of(".lock", "secret.txt"),
    "the lock is a pipe": lambda place, shard: fifo(shard / ".lock"),
}
_SHORT = ("an image is a link to a secret",)


def _merged_in_place(change: Callable[[Place, Path], object], place: Place) -> list[Command]:
    """With the options that remove shards."""
    folder = place.out / "set" / "shards"
    _shards(place, folder)
    change(place, folder)
    place.protected += [place.victim, place.secret]
    place.readable.append(place.stock / "given")  # a repair reads the models of the spec
    return [
        harmless("merge", "-o", place.out / "set", "--link", "move"),
        harmless("merge", "-o", place.out / "set", "--remove-shards", "--allow-gaps"),
        harmless("status", place.out / "set"),
        harmless("verify", place.out / "set", "--repair", codes=(1, 2, 3, 4, 5)),
    ]


def _elsewhere(place: Place, folder: Path) -> None:
    """All shards are links to folders of a victim."""
    for path in [*folder.iterdir()]:
        shutil.move(path, place.victim / path.name)
        link(path, place.victim / path.name)


_FOLDERS: dict[str, Callable[[Place, Path], object]] = {
    "a shard is a link": lambda place, folder: link(folder / _NAMES[0], place.victim),
    "all shards are links": _elsewhere,
    "shards is a link": lambda place, folder: link(folder, place.victim),
    "a shard is a file": lambda place, folder: (folder / "00002-of-00002").write_text("x"),
    "a shard too many": lambda place, folder: shutil.copytree(folder / _NAMES[0], folder / "00000-of-00003"),
    "a shard has a huge number": lambda place, folder: (folder / f"{'9' * 200}-of-{'9' * 50}").mkdir(),
    "a shard has escapes": lambda place, folder: (folder / "\x1b[2J-of-\u202e\n").mkdir(),
    "a shard has files of somebody": lambda place, folder: (folder / _NAMES[0] / "thesis.txt").write_text(
        "x"
    ),
    "a removal that somebody wrote": lambda place, folder: (folder / ".blendgen-removing").write_text(
        "../../victim\n"
    ),
    "a list of pending files leads out": lambda place, folder: _pending(folder / _NAMES[0]),
}


def _pending(shard: Path) -> None:
    (shard / ".partial").mkdir(exist_ok=True)
    (shard / ".partial" / "1-1.pending").write_text(
        "../../../victim/secret.png\n/etc/passwd\nimages/../../x\n"
    )


# ---- status


def _status(**columns) -> str:
    """Of a run that counts as silent after 1.5 s, while `status` waits for a sign of life."""
    usual = {
        "schema_version": 1, "run": "r", "host": "h", "pid": 4242, "boot": "b", "namespace": "n", "began": 1,
        "started": "2026-01-01T00:00:00Z", "heartbeat": 3, "every_s": 0.5, "wanted": 4, "phase": "rendering",
    }  # fmt: skip
    return json.dumps(usual | columns)


_STATUSES: dict[str, str | Callable[[Place, Path], object]] = {
    "escapes": _status(host="\x1b[2J\u202eh\n", run="\x07", started="\x9b31m"),
    "escapes in workers": _status(
        every_s=5.0, workers=[{"pid": 1, "device": "\x1b[2J\n", "started": "\u202e"}]
    ),
    "escapes in reasons": _status(failed_per_reason={"\x1b[2J\n\u202e": 3}, images=1),
    "this machine, process 1": _status(pid=1, host=os.uname().nodename),
    "a negative process": _status(pid=-1),
    "a huge process": _status(pid=2**52),
    "more images than there can be": _status(images=2**52, manifest_bytes=2**52, made=2**52),
    "no time": _status(every_s=0.01, images_per_s=1e308),
    "a rate of nearly nothing": _status(images_per_s=5e-324, wanted=2**52),
    "infinity": _status(images_per_s=1.0).replace("1.0", "Infinity"),
    "10,000 workers": _status(workers=[{"pid": 1, "device": "cpu", "started": "x"}] * 10_000),
    "deep": bombs.deep(100_000),
    "not JSON": "\x00\x1b[2J",
    "a link to a secret": lambda place, path: link(path, place.secret / "secret.txt"),
    "/dev/zero": lambda place, path: link(path, "/dev/zero"),
    "a pipe": lambda place, path: fifo(path),
    "300 MB": lambda place, path: bombs.fill(path, "a" * 1000, 300, '{"run": "', '"}'),
    "a link to a folder of somebody": lambda place, path: link(path.parent, place.victim),
}


def _watched(status: str | Callable[[Place, Path], object], place: Place) -> list[Command]:
    folder = place.given / "set" / "shards"
    for path in _shards(place, folder):
        (path / ".partial").mkdir(exist_ok=True)
        if callable(status):
            status(place, path / ".partial" / "run-status.json")
        else:
            (path / ".partial" / "run-status.json").write_text(status, "utf-8", errors="surrogatepass")
    sets = (place.given / "set", folder / _NAMES[0])[: 1 if place.short else None]
    return [harmless("status", one, *more, memory_mb=500) for one in sets for more in ((), ("--json",))]


def _many_shards(place: Place) -> list[Command]:
    """Names with any letters, counts that contradict each other, files where folders belong."""
    folder = place.given / "set" / "shards"
    for number in range(20_000):
        (folder / f"{number:05d}-of-{20_000 + number % 3}").mkdir(parents=True)
    for name in ("\x1b[2J", "\u202egnp", "a\nb", "-o", "٣-of-٣", "00001-of-00000", "1-of-2-of-3"):
        (folder / name).write_text("x")
    return [
        harmless("status", place.given / "set", seconds=120),
        refused("merge", "-o", place.out / "set", place.given / "set", seconds=120),
    ]


# ---- what a farm is asked to run

_TEMPLATES = "{{Param.Spec}}{{Session.WorkingDirectory}}"
_SHELL = "$(touch ran)`touch ran`'\";touch ran\\"
_SPECS: dict[str, Callable[[Place], Path]] = {
    "a template in the name": lambda place: write_yaml(
        place, SPEC.replace("name: tiny", f'name: "{_TEMPLATES}"')
    ),
    "a shell command in the name": lambda place: write_yaml(
        place, SPEC.replace("name: tiny", f"name: {json.dumps(_SHELL)}")
    ),
    "a template in the path": lambda place: _spec_in(place, _TEMPLATES),
    "a shell command in the path": lambda place: _spec_in(place, _SHELL),
    "a newline in the path": lambda place: _spec_in(place, "a\nb\r#SBATCH --uid=0\n#"),
    "a YAML tag in the path": lambda place: _spec_in(place, "!!python: - {a: &b *c}"),
    "a pattern of sbatch in the path": lambda place: _spec_in(place, "%A_%a %% \\\\"),
    "bytes that are not UTF-8 in the path": lambda place: _spec_in(place, os.fsdecode(b"\xff\xfe\x1b[2J")),
    "a variable of Kubernetes in the path": lambda place: _spec_in(place, "$(JOB_COMPLETION_INDEX) $$"),
}


def _spec_in(place: Place, name: str) -> Path:
    """The spec in a folder with this name; blendgen's own spec has no "/" in it."""
    folder = place.given / name.replace("/", "_")
    folder.mkdir()
    return Path(shutil.copy(write_spec(place), folder))


def _submitted(make: Callable[[Place], Path], place: Place) -> list[Command]:
    write_spec(place)
    spec = make(place)
    place.out.mkdir(exist_ok=True)
    out = spec.parent / "data"
    cluster = ("--image", "x", "--claim", "c", "--volume", place.root)
    return [
        harmless("farm", "slurm", spec, "-o", out, "--shards", 2),
        harmless("farm", "slurm", spec, "-o", out, "--shards", 2, "--script", place.out / "job.sh"),
        harmless("farm", "openjd", spec, "-o", place.out / "bundle", "--dataset", out, "--shards", 2),
        harmless("farm", "kubernetes", spec, "-o", out, "--shards", 2, *cluster),
    ]


def _options(place: Place) -> list[Command]:
    spec = write_spec(place)
    usual, out = ("--shards", 2), place.out / "set"
    slurm, kubernetes = (
        ("farm", "slurm", spec, "-o", out, *usual),
        ("farm", "kubernetes", spec, "-o", out, *usual),
    )
    cluster = ("--image", "x", "--claim", "c", "--volume", place.root)
    return [
        *(
            refused(*slurm, f"--sbatch={text}")
            for text in ("x", "--a\n#SBATCH --uid=0", "--comment='\"", "\x1b")
        ),
        *(
            refused(*slurm, name, "a b;c")
            for name in ("--partition", "--account", "--time", "--name", "--memory")
        ),
        *(refused(*slurm, "--program", text) for text in ("'", "")),
        harmless(*slurm, "--program", _SHELL + "'"),
        refused(*slurm, "--logs", "/dev/null"),
        *(
            refused(*kubernetes, *cluster, name, "a: b\n- c")
            for name in ("--image", "--claim", "--namespace")
        ),
        refused(*kubernetes, *cluster[:-1], "/"),
        refused("farm", "openjd", spec, "-o", place.out / "b", *usual, "--program", _TEMPLATES),
        refused("farm", "openjd", spec, "-o", place.out / "b", *usual, "--set", f"name={_TEMPLATES}"),
        refused("farm", "slurm", spec, "-o", out, "--shards", 10**18),
    ]


def _files_in_the_way(place: Place) -> list[Command]:
    """Files of somebody else, links and pipes where a script or a bundle is to be written."""
    spec, bundle = write_spec(place), place.out / "bundle"
    link(bundle / "template.yaml", place.victim / "secret.yaml")
    fifo(place.out / "pipe.sh")
    (place.out / "own.sh").write_text("#!/bin/bash\necho mine\n")
    link(place.out / "link.sh", place.victim / "secret.txt")
    place.protected += [place.victim, place.out / "own.sh"]
    usual = ("--shards", 2)
    scripts = [place.out / name for name in ("pipe.sh", "own.sh", "link.sh")]
    return [
        refused("farm", "openjd", spec, "-o", bundle, *usual),
        *(
            harmless("farm", "slurm", spec, "-o", place.out / "set", *usual, "--script", one)
            for one in scripts
        ),
    ]


# ---- variables of schedulers

_RUBBISH = ("-1", "1e9", "0x1", "٣", "9" * 5000, "1\n", " 1", "$(touch ran)", "../..", "\x1b[2J", "1/2")
_TASKS = {
    "SLURM_ARRAY_TASK_ID": "SLURM_ARRAY_TASK_COUNT",
    "AWS_BATCH_JOB_ARRAY_INDEX": "AWS_BATCH_JOB_ARRAY_SIZE",
    "JOB_COMPLETION_INDEX": "BLENDGEN_SHARD_COUNT",
    "CUE_IFRAME": "BLENDGEN_SHARD_COUNT",
}
_RESOURCES = (
    "SLURM_CPUS_PER_TASK", "SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "CUE_THREADS", "CUE_MEMORY",
    "BLENDGEN_CORES", "BLENDGEN_MEMORY_MB",
)  # fmt: skip


def _shard_variables(place: Place) -> list[Command]:
    spec = write_spec(place)
    settings = [{index: text, count: "2"} for index, count in _TASKS.items() for text in _RUBBISH[:4]]
    settings += [{index: "0", count: text} for index, count in [*_TASKS.items()][:2] for text in _RUBBISH]
    settings += [{"BLENDGEN_SHARD_COUNT": "2"}, dict.fromkeys(_TASKS, "1")]
    call = ("generate", spec, "-o", place.out / "set")
    return [refused(*call, variables=tuple(one.items())) for one in settings]


def _resource_variables(place: Place) -> list[Command]:
    """A machine is described by what the variables say that can be understood."""
    return [
        harmless("doctor", "--json", variables=((name, text),), codes=(2, 4), seconds=90, memory_mb=4000)
        for name in _RESOURCES
        for text in ("-1", "9" * 5000, "\x1b[2J")
    ]
