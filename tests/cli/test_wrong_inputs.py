"""Wrong inputs of the commands for farms: one line with a way out, the right exit code, nothing is made."""

from __future__ import annotations

import os

import pytest

from tests.cli.in_process import blendgen

SPEC = "blendgen: 1\nname: x\nproducts: [{catalog: shapes}]\nimages: 4\nresolution: [16, 16]\n"
GENERATE = ("generate", "s.yaml", "-o", "out")
ELASTIC = (*GENERATE, "--executor", "slurm")
SLURM = ("farm", "slurm", "s.yaml", "-o", "out", "--shards", "2")
BUNDLE = ("farm", "openjd", "s.yaml", "--shards", "2", "-o")
PODS = ("farm", "kubernetes", "s.yaml", "-o", "out", "--shards", "2", "--image", "i", "--volume", ".")
CASES = [
    ((*GENERATE, "--shard", "2/2"), 2, "shard: expected 0 to 1 of 2 shards, got 2"),
    ((*GENERATE, "--shard", "0"), 2, "expected I/N such as 0/10, with I from 0 to N-1, got '0'"),
    ((*GENERATE, "--shard", "-1/2"), 2, "expected I/N such as 0/10"),
    ((*GENERATE, "--shard", ""), 2, "expected I/N such as 0/10"),
    ((*GENERATE, "--shard", "0/99999999999"), 2, "expected 1 to 10000000 shards, got 99999999999"),
    ((*GENERATE, "--shard", "0/2", "--index", "0"), 2, "(--shard and --index) exclude each other"),
    (("generate", "s.yaml", "-o", ""), 2, "expected a path, got an empty text"),
    (("generate", "s.yaml", "-o", "s.yaml", "--shard", "0/2"), 5, "choose another folder"),
    (("merge", "-o", "absent"), 5, "absent: has no shards; make them with `blendgen generate --shard`"),
    (("merge", "-o", "mine"), 5, "mine: has no shards; make them with"),
    (("merge", "mine", "-o", "out"), 5, "mine: does not contain a data set of blendgen"),
    (("merge", "absent", "-o", "out"), 5, "absent: is not a folder; name those of the shards"),
    (
        ("merge", "mine", "-o", "mine"),
        2,
        "mine: is the folder of the result, inside of it, or contains it; ch",
    ),
    (("merge", "-o", "out", "--link", "soft"), 2, "not one of 'hard', 'copy', 'move'"),
    (("status", "absent"), 5, "absent: is not a folder; give the OUT of `blendgen generate`"),
    (("status", "mine"), 5, "mine: contains neither a data set of blendgen nor shards of one"),
    (("status", ""), 2, "expected a path, got an empty text"),
    (("status", "mine", "--watch", "soon"), 2, "such as 30s, 5m, 3h"),
    (("status", "mine", "--wait", "-1"), 2, "not in the range x>=0"),
    (("status", "mine", "--lines", "0"), 2, "not in the range x>=1"),
    ((*GENERATE, "--executor", "dask"), 2, "not one of 'ray', 'slurm'"),
    ((*GENERATE, "--cpus-per-task", "2"), 2, "is for runs on many machines; add --executor"),
    ((*ELASTIC, "--shard", "0/2"), 2, "--shard: does not go with --executor; leave out one of them"),
    ((*ELASTIC, "--index", "0"), 2, "--index: does not go with --executor"),
    ((*ELASTIC, "--time-limit", "1h"), 2, "--time-limit: does not go with --executor"),
    ((*ELASTIC, "--events", "e.jsonl"), 2, "--events: does not go with --executor"),
    ((*ELASTIC, "--device", "auto"), 2, "name a kind that all machines have, such as cuda"),
    ((*ELASTIC, "--shards", "9"), 2, "shards: the spec has 4 shots, so expected 1 to 4 shards, got 9"),
    ((*ELASTIC, "--memory-per-task", "4"), 2, "with a unit, such as 8G, got '4'"),
    ((*ELASTIC, "--gpus-per-task", "-1"), 2, "not in the range x>=0"),
    ((*GENERATE, "--time-limit", "1h30"), 2, "such as 30s, 5m, 3h, 1:30:00"),
    ((*GENERATE, "--time-limit", "0"), 2, "a duration of at least 1s"),
    ((*GENERATE, "--progress-every", "0"), 2, "a duration of at least 1s"),
    (
        ("generate", "s.yaml", "-o", "mine", "--retry-failed"),
        5,
        "mine: is not empty and does not contain a da",
    ),
    ((*GENERATE, "--events", "mine"), 2, "mine cannot be opened: Is a directory; choose another file"),
    (
        (*GENERATE, "--events", "absent/e.jsonl"),
        2,
        "No such file or directory; choose another file",
    ),
    ((*GENERATE, "--events", "s.yaml"), 2, "s.yaml holds something else than events; choose another file"),
    ((*GENERATE, "--events", ""), 2, "cannot be opened: Is a directory; choose another file"),
    (
        (*GENERATE, "--device", "toaster"),
        2,
        "known: auto, cuda, hip, metal, oneapi, optix; cpu is the default",
    ),
    (("verify", "absent", "--repair"), 5, "or does not exist; give the OUT of `blendgen generate`"),
    (("verify", "mine", "--repair"), 5, "mine: does not contain a data set of blendgen that can be repaired"),
    (("farm", "pbs"), 2, "command 'pbs'"),
    (
        ("farm", "slurm", "absent.yaml", "-o", "out", "--shards", "2"),
        2,
        "absent.yaml: No ",
    ),
    (
        ("farm", "slurm", "s.yaml", "-o", "s.yaml", "--shards", "2"),
        2,
        "s.yaml: is a file; expected the folder",
    ),
    ((*SLURM, "--shards", "9"), 2, "the spec has 4 shots, so expected 1 to 4 shards, got 9"),
    ((*SLURM, "--memory", "8"), 2, "with a unit, such as 8G, got '8'"),
    ((*SLURM, "--gpus", "1"), 2, "name the device that all shards render on, such as cuda"),
    ((*SLURM, "--device", "cuda"), 2, "ask for GPUs too"),
    ((*SLURM, "--set", "nonsense=3"), 3, "unknown key; known: "),
    ((*SLURM, "--time", "1"), 2, "time: 1 is over before the notice of 120 s; give the shards more time"),
    ((*SLURM, "--sbatch", "exclude=n"), 2, "expected an option such as --exclude=node7"),
    ((*SLURM, "--program", "'"), 2, "is not a command line: No closing quotation"),
    ((*SLURM, "--logs", "absent"), 2, "'absent' does not exist"),
    (
        (*SLURM, "--script", "s.yaml"),
        5,
        "s.yaml: exists and was not written by blendgen; choose another file",
    ),
    ((*SLURM, "--script", "mine/job.sh"), 5, "mine/job.sh: exists and was not written by blendgen; choose"),
    ((*SLURM, "--submit"), 4, "run this where sbatch works, or write the script with --script"),
    (
        (*BUNDLE, "mine", "--dataset", "out"),
        5,
        "mine/template.yaml: exists and was not written by blendgen; c",
    ),
    ((*BUNDLE, "s.yaml", "--dataset", "out"), 2, "'s.yaml' is a file"),
    ((*BUNDLE, "out", "--name", "A B"), 2, "name: expected 1 to 42 letters of a-z, 0-9 and -, got 'A B'"),
    (PODS, 2, "claim and volume (--claim, --volume): give both, or neither of them"),
    ((*PODS, "--claim", "C!"), 2, "claim: expected a name of Kubernetes, got 'C!'"),
    (
        (*PODS, "--claim", "c", "--volume", "/elsewhere"),
        2,
        "is not in /elsewhere, which is all that the pods se",
    ),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A spec, and files that only look like ours."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "mine").mkdir()
    (folder / "s.yaml").write_text(SPEC)
    (folder / "mine" / "job.sh").write_text("#!/bin/sh\nblendgen generate s.yaml -o out\n")
    (folder / "mine" / "template.yaml").write_text("name: blendgen\n")
    return folder


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "code", "message"), CASES, ids=[" ".join(arguments) for arguments, _, _ in CASES]
)
def test_a_wrong_input_is_one_line_with_a_way_out(place, monkeypatch, arguments, code, message):
    monkeypatch.chdir(place)
    monkeypatch.setenv("PATH", os.devnull if "--submit" in arguments else os.environ["PATH"])
    before = files(place)
    done = blendgen(*arguments)
    assert done.returncode == code and message in done.stderr and done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.startswith(("blendgen:", "Error:"))]
    assert len(lines) == 1 and "Traceback" not in done.stderr
    assert files(place) == before


def test_json_of_a_check_that_failed_says_so(place, monkeypatch):
    monkeypatch.chdir(place)
    done = blendgen("verify", "mine", "--repair", "--json")
    assert done.returncode == 5
    assert done.stdout == (
        '{"schema_version": 1, "faults": [], "error": "mine: does not contain a data set of blendgen that '
        'can be repaired"}\n'
    )
