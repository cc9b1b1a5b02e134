"""The script for Slurm, run with programs in place of Slurm and blendgen.

tests/farm/test_engines.py runs it with the real ones.
"""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from blendgen.errors import BlendgenError, SetupError, UsageError
from blendgen.farm.slurm import SlurmOptions, slurm_script, submit
from blendgen.files.url import parse_url
from tests.farm.programs import calls, make_programs, wait_for_call
from tests.farm.test_job import job


@pytest.fixture
def farm(tmp_path):
    """The environment of programs in place of blendgen, sbatch, scancel and scontrol."""
    (tmp_path / "bin").mkdir()
    programs = make_programs(tmp_path / "bin", "blendgen", "sbatch", "scancel", "scontrol")
    return programs | {"SLURM_ARRAY_TASK_ID": "1", "SLURM_JOB_ID": "42"}


DEFAULTS = SlurmOptions()


def script(spec, options=DEFAULTS, **changes) -> str:
    return slurm_script(job(spec, folder=spec.parent / "out", program="blendgen", **changes), options)


def submitted(farm, text) -> tuple[str, str]:
    """The scripts of a shard and of the merge job, as sbatch gets them."""
    done = subprocess.run(["bash", "-s"], input=text, env=farm, capture_output=True, text=True, check=True)
    assert done.stdout == "shards 1\nmerge 2\n" and done.stderr == ""
    (first, shard), (second, merge) = calls(farm, "sbatch")
    assert first == ["--parsable"] and second == ["--parsable", "--dependency=afterany:1"]
    return shard, merge


def directives(text) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH ")]


def started(farm, shard) -> subprocess.Popen:
    """The batch script of a shard, whose blendgen runs."""
    process = subprocess.Popen(["bash", "-c", shard], env=farm | {"SECONDS_EACH": "20"})
    wait_for_call(farm, "blendgen")
    return process


def test_the_array_asks_for_what_a_shard_needs(spec, farm, tmp_path):
    options = SlurmOptions(
        "1-0", "gpu", "me", 3, logs=tmp_path / "100% logs", sbatch=("--exclude=n7", "--comment=a b")
    )
    shard, merge = submitted(farm, script(spec, options, gpus=2, device="cuda", cpus=6, memory="16G"))
    assert directives(shard) == [
        *("--job-name=blendgen-shapes-more", "--array=0-1%3", "--cpus-per-task=6", "--mem=16384M"),
        *("--gres=gpu:2", "--time=1-0", "--signal=B:USR1@120", "--requeue", "--open-mode=append"),
        f"--output='{tmp_path}/100%% logs/blendgen-shapes-more-%A_%a.log'",
        *("--partition=gpu", "--account=me", "--exclude=n7", "--comment='a b'"),
    ]
    assert {"--requeue", "--partition=gpu", "--account=me"} <= set(directives(merge))
    assert not any(one.startswith(("--array", "--gres", "--signal")) for one in directives(merge))


def test_the_scripts_call_blendgen_with_the_paths_as_they_are(spec, farm):
    shard, merge = submitted(farm, script(spec, changes=()))
    for text in (shard, merge):
        subprocess.run(["bash", "-c", text], env=farm, check=True)
    folder = str(spec.parent / "out")
    assert [arguments for arguments, _ in calls(farm, "blendgen")] == [
        ["generate", str(spec), "-o", folder, "--allow-failed", "--shard", "1/2"], ["merge", "-o", folder],
    ]  # fmt: skip
    assert calls(farm, "scontrol") == []


@pytest.mark.parametrize("sent, code", [(signal.SIGUSR1, 75), (None, 75), (None, 138), (None, 5)])
def test_a_shard_that_stopped_early_and_no_other_asks_for_a_new_place(spec, farm, sent, code):
    shard, _ = submitted(farm, script(spec))
    if sent is not None:  # Slurm sends it to the shell alone
        process = started(farm, shard)
        process.send_signal(sent)
    else:
        process = subprocess.Popen(["bash", "-c", shard], env=farm | {"CODE": str(code)})
    assert process.wait(240) == code
    assert calls(farm, "scontrol") == ([(["requeue", "42"], "")] if code != 5 else [])
    if sent is not None:
        assert (Path(farm["CALLS"]) / "signals").read_text() == "SIGUSR1\n"


def test_a_shard_does_not_ask_for_ever(spec, farm):
    shard, _ = submitted(farm, script(spec, SlurmOptions(max_requeues=3)))
    for count, asks in (("2", 1), ("3", 1)):
        environment = farm | {"CODE": "75", "SLURM_RESTART_COUNT": count}
        assert subprocess.run(["bash", "-c", shard], env=environment).returncode == 75
        assert len(calls(farm, "scontrol")) == asks


def test_a_cancelled_shard_ends_after_blendgen_and_is_not_put_back(spec, farm):
    """scancel sends SIGTERM to all processes of a job."""
    shard, _ = submitted(farm, script(spec))
    process = subprocess.Popen(["bash", "-c", shard], env=farm | {"SECONDS_EACH": "20"}, process_group=0)
    wait_for_call(farm, "blendgen")
    assert os.getpgid(process.pid) == process.pid
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(240) == 143 and calls(farm, "scontrol") == []
    assert (Path(farm["CALLS"]) / "signals").read_text() == "SIGTERM\n"


def test_without_a_merge_job_there_are_no_shards(spec, farm, tmp_path):
    sbatch = tmp_path / "bin/sbatch"
    sbatch.write_text(
        "#!/bin/bash\ncat >/dev/null\ncase $* in *afterany*) exit 1;; *) echo '7;cluster';; esac\n"
    )
    done = subprocess.run(["bash", "-s"], input=script(spec), env=farm, capture_output=True, text=True)
    assert done.returncode == 1 and calls(farm, "scancel") == [(["7"], "")]


def test_submitting_gives_the_ids_or_what_slurm_says(spec, farm, tmp_path, monkeypatch):
    for name, value in farm.items():
        monkeypatch.setenv(name, value)
    assert submit(script(spec)) == [("shards", "1"), ("merge", "2")]
    (tmp_path / "bin/sbatch").write_text("#!/bin/bash\necho 'sbatch: error: invalid partition' >&2; exit 1\n")
    with pytest.raises(SetupError, match=r"did not take the job: sbatch: error: invalid partition"):
        submit(script(spec))
    (tmp_path / "bin/sbatch").write_text("#!/bin/bash\necho 1; echo hello >&2\n")
    with pytest.raises(BlendgenError, match="its answer was not understood"):
        submit("echo hello")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"time": "4h"}, "^time: expected Slurm's notation"),
        ({"time": "1:60"}, "^time: 1:60 is over before the notice of 120 s"),
        ({"time": "2"}, "^time: 2 is over before"),
        ({"partition": "a b"}, "^partition: "),
        ({"account": "a\n#SBATCH --x"}, "^account: "),
        ({"sbatch": ["exclude=n7"]}, "^sbatch: expected an option"),
        ({"sbatch": ["--comment=a\nb"]}, "^sbatch: expected an option"),
        ({"sbatch": ['--comment=it\'s "x"']}, "^sbatch: an option with both kinds of quotes"),
        ({"sbatch": ["--comment=a \\b"]}, "^sbatch: an option with both kinds"),
        ({"logs": Path("a\nb")}, "^logs: sbatch cannot read"),
        ({"logs": Path("/dev/null")}, "^logs: is not a folder: '/dev/null'"),
        ({"max_running": 0}, "^max running: "),
        ({"max_requeues": -1}, "^requeues: "),
    ],
)
def test_what_slurm_could_not_read_is_an_error(spec, options, message):
    with pytest.raises(UsageError, match=message):
        script(spec, SlurmOptions(**options))


@pytest.mark.parametrize("time", ["3", "2:01", "0:02:01", "1-0", "1-02:03", "1-02:03:04", "999999"])
def test_all_notations_of_slurm_are_read(spec, time):
    assert f"--time={time}\n" in script(spec, SlurmOptions(time))


def test_the_data_set_may_be_in_an_object_store(spec):
    script = slurm_script(job(spec, folder=parse_url("s3://bucket/a b")), SlurmOptions())
    assert script.count("-o 's3://bucket/a b'") == 2
